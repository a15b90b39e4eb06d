"""What Socket.IO clients may do, how many may come, and how much may wait for them."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from flask import Flask
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from chatroom.app import ASGI
from chatroom.base.models import Author, Room
from chatroom.live import engine
from chatroom.live.sockets import pace, socketio, socketio_packets
from chatroom.people.accounts import Registration
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from tests.conftest import MakeApp, services_of
from tests.messaging import new_draft
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until


class Place:
    """A server in a thread, on mongomock."""

    def __init__(self, app: Flask) -> None:
        self.asgi = ASGI(app)
        self.services: Services = services_of(app)
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/socket.io/"
        config = uvicorn.Config(
            self.asgi,
            ws="chatroom.live.sockets.websocket:WebSocketProtocol",
            log_level="critical",
            lifespan="on",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        wait_until(lambda: self.server.started or not self.thread.is_alive())
        assert self.server.started

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()

    def token(self, name: str = "alice", **grant: Any) -> str:
        people = self.services.people
        user = people.users.find_by_username(name)
        if user is None:
            user = people.accounts.create(Registration(username=name, display_name=name.title(), password=PASSWORD))
        return people.sessions.create_token(user, label="tests", **grant)

    @property
    def island(self) -> Any:
        """Socket.IO's side of the server."""
        return self.asgi._socketio

    def knock(self) -> ClientConnection:
        """A websocket of Engine.IO that has not said who it is."""
        address = f"ws://127.0.0.1:{self.port}/socket.io/?EIO=4&transport=websocket"
        client = connect(address, legacy=True, open_timeout=PATIENCE_SECONDS)
        with closed_on_failure(client):
            assert client.recv(PATIENCE_SECONDS)[:1] == "0"
        return client

    def enter(self, token: str) -> ClientConnection:
        """A websocket that has signed in."""
        client = self.knock()
        with closed_on_failure(client):
            client.send("40" + json.dumps({"token": token}))
            answer = str(client.recv(PATIENCE_SECONDS))
            assert answer.startswith("40"), answer
        return client

    def say(self, text: str) -> None:
        user = self.services.people.users.find_by_username("alice")
        assert user
        lobby = self.services.rooms.access.get_for(user.id, "lobby").room
        self.services.messages.writer.post(lobby, new_draft(Author(user.id, "Alice"), text))


MakePlace = Callable[..., Place]


@pytest.fixture
def make_place(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> Iterator[MakePlace]:
    """Start servers; whatever is done to them, they log no error."""
    made: list[Place] = []

    def make(**settings: Any) -> Place:
        made.append(Place(make_app(**{"post_limit_account": "0", "post_limit_address": "0", **settings})))
        made[-1].token()  # alice is there
        return made[-1]

    yield make
    for place in made:
        place.stop()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def place(make_place: MakePlace) -> Place:
    return make_place()


@contextmanager
def closed_on_failure(client: ClientConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        client.close()
        raise


def get(place: Place, headers: dict[str, str] | None = None, **more: str) -> httpx.Response:
    """Ask for long-polling."""
    query = {"EIO": "4", "transport": "polling", **more}
    return httpx.get(place.url, params=query, headers=headers, timeout=PATIENCE_SECONDS)


def ask(client: ClientConnection, *event: Any) -> Any:
    """Emit an event over a websocket, and return its acknowledgement."""
    client.send("427" + json.dumps(event))
    while True:
        raw = str(client.recv(PATIENCE_SECONDS))
        if raw.startswith("437"):
            return json.loads(raw[3:])[0]


def wait_for_the_end(client: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            client.recv(PATIENCE_SECONDS)


@contextmanager
def polling(place: Place, token: str) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """A client of long-polling that has signed in, and has not asked for anything since."""
    with httpx.Client(timeout=PATIENCE_SECONDS) as browser:
        query = {"EIO": "4", "transport": "polling"}
        query["sid"] = json.loads(browser.get(place.url, params=query).text[1:])["sid"]
        browser.post(place.url, params=query, content="40" + json.dumps({"token": token}))
        assert browser.get(place.url, params=query).text.startswith("40")
        browser.post(place.url, params=query, content='427["join","lobby"]')
        while "437[" not in browser.get(place.url, params=query).text:
            pass
        yield browser, query


class TestComing:
    def test_a_client_without_authentication_is_disconnected(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """P03."""
        monkeypatch.setattr(socketio, "CONNECT_SECONDS", 0.2)
        with closing(place.knock()) as client:
            wait_for_the_end(client)
        wait_until(lambda: not place.island._sessions)
        wait_until(lambda: not place.island._live.gate._by_network)

    def test_once_is_enough(self, place: Place) -> None:
        with closing(place.enter(place.token())) as client:
            client.send("40" + json.dumps({"token": place.token()}))
            wait_until(lambda: str(client.recv(PATIENCE_SECONDS)).startswith("44"))
        wait_until(lambda: not place.island._live.gate._by_user)

    @pytest.mark.parametrize("limit", ["max_connections", "max_connections_per_user", "max_connections_per_address"])
    def test_connections_are_limited(self, make_place: MakePlace, limit: str) -> None:
        """P03: counted together with the connections at /live."""
        place = make_place(**{limit: 1})
        token = place.token()
        live = f"ws://127.0.0.1:{place.port}/live"
        headers = {"Authorization": f"Bearer {token}"}
        refused = pytest.raises((AssertionError, ConnectionClosed, InvalidStatus))
        here = connect(live, additional_headers=headers, legacy=True, open_timeout=PATIENCE_SECONDS)
        with closing(here), refused:
            place.enter(token)
        wait_until(lambda: not place.asgi._live.gate._total)
        place.enter(token).close()

    def test_jsonp_is_not_served(self, place: Place) -> None:
        """C07."""
        answer = get(place, j="0")
        assert (answer.status_code, answer.headers["x-content-type-options"]) == (400, "nosniff")

    def test_no_other_site_may_read(self, place: Place) -> None:
        """C04."""
        answer = get(place, headers={"Origin": "http://evil.test"})
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"

    def test_it_can_be_off(self, make_place: MakePlace) -> None:
        place = make_place(socketio=0)
        assert get(place).status_code == 404

    def test_several_processes_serve_no_long_polling(self, make_place: MakePlace) -> None:
        place = make_place(web_concurrency=2)
        assert get(place).status_code == 400
        place.enter(place.token()).close()


NO_PACKETS = ["", "x", "9", "²", "4", "4x", "4²", "4" + "[" * 20_000, "2" + "[" * 20_000, "bAAA", "bb", "d=", "\x1e"]


class TestEvents:
    @pytest.mark.parametrize(
        "raw",
        [
            "4",
            "49",
            "42",
            "42[]",
            "42{}",
            "42[7]",
            "42[",
            "42/admin,[]",
            "40/admin,",
            "44{}",
            '451-["new_message",{"_placeholder":true,"num":0}]',
            '459999999999-["new_message"]',
            "42" + "[" * 20_000,
            b"\x04bytes",
        ],
        ids=lambda raw: repr(raw)[:20],
    )
    def test_an_invalid_event_ends_the_connection(self, place: Place, raw: str | bytes) -> None:
        """P04."""
        with closing(place.enter(place.token())) as client:
            client.send(raw)
            wait_for_the_end(client)
        wait_until(lambda: not place.island._sessions)

    @pytest.mark.parametrize(
        ("event", "reason"),
        [
            (["connect"], "invalid"),
            (["disconnect", "x"], "invalid"),
            (["*"], "invalid"),
            (["new_message"], "invalid"),
            (["new_message", None], "invalid"),
            (["new_message", {"text": 7}], "invalid"),
            (["new_message", {"text": "a", "client_id": "."}], "invalid"),
            (["new_message", {"text": "a", "author": "bob"}], "invalid"),
            (["new_message", {"text": "a", "type": "delete"}], "stored"),
            (["new_message", ""], "empty"),
            (["new_message", "x" * 4001], "too_long"),
            (["new_message", "\ud800"], "invalid"),
            (["new_message", {"text": "a", "room": "den"}], "not_found"),
            (["history", {"room": "den"}], "not_found"),
            (["history", {"after": 1, "before": 2}], "invalid"),
            (["history", {"after": 10**6}], "unknown_cursor"),
            (["history", "lobby"], "invalid"),
            (["join", "den"], "not_found"),
            (["join", {"room": "lobby", "after": 10**6}], "unknown_cursor"),
            (["leave", 7], "invalid"),
        ],
        ids=str,
    )
    def test_refusals(self, place: Place, event: list[Any], reason: str) -> None:
        """P04, W09."""
        RoomStore(place.services.database).ensure(Room(id="den-id", slug="den", title="Den", kind="private"))
        with closing(place.enter(place.token("bobby"))) as client:
            answer = ask(client, *event)
            assert answer.get("error", {"reason": "stored"})["reason"] == reason

    @pytest.mark.parametrize(
        "event",
        [
            ["history", {"room": "\ud800"}],
            ["join", "\ud800"],
            ["join", {"room": "\ud800", "after": 1}],
            ["leave", "\ud800"],
            ["new_message", {"text": "a", "client_id": "\ud800"}],
            ["history", {"room": "a\0b"}],
            ["history", {"\ud800": 1}],
            ["\ud800", {}],
        ],
        ids=str,
    )
    def test_odd_letters_are_answered_and_are_no_error_of_ours(
        self, place: Place, event: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """P13: each wrote a traceback, and its acknowledgement never came."""
        with closing(place.enter(place.token("bobby"))) as client:
            assert ask(client, *event)["error"]["reason"] in {"invalid", "not_found"}
        assert not [record for record in caplog.records if record.exc_info]

    def test_an_error_of_ours_is_answered_too(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """P13."""
        monkeypatch.setattr(place.services.messages.history, "newest", lambda *_: 1 / 0)
        with closing(place.enter(place.token("bobby"))) as client:
            assert ask(client, "history", {})["error"]["reason"] == "unavailable"
            assert ask(client, "leave", "lobby") == {"room": "lobby"}

    def test_frames_that_store_nothing_are_rate_limited(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """P13, L11: pages of history, too."""
        monkeypatch.setattr(pace, "BURST", 5)
        rests: list[float] = []
        take = pace.Pace.take

        def take_and_note(self: pace.Pace, cost: int = 1) -> float:
            rests.append(take(self, cost))
            return rests[-1]

        monkeypatch.setattr(pace.Pace, "take", take_and_note)
        with closing(place.enter(place.token("bobby"))) as client:
            for _ in range(4):
                ask(client, "history", {})
                ask(client, "leave", "elsewhere")
        assert max(rests) > 0

    @pytest.mark.parametrize("raw", NO_PACKETS, ids=lambda raw: repr(raw)[:20])
    def test_an_invalid_packet_is_not_a_server_error(
        self, place: Place, raw: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """P13: each wrote a traceback, and a websocket's client stayed in the table."""
        with closing(place.enter(place.token("bobby"))) as client:
            client.send(raw)
            wait_for_the_end(client)
        wait_until(lambda: not place.island._sessions and not place.island.eio.sockets)
        with polling(place, place.token("bobby")) as (browser, query):
            assert browser.post(place.url, params=query, content=raw.encode()).status_code == 400
            assert browser.post(place.url, params=query, content=b"4\xff").status_code == 400
        assert not [record for record in caplog.records if record.exc_info]

    def test_no_packet_waits_for_attachments(self, place: Place) -> None:
        """W05: nothing is kept of one that announces them, nor of what comes behind it."""
        with closing(place.enter(place.token("bobby"))) as client, suppress(ConnectionClosed):
            client.send('459999-["new_message",{"_placeholder":true,"num":0}]')
            for _ in range(100):
                client.send(b"\x04" + b"x" * 10_000)
            wait_for_the_end(client)
        wait_until(lambda: not place.island._sessions)
        assert not place.island._binary_packet

    @pytest.mark.parametrize(("count", "status"), [(socketio.MOST_PACKETS, 200), (socketio.MOST_PACKETS + 1, 400)])
    def test_packets_of_a_request_are_limited(self, place: Place, count: int, status: int) -> None:
        """W06."""
        with polling(place, place.token("bobby")) as (browser, query):
            answer = browser.post(place.url, params=query, content="\x1e".join(["43"] * count))
            assert answer.status_code == status

    def test_too_many_refusals_in_a_row(self, place: Place) -> None:
        """L08."""
        with closing(place.enter(place.token())) as client:
            with suppress(ConnectionClosed):
                for _ in range(100):
                    client.send('42["nothing"]')
            wait_for_the_end(client)

    def test_too_fast(self, make_place: MakePlace) -> None:
        """L08: one count for all ways in."""
        place = make_place(post_limit_account="2 per minute")
        with closing(place.enter(place.token())) as client:
            answers = [ask(client, "new_message", "hello") for _ in range(3)]
        assert answers[2]["error"]["reason"] == "too_fast"
        assert answers[2]["error"]["retry_after"] > 0

    def test_scopes(self, place: Place) -> None:
        """P01."""
        with closing(place.enter(place.token(scopes=["read"]))) as reader:
            assert ask(reader, "new_message", "hello")["error"]["reason"] == "out_of_scope"
        with closing(place.enter(place.token(scopes=["post"]))) as writer:
            assert ask(writer, "new_message", "hello")["sequence"] == 1
            assert ask(writer, "history", {})["error"]["reason"] == "out_of_scope"
            assert ask(writer, "join", "lobby")["error"]["reason"] == "out_of_scope"
        with closing(place.enter(place.token(rooms=["den"]))) as other:
            assert ask(other, "join", "lobby")["error"]["reason"] == "out_of_scope"


@pytest.fixture
def most_waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most bytes that ever waited for one client, as the only element."""
    most = [0]

    class Watched(socketio_packets.Outgoing):
        def _weigh(self, size: int) -> None:
            super()._weigh(size)
            most[0] = max(most[0], self._bytes)

    monkeypatch.setattr(socketio_packets, "Outgoing", Watched)
    return most


class TestWaiting:
    def test_a_client_that_does_not_read_is_bounded(self, place: Place, most_waiting: list[int]) -> None:
        """P05: and gets everything, in order, when it reads again."""
        with polling(place, place.token("bobby")) as (browser, query):
            texts = [f"{number} " + "x" * 3900 for number in range(200)]
            for text in texts:
                place.say(text)
            wait_until(lambda: most_waiting[0] > socketio_packets.MOST_WAITING_BYTES)
            got: list[str] = []
            while len(got) < len(texts):
                messages = [packet for packet in read(place, browser, query) if packet.startswith('42["message"')]
                got += [json.loads(packet[2:])[1]["text"] for packet in messages]
            assert got == texts
        assert most_waiting[0] < 1.1 * socketio_packets.MOST_WAITING_BYTES

    def test_a_client_that_sends_and_does_not_read_is_bounded(self, place: Place, most_waiting: list[int]) -> None:
        """P05: no question is taken while too much waits, and each is answered in the end."""
        for number in range(100):
            place.say(f"{number} " + "x" * 3900)
        with polling(place, place.token("bobby")) as (browser, query), ThreadPoolExecutor(1) as pool:
            questions = "\x1e".join(f'42{number}["history",{{"limit":100}}]' for number in range(10, 30))
            asking = pool.submit(httpx.post, place.url, params=query, content=questions, timeout=PATIENCE_SECONDS)
            wait_until(lambda: most_waiting[0] > socketio_packets.MOST_WAITING_BYTES)
            assert not asking.done()
            answers = 0
            while answers < 20:
                answers += sum(packet.startswith("43") for packet in read(place, browser, query))
            assert asking.result().status_code == 200
        assert most_waiting[0] < 1_000_000

    def test_a_client_is_disconnected_while_it_does_not_read(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S04, P05."""
        monkeypatch.setattr(engine, "TICK_SECONDS", 0.05)
        monkeypatch.setattr(socketio, "GOODBYE_SECONDS", 0.2)
        with polling(place, place.token("bobby")):
            for number in range(100):
                place.say(f"{number} " + "x" * 3900)
            bob = place.services.people.users.find_by_username("bobby")
            assert bob
            place.services.people.sessions.end_all(bob.id)
            wait_until(lambda: not place.island._sessions)
            wait_until(lambda: not place.asgi._live.gate._total)
            wait_until(lambda: not place.island.eio.sockets)
            assert (
                not place.island.eio.service_task_handle.done()
            )  # it is not by this, which takes 40 s, that they went


def read(place: Place, browser: httpx.Client, query: dict[str, str]) -> list[str]:
    """What waits, in one request; signs of life are answered."""
    packets = browser.get(place.url, params=query).text.split("\x1e")
    if "2" in packets:
        browser.post(place.url, params=query, content="3")
    return packets
