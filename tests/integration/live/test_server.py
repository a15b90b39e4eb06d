"""The real server, a real mongod, and real websocket clients that behave badly."""

import contextlib
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatroom.base.clock import utc_now
from chatroom.live.engine import STORE_THREADS
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.services import Services
from tests.integration.live.servers import Client, Raw, Server, make_tokens, new_name, settings_of
from tests.people import BOB, rendered
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

# A frame costs the server about a thousandth of this; what made it work much more would hold up everybody.
MOST_PROCESSOR_SECONDS = 1.0


class Place:
    """A database with some people in it, and where its servers run."""

    def __init__(self, mongod: EmbeddedMongo, folder: Path) -> None:
        self.name = new_name()
        self.uri = mongod.uri_for(self.name)
        people = make_tokens(self.uri, self.name, "alice", "bobby", "carol", "dora", "erin")
        self.alice, self.bob, self.carol, self.dora, self.erin = people
        self.folder = folder
        self.servers: list[Server] = []

    def start(self, **settings: Any) -> Server:
        log = self.folder / f"server-{len(self.servers)}.log"
        self.servers.append(Server(self.uri, self.name, log, **settings))
        return self.servers[-1]

    def stop(self) -> None:
        running = [server for server in self.servers if server.process.poll() is None]
        with ThreadPoolExecutor(len(running) or 1) as pool:
            list(pool.map(Server.terminate, running))


@pytest.fixture(scope="module")
def place(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(mongod, tmp_path_factory.mktemp("servers"))
    yield place
    place.stop()


@pytest.fixture(scope="module")
def shared_server(place: Place) -> Server:
    server = place.start()
    server.wait_until_settled()
    return server


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The server that most tests share; whatever they do to it, it logs no error."""
    yield shared_server
    assert shared_server.process.poll() is None
    assert shared_server.errors() == []


@pytest.fixture(scope="module")
def impatient_server(place: Place) -> Server:
    """Pings twice a second, and gives who is disconnected a moment. Those who are to stay are elsewhere."""
    return place.start(ping_seconds=0.5, first="import chatroom.live.sockets.websocket as w; w.LINGER_SECONDS = 0.2")


@pytest.fixture
def alice(place: Place, server: Server) -> Iterator[Client]:
    with contextlib.closing(server.connect(place.alice)) as client:
        client.wait_for_type("caught_up")
        yield client


@pytest.fixture
def bob(place: Place, server: Server) -> Iterator[Client]:
    with contextlib.closing(server.connect(place.bob)) as client:
        client.wait_for_type("caught_up")
        yield client


_numbers = iter(range(10_000))


def fresh(name: str) -> str:
    """A client id that no other test uses."""
    return f"{name}-{next(_numbers)}"


class TestHandshake:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer forged"},
            {"Authorization": "Basic YWxpY2U6eA=="},
            {"Cookie": "session=forged"},
            {"Cookie": "session=forged; __Host-session=forged"},
        ],
    )
    def test_w01_a_client_without_a_session_is_refused(self, server: Server, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidStatus) as refusal:
            server.connect("", headers=headers)
        assert refusal.value.response.status_code == 401

    def test_a_room_that_is_none(self, server: Server, place: Place) -> None:
        with pytest.raises(InvalidStatus) as refusal:
            server.connect(place.alice, "room=nowhere")
        assert refusal.value.response.status_code == 404

    def test_an_address_that_is_not_understood(self, server: Server, place: Place) -> None:
        with pytest.raises(InvalidStatus) as refusal:
            server.connect(place.alice, "room=lobby&after=x")
        assert refusal.value.response.status_code == 400

    def test_w10_compression_keeps_nothing_for_a_connection(self, server: Server, place: Place) -> None:
        with contextlib.closing(server.connect(place.alice, compression="deflate")) as client:
            response = client.socket.response
            assert response is not None
            agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            assert response.headers["Sec-WebSocket-Extensions"] == agreed


class TestTalking:
    def test_w08_two_tabs_and_another_user(self, server: Server, place: Place, alice: Client, bob: Client) -> None:
        with contextlib.closing(server.connect(place.alice)) as second:
            second.wait_for_type("caught_up")
            one, other = fresh("tab"), fresh("tab")
            alice.post(one)
            alice.wait_for_type("stored", client_id=one)
            second.post(other)
            for client in (alice, second, bob):
                client.wait_for_message(other)
                assert [each for each in client.seen() if each in {one, other}] == [one, other]
        late = fresh("late")
        bob.post(late)
        alice.wait_for_message(late)

    def test_w03_bob_is_bob_whatever_he_says(self, bob: Client) -> None:
        bob.say({"type": "post", "room": "lobby", "text": "x", "user": "alice"})
        assert bob.wait_for_type("refused")["reason"] == "invalid"
        client_id = fresh("bob")
        bob.post(client_id)
        bob.wait_for_message(client_id)
        (message,) = [m for frame in bob.frames for m in frame.get("messages", []) if m["client_id"] == client_id]
        assert message["author"]["name"] == "Bobby"

    @pytest.mark.parametrize(
        "text", ["\U0001f468\u200d\U0001f469", "a\r\nb\u2028", "\0x", "مرحبا", '</script>"\\'], ids=ascii
    )
    def test_u07_the_same_text_live_and_in_history(
        self, server: Server, place: Place, alice: Client, bob: Client, text: str
    ) -> None:
        client_id = fresh("text")
        alice.post(client_id, text)
        stored = alice.wait_for_type("stored", client_id=client_id)
        bob.wait_for_message(client_id)
        with contextlib.closing(server.connect(place.alice, f"room=lobby&after={stored['sequence'] - 1}")) as late:
            late.wait_for_message(client_id)
            for client in (bob, late):
                texts = [
                    m["text"]
                    for frame in client.frames
                    for m in frame.get("messages", [])
                    if m["client_id"] == client_id
                ]
                assert texts == [text]


class TestBadFrames:
    """W04, L02, I08: closed or refused without much work; the others notice nothing."""

    @pytest.mark.parametrize(
        "frame",
        [
            "",
            "zzz",
            "9",
            "[]",
            "{}",
            "null",
            '{"type":"x","room":"lobby"}',
            "[" * 60_000,
            '{"a":' * 10_000,
            '{"type":"follow","room":"lobby","after":' + "9" * 5000 + "}",
        ],
        ids=lambda frame: ascii(frame[:20]),
    )
    def test_w04_i08_refused_and_alive(self, server: Server, alice: Client, frame: str) -> None:
        before = server.processor_seconds()
        alice.say(frame)
        assert alice.wait_for_type("refused")["reason"] == "invalid"
        assert server.processor_seconds() - before < MOST_PROCESSOR_SECONDS
        client_id = fresh("alive")
        alice.post(client_id)
        alice.wait_for_type("stored", client_id=client_id)

    def test_w04_binary(self, server: Server, place: Place) -> None:
        client = server.connect(place.alice)
        client.say(b"\x00\xff")
        assert client.close_code() == 1003

    @pytest.mark.parametrize(
        ("what", "code"),
        [
            ("unmasked", 1002),
            ("reserved bits", 1002),
            ("unknown opcode", 1002),
            ("truncated utf-8", 1007),
            ("a surrogate in utf-8", 1007),
            ("a long ping", 1002),
            ("a fragmented ping", 1002),
            ("a continuation of nothing", 1002),
            ("too large", 1009),
            ("said to be 150 MB", 1009),
            ("too large in fragments", 1009),
        ],
    )
    def test_w04_l02_against_the_protocol(
        self, server: Server, place: Place, bob: Client, what: str, code: int
    ) -> None:
        raw = Raw(server, place.alice)
        memory, seconds = server.memory(), server.processor_seconds()
        send_badly(raw, what)
        assert raw.close_code() == code
        assert server.processor_seconds() - seconds < MOST_PROCESSOR_SECONDS
        assert server.memory() - memory < 16 * 1024 * 1024  # not what the header says that there will be
        raw.close()
        client_id = fresh("unaffected")
        bob.post(client_id)
        bob.wait_for_message(client_id)

    def test_l02_the_largest_frame_that_may_be(self, alice: Client) -> None:
        frame = json.dumps({"type": "post", "room": "lobby", "text": ""})
        alice.say(frame[:-2] + "x" * (65_536 - len(frame)) + frame[-2:])
        assert alice.wait_for_type("refused")["reason"] == "too_long"

    def test_a_client_that_vanishes_in_the_middle_of_a_frame(self, server: Server, place: Place, bob: Client) -> None:
        for _ in range(20):
            raw = Raw(server, place.alice)
            raw.send_frame(0x81, b'{"type":"post","room":"lobby","te', length=5000)
            raw.close()
        client_id = fresh("unaffected")
        bob.post(client_id)
        bob.wait_for_message(client_id)

    def test_too_many_refused_frames_close_the_connection(self, server: Server, place: Place) -> None:
        client = server.connect(place.alice)
        with contextlib.suppress(ConnectionClosed):
            for _ in range(150):
                client.say("zzz")
        assert client.close_code() == 1008


def send_badly(raw: Raw, what: str) -> None:
    frame = b'{"type":"post","room":"lobby","text":"hi"}'
    if what == "unmasked":
        raw.send_frame(0x81, frame, is_masked=False)
    elif what == "reserved bits":
        raw.send_frame(0xF1, frame)
    elif what == "unknown opcode":
        raw.send_frame(0x83, frame)
    elif what == "truncated utf-8":
        raw.send_frame(0x81, b'{"type":"post","room":"lobby","text":"\xe2\x82"}')
    elif what == "a surrogate in utf-8":
        raw.send_frame(0x81, b'{"type":"post","room":"lobby","text":"\xed\xa0\x80"}')
    elif what == "a long ping":
        raw.send_frame(0x89, b"x" * 126)
    elif what == "a fragmented ping":
        raw.send_frame(0x09, b"x")
    elif what == "a continuation of nothing":
        raw.send_frame(0x80, frame)
    elif what == "too large":
        raw.send_frame(0x81, b"x" * 65_537)
    elif what == "said to be 150 MB":
        raw.send_frame(0x81, b"x" * 100, length=150_000_000)
    elif what == "too large in fragments":
        raw.send_frame(0x01, b"x" * 30_000)
        raw.send_frame(0x00, b"x" * 30_000)
        raw.send_frame(0x00, b"x" * 30_000)


class TestTheEnd:
    def test_s04_a_session_that_ends_closes_its_connections_within_two_seconds(
        self, server: Server, place: Place
    ) -> None:
        client = server.connect(place.carol)
        client.wait_for_type("caught_up")
        end_sessions(place, place.carol)
        # It is a matter of one tick of a second, see unit/live/test_session_check.py.
        assert client.close_code() == 4401
        with pytest.raises(InvalidStatus) as refusal:
            server.connect(place.carol)
        assert refusal.value.response.status_code == 401

    def test_connections_that_the_console_ends_close_with_the_reason(self, server: Server, place: Place) -> None:
        """M03: whether the notice or the end of the session arrives first."""
        tokens = make_tokens(place.uri, place.name, "spammer", "leaver", "forgetful")
        clients = [server.connect(token) for token in tokens]
        for client in clients:
            client.wait_for_type("caught_up")
        with open_services(place) as services:
            banned, deleted, forgetful = (services.moderation.moderation.get(user_id(place, token)) for token in tokens)
            services.moderation.moderation.ban(None, banned, utc_now() + timedelta(days=7), "Advertising.")
            services.erasure.account_deletion.begin(None, deleted, "", is_erased=False)
            services.people.accounts.set_password(forgetful, "a quiet evening")
        assert [client.close_code() for client in clients] == [4403, 4403, 4401]
        reasons = [client.socket.close_reason or "" for client in clients]
        assert "Advertising." in reasons[0]
        assert reasons[1:] == ["This account was deleted.", "the session ended"]

    def test_f08_a_stop_notifies_all_clients_and_loses_nothing(self, place: Place) -> None:
        server = place.start()
        client = server.connect(place.bob)
        client.wait_for_type("caught_up")
        ids = [fresh("stop") for _ in range(50)]
        for client_id in ids:
            client.post(client_id)
        client.wait_for_type("stored", client_id=ids[0])
        assert server.terminate() == 0
        assert client.close_code() == 1012
        stored = [frame["client_id"] for frame in client.frames if frame["type"] == "stored"]
        assert set(stored) <= set(stored_ids(place))
        assert server.errors() == []

    def test_f06_drafts_sent_again_after_a_killed_server(self, place: Place) -> None:
        """Sends are cut off in the middle; the same drafts go to the next server, and each is stored once."""
        ids = [fresh("killed") for _ in range(600)]
        acknowledged: dict[str, int] = {}
        for answers in (1, 60, 240):
            server = place.start()
            client = server.connect(place.bob)
            sender = threading.Thread(target=post_until_cut_off, args=[client, ids])
            sender.start()
            for _ in range(answers):
                note_stored(client, acknowledged)
            server.kill()
            with contextlib.suppress(ConnectionClosed, OSError):
                while True:
                    note_stored(client, acknowledged)
            sender.join()
        server = place.start()
        client = server.connect(place.bob, "room=lobby&after=0")
        for client_id in ids:
            client.post(client_id)
        while len(acknowledged) < len(ids):
            note_stored(client, acknowledged)
        stored = [each for each in stored_ids(place) if each.startswith("killed")]
        assert sorted(stored) == sorted(ids)
        client.wait_for_messages(ids)
        assert sorted(each for each in client.seen() if each.startswith("killed")) == sorted(ids)
        client.close()


class TestSoak:
    """O08 in seconds; the hour is `python -m bench.soak`."""

    @pytest.mark.parametrize("count", [3000, pytest.param(12_000, marks=pytest.mark.long)])
    def test_o08_talk_leaves_nothing_behind(self, place: Place, count: int) -> None:
        server = place.start(TAIL_MESSAGES="200")
        server.wait_until_settled()
        held = []
        with contextlib.ExitStack() as stack:
            people = [stack.enter_context(contextlib.closing(server.connect(place.bob))) for _ in range(8)]
            for person in people:
                person.wait_for_type("caught_up")
            ids = [f"talk{count}-{n}" for n in range(count)]
            for start in range(0, len(ids), 50):
                if start == count // 3 // 50 * 50:  # everything is loaded, and the tail is full
                    held.append((server.memory(), server.threads(), server.files()))
                for number, client_id in enumerate(ids[start : start + 50]):
                    people[number % len(people)].post(client_id)
                for person in people:
                    person.wait_for_message(ids[start + 49])
            held.append((server.memory(), server.threads(), server.files()))
            for person in people:
                person.wait_for_messages(ids)
                seen = [each for each in person.seen() if each.startswith("talk")]
                assert sorted(seen) == sorted(ids)
            assert people[0].seen() == people[-1].seen()
        (warm, threads, files), (after, threads_after, files_after) = held
        assert after - warm < 4 * 1024 * 1024, held
        assert threads_after <= threads + STORE_THREADS, held  # each begins when it is needed first
        assert files_after <= files + STORE_THREADS, held  # connections to the database, of which each thread has one
        assert server.errors() == []


def post_until_cut_off(client: Client, ids: list[str]) -> None:
    with contextlib.suppress(ConnectionClosed, OSError):
        for client_id in ids:
            client.post(client_id)


def note_stored(client: Client, acknowledged: dict[str, int]) -> None:
    """Read one answer; an acknowledged draft never changes its place."""
    frame = client.wait_for_type("stored")
    assert acknowledged.setdefault(frame["client_id"], frame["sequence"]) == frame["sequence"]


class TestSilence:
    """W02, L05: a client that does not answer, or does not read."""

    def test_w02_a_client_without_pongs_is_disconnected_soon(self, place: Place, impatient_server: Server) -> None:
        with contextlib.closing(Raw(impatient_server, place.dora)) as raw:
            assert raw.close_code() in {1011, None}
        wait_until_absent(place, place.dora)

    def test_l05_a_reader_that_stalls_costs_nothing_and_misses_nothing(self, place: Place) -> None:
        """Of 1.2 MB, the room's tail keeps its share, and each reader has a frame on its way: not all of it each."""
        server = place.start(ping_seconds=600, MAX_CONNECTIONS_PER_USER="0")
        server.wait_until_settled()
        with contextlib.closing(server.connect(place.bob)) as bob:
            bob.wait_for_type("caught_up")
            stalled = [Raw(server, place.alice, receive_buffer=4096) for _ in range(25)]
            for reader in stalled:
                reader.wait_for_type("caught_up")
            warm = fresh("warm")
            bob.post(warm, LONG_TEXT)
            bob.wait_for_message(warm)
            before = server.memory()
            ids = [fresh("flood") for _ in range(300)]
            for start in range(0, len(ids), 50):
                for client_id in ids[start : start + 50]:
                    bob.post(client_id, LONG_TEXT)
                bob.wait_for_message(ids[start + 49])  # though the others read nothing
            grown = server.memory() - before
            assert grown < 18 * 1024 * 1024, grown
            for reader in stalled:
                reader.read_much_at_once()
                assert read_until(reader, ids[-1])[-len(ids) :] == ids
                reader.close()
            assert server.errors() == []

    def test_l05_a_reader_that_stalls_for_ever_is_disconnected(
        self, place: Place, bob: Client, server: Server, impatient_server: Server
    ) -> None:
        with open_services(place) as services:
            drafts = [rendered(fresh("fill"), LONG_TEXT, BOB) for _ in range(200)]
            services.messages.store.append("lobby", drafts)
        # It is sent more than fits between the two at once, and reads nothing.
        with contextlib.closing(Raw(impatient_server, place.erin, "room=lobby&after=0", receive_buffer=4096)) as raw:
            wait_until(lambda: not impatient_server.is_connected_with(raw.socket))
        wait_until_absent(place, place.erin)
        bob.wait_for_message(drafts[-1].draft.client_id)
        assert server.is_connected_with(bob.socket.socket)  # who reads, and answers


LONG_TEXT = "many words " * 355


def read_until(raw: Raw, client_id: str) -> list[str]:
    seen: list[str] = []
    for opcode, payload in raw.read_frames():
        if opcode == 1:
            seen += [m["client_id"] for m in json.loads(payload).get("messages", [])]
        if client_id in seen:
            return seen
    raise AssertionError("the connection ended")


def stored_ids(place: Place) -> list[str]:
    with open_services(place) as services:
        messages = services.messages.store.changed_after("lobby", 0, 100_000)
    return [message.client_id for message in messages]


@contextlib.contextmanager
def open_services(place: Place) -> Iterator[Services]:
    services = Services(settings_of(place.uri, place.name))
    services.open()
    try:
        yield services
    finally:
        services.close()


def wait_until_absent(place: Place, token: str) -> None:
    """Wait until no process says any more that somebody is in a room."""
    user = user_id(place, token)
    with open_services(place) as services:
        wait_until(lambda: services.database["presences"].find_one({"user.id": user}) is None)


def user_id(place: Place, token: str) -> str:
    with open_services(place) as services:
        found = services.people.sessions.find_valid(token)
        assert found is not None
        return found[1].id


def end_sessions(place: Place, token: str) -> None:
    user = user_id(place, token)
    with open_services(place) as services:
        services.people.sessions.end_all(user)
