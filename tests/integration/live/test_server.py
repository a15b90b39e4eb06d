"""The real server, a real mongod, and real websocket clients that behave badly."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatroom.config import Settings
from chatroom.embedded import EmbeddedMongo
from chatroom.live.engine import STORE_THREADS
from chatroom.services import Services
from tests.integration.live.servers import SECRET_KEY, Client, Raw, Server, make_tokens, new_name

pytestmark = pytest.mark.integration

Start = Callable[..., Server]


class Place:
    """A database with two people in it, and where its servers run."""

    def __init__(self, mongod: EmbeddedMongo, folder: Path) -> None:
        self.name = new_name()
        self.uri = mongod.uri_for(self.name)
        self.alice, self.bob, self.carol = make_tokens(self.uri, self.name, "alice", "bobby", "carol")
        self.folder = folder
        self.servers: list[Server] = []

    def start(self, **settings: Any) -> Server:
        log = self.folder / f"server-{len(self.servers)}.log"
        self.servers.append(Server(self.uri, self.name, log, **settings))
        return self.servers[-1]

    def stop(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.terminate()


@pytest.fixture(scope="module")
def place(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(mongod, tmp_path_factory.mktemp("servers"))
    yield place
    place.stop()


@pytest.fixture(scope="module")
def shared_server(place: Place) -> Server:
    return place.start()


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """The server that most tests share; whatever they do to it, it logs no error."""
    yield shared_server
    assert shared_server.process.poll() is None
    assert shared_server.errors() == []


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
    def test_w01_who_is_not_signed_in_is_refused(self, server: Server, headers: dict[str, str]) -> None:
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
    def test_w08_two_tabs_and_somebody_else(self, server: Server, place: Place, alice: Client, bob: Client) -> None:
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
    """W04, L02, I08: closed or refused within a second; the others notice nothing."""

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
    def test_w04_i08_refused_and_alive(self, alice: Client, frame: str) -> None:
        began = time.monotonic()
        alice.say(frame)
        assert alice.wait_for_type("refused")["reason"] == "invalid"
        assert time.monotonic() - began < 1
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
        before = server.memory()
        began = time.monotonic()
        send_badly(raw, what)
        assert raw.close_code() == code
        assert time.monotonic() - began < 1
        assert server.memory() - before < 5 * 1024 * 1024
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
        began = time.monotonic()
        assert client.close_code() == 4401
        assert time.monotonic() - began < 2.5
        with pytest.raises(InvalidStatus) as refusal:
            server.connect(place.carol)
        assert refusal.value.response.status_code == 401

    def test_f08_a_stop_tells_everybody_and_loses_nothing(self, place: Place) -> None:
        server = place.start()
        client = server.connect(place.bob)
        client.wait_for_type("caught_up")
        ids = [fresh("stop") for _ in range(50)]
        for client_id in ids:
            client.post(client_id)
        client.wait_for_type("stored", client_id=ids[0])
        began = time.monotonic()
        code = server.terminate()
        assert code == 0
        assert time.monotonic() - began < 10
        assert client.close_code() == 1012
        stored = [frame["client_id"] for frame in client.frames if frame["type"] == "stored"]
        assert set(stored) <= set(stored_ids(place))
        assert server.errors() == []

    def test_f06_a_killed_server_and_what_is_sent_again(self, place: Place) -> None:
        """Sends are cut off anywhere; the same drafts go to the next server, and each is stored once."""
        ids = [fresh("killed") for _ in range(600)]
        acknowledged: dict[str, int] = {}
        for attempt in range(3):
            server = place.start()
            client = server.connect(place.bob)
            killer = threading.Timer(0.05 + 0.1 * attempt, server.kill)
            killer.start()
            with contextlib.suppress(ConnectionClosed, OSError):
                for client_id in ids:
                    client.post(client_id)
                while True:
                    note_stored(client, acknowledged)
            killer.join()
        server = place.start()
        client = server.connect(place.bob, "room=lobby&after=0")
        for client_id in ids:
            client.post(client_id)
        while len(acknowledged) < len(ids):
            note_stored(client, acknowledged)
        stored = [each for each in stored_ids(place) if each.startswith("killed")]
        assert sorted(stored) == sorted(ids)
        if ids[-1] not in client.seen():
            client.wait_for_message(ids[-1])
        assert sorted(each for each in client.seen() if each.startswith("killed")) == sorted(ids)
        client.close()


class TestSoak:
    """O08 in seconds; the hour is `python -m bench.soak`."""

    @pytest.mark.slow
    def test_o08_talk_leaves_nothing_behind(self, place: Place) -> None:
        server = place.start(TAIL_MESSAGES="200")
        held = []
        with contextlib.ExitStack() as stack:
            people = [stack.enter_context(contextlib.closing(server.connect(place.bob))) for _ in range(8)]
            for person in people:
                person.wait_for_type("caught_up")
            ids = [f"talk-{n}" for n in range(12_000)]
            for start in range(0, len(ids), 50):
                if start == 4000:  # everything is loaded, and the tail is full
                    held.append((server.memory(), server.threads(), server.files()))
                for number, client_id in enumerate(ids[start : start + 50]):
                    people[number % len(people)].post(client_id)
                for person in people:
                    person.wait_for_message(ids[start + 49])
            held.append((server.memory(), server.threads(), server.files()))
            for person in people:
                seen = [each for each in person.seen() if each.startswith("talk")]
                assert sorted(seen) == sorted(ids)
            assert people[0].seen() == people[-1].seen()
        (warm, threads, files), (after, threads_after, files_after) = held
        assert after - warm < 4 * 1024 * 1024, held
        assert threads_after == threads, held
        assert files_after <= files + STORE_THREADS, held  # connections to the database, of which each thread has one
        assert server.errors() == []


def note_stored(client: Client, acknowledged: dict[str, int]) -> None:
    """Read one answer; an acknowledged draft never changes its place."""
    frame = client.wait_for_type("stored")
    assert acknowledged.setdefault(frame["client_id"], frame["sequence"]) == frame["sequence"]


class TestSilence:
    """W02, L05: a client that does not answer, or does not read."""

    def test_w02_who_answers_no_ping_is_gone_soon(self, place: Place) -> None:
        server = place.start(ping_seconds=0.5)
        with contextlib.closing(server.connect(place.bob)) as bob:
            raw = Raw(server, place.alice)
            bob.wait_for(lambda frame: frame["type"] == "presence" and "Alice" in json.dumps(frame))
            began = time.monotonic()
            bob.wait_for(lambda frame: frame["type"] == "presence" and frame.get("left"))
            assert time.monotonic() - began < 4
            assert raw.close_code() in {1011, None}
            raw.close()

    @pytest.mark.slow
    def test_l05_a_reader_that_stalls_costs_nothing_and_misses_nothing(self, place: Place) -> None:
        server = place.start()
        with contextlib.closing(server.connect(place.bob)) as bob:
            bob.wait_for_type("caught_up")
            stalled = [Raw(server, place.alice, "room=lobby", receive_buffer=4096) for _ in range(5)]
            text = "x" * 3900
            warm = fresh("warm")
            bob.post(warm, text)
            bob.wait_for_message(warm)
            before = server.memory()
            ids = [fresh("flood") for _ in range(600)]
            longest = 0.0
            for start in range(0, len(ids), 50):
                began = time.monotonic()
                for client_id in ids[start : start + 50]:
                    bob.post(client_id, text)
                bob.wait_for_message(ids[start + 49])
                longest = max(longest, time.monotonic() - began)
            grown = server.memory() - before
            assert longest < 3
            # The tail takes its 4 MB, and each of the five has one frame of half a MB on its way.
            assert grown < 16 * 1024 * 1024, grown
            for reader in stalled:
                assert read_until(reader, ids[-1])[-len(ids) :] == ids
                reader.close()
            assert server.errors() == []

    def test_l05_a_reader_that_stalls_for_good_is_cut_off(self, place: Place) -> None:
        server = place.start(ping_seconds=0.5)
        with contextlib.closing(server.connect(place.bob)) as bob:
            raw = Raw(server, place.alice, receive_buffer=4096)
            bob.wait_for(lambda frame: frame["type"] == "presence" and "Alice" in json.dumps(frame))
            for _ in range(200):
                bob.post(fresh("fill"), "x" * 3900)
            began = time.monotonic()
            bob.wait_for(lambda frame: frame["type"] == "presence" and bool(frame.get("left")), seconds=15)
            assert time.monotonic() - began < 15
            raw.close()


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
        messages = services.message_store.changed_after("lobby", 0, 100_000)
    return [message.client_id for message in messages]


@contextlib.contextmanager
def open_services(place: Place) -> Iterator[Services]:
    services = Services(Settings(mongo_uri=place.uri, mongo_db=place.name, secret_key=SECRET_KEY, bcrypt_rounds=4))
    services.open()
    try:
        yield services
    finally:
        services.close()


def end_sessions(place: Place, token: str) -> None:
    with open_services(place) as services:
        found = services.sessions.find_valid(token)
        assert found is not None
        services.sessions.end_all(found[1].id)
