"""A real server, attacked: frames against every rule, floods, readers that stall, connections that say nothing."""

import itertools
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from chatroom.live.connection import MAX_STRIKES
from chatroom.live.engine import STORE_THREADS
from chatroom.mongo.embedded import EmbeddedMongo
from tests.security.server import (
    BINARY,
    COMPRESSED,
    PING,
    PONG,
    PROMPT_SECONDS,
    TEXT,
    UNLIMITED,
    Raw,
    Server,
    deflate,
    masked,
    serving,
)
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

FLOOD = 1500
STALLED = 40
"""As many as there are threads."""
DEFLATE = "permessage-deflate; client_max_window_bits"  # as Chromium offers it


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(mongod, tmp_path_factory.mktemp("server"), **UNLIMITED) as server:
        server.settle()
        yield server


def wait_until_gone(server: Server, name: str) -> None:
    """Wait until somebody's connections are over, and with them what they log."""
    wait_until(lambda: name not in server.people_here(), f"{name} is still there")


AGAINST_THE_RULES: dict[str, tuple[bytes, int]] = {
    "not masked": (b"\x81\x02{}", 1002),
    "a reserved bit, as of compression": (masked(TEXT, b"{}", reserved=0x40), 1002),
    "an unknown kind": (masked(3, b"{}"), 1002),
    "half a character": (masked(TEXT, b'{"type":"\xe2\x82'), 1007),
    "half a surrogate pair": (masked(TEXT, b'"\xed\xa0\x80"'), 1007),
    "binary": (masked(BINARY, b"{}"), 1003),
    "a long ping": (masked(PING, bytes(126)), 1002),
    "a ping in parts": (masked(PING, b"", last=False), 1002),
    "a part of nothing": (masked(0, b"{}"), 1002),
    "a part within another": (masked(TEXT, b"{", last=False) + masked(TEXT, b"}"), 1002),
    "a close code that nobody may use": (masked(8, b"\x03\xed"), 1002),
    "one byte too many": (masked(TEXT, b" " * 65_537), 1009),
    "150 MB announced": (masked(TEXT, b"", says=150_000_000), 1009),
    "more than there are bytes": (masked(TEXT, b"", says=2**63 - 1), 1009),
    "more than a number may be": (masked(TEXT, b"", says=2**64 - 1), 1009),
}


@pytest.mark.parametrize("rule", AGAINST_THE_RULES)
def test_a_frame_against_the_rules_closes_its_connection_and_no_other(server: Server, rule: str) -> None:
    """W04, L02: for that and for nothing else, as its code of RFC 6455 says; and who sent it is no longer there."""
    frame, code = AGAINST_THE_RULES[rule]
    said_before = len(server.log.read_text())
    with Raw(server, server.token("alice")) as other, Raw(server, server.token("mallory")) as attacker:
        wait_until(lambda: "Mallory" in server.people_here())
        attacker.send(frame)
        answered = attacker.close_code()
        other.say(type="post", room="lobby", client_id=f"after-{hash(rule)}", text="I am still here")
        other.receive_until("stored")
        wait_until_gone(server, "Mallory")
    assert answered == code
    assert "Traceback" not in server.log.read_text()[said_before:]


def test_parts_without_end_are_cut_off(server: Server) -> None:
    """L02: a message in parts is bounded as one in one part, and costs no memory."""
    with Raw(server, server.token("mallory")) as attacker, server.sparing(10):
        attacker.send(masked(TEXT, b" " * 1000, last=False))
        with suppress(ConnectionError):
            for _ in range(20_000):
                attacker.send(masked(0, b" " * 1000, last=False))
        assert attacker.close_code() in {1009, 0}


def test_compression_that_suits_everybody_is_agreed_to_and_no_other(server: Server) -> None:
    """W10: no message refers to another, so that a connection costs no memory for it."""
    with Raw(server, server.token("alice"), offers=DEFLATE) as client:
        agreed = "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        assert f"{agreed}\r\n" in client.headers
    for offer in ("", "permessage-deflate; server_max_window_bits=10", "x-webkit-deflate-frame"):
        with Raw(server, server.token("alice"), offers=offer) as client:
            assert client.status == 101
            assert "sec-websocket-extensions" not in client.headers


def test_compressed_frames_have_the_same_content(server: Server) -> None:
    """W10: both ways, short and long; who did not ask for it is sent it as it is."""
    long = "the same again, " * 100 + "and done"
    with Raw(server, server.token("alice")) as plain, Raw(server, server.token("bob"), offers=DEFLATE) as client:
        for reader in (plain, client):
            reader.receive_until("caught_up")
        for text in ("short", long):
            post = {"type": "post", "room": "lobby", "text": text}
            client.send(masked(TEXT, deflate(json.dumps(post).encode()), reserved=COMPRESSED))
            for reader in (plain, client):
                assert reader.receive_until("changes")["messages"][0]["text"] == text


BOMBS = {
    "20 MB in 20 kB": (lambda: deflate(b" " * 20_000_000), 1009),
    "one byte too many": (lambda: deflate(b" " * 65_537), 1009),
    "nothing that was compressed": (lambda: b"\xff" * 40, 1002),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_compressed_bomb_does_not_go_off(server: Server, bomb: str) -> None:
    """W10: opened as far as a frame may be long, and no further."""
    make, code = BOMBS[bomb]
    sent = masked(TEXT, make(), reserved=COMPRESSED)
    with Raw(server, server.token("mallory"), offers=DEFLATE) as attacker, server.sparing(10):
        attacker.send(sent)
        assert attacker.close_code() == code


def test_every_refusal_is_logged_without_message_texts(server: Server) -> None:
    """W10, O06: no text, no token, no password, no hash."""
    carol, token = server.user("carol"), server.token("carol")
    secret_text = "a-sentence-that-is-nobodys-business"
    said_before = len(server.log.read_text())
    with Raw(server, token) as client:
        client.say(type="post", room="lobby", client_id="o06", text=secret_text)
        client.receive_until("stored")
        client.say(type="edit", room="lobby", id="0" * 24, text=secret_text)
        client.receive_until("refused")
        with suppress(ConnectionError):  # it may be closed before the last
            for _ in range(MAX_STRIKES):
                client.send(masked(TEXT, b'{"type": "post", "text": "' + secret_text.encode() + b'", "x": 1}'))
        assert client.close_code() == 1008
    wait_until_gone(server, "Carol")
    said = server.log.read_text()
    assert re.search(rf"too many refused frames.*{carol.id}", said[said_before:])
    for secret in (token, token[-20:], secret_text, PASSWORD, carol.password_hash, "$2b$", "mongodb://chatroom:"):
        assert secret not in said


def test_a_flood_of_nonsense_is_cut_off(server: Server) -> None:
    """W04: a hundred frames that are refused, one after another, and the connection ends."""
    said_before = len(server.log.read_text())
    with Raw(server, server.token("mallory")) as attacker, server.sparing(20):
        with suppress(ConnectionError):
            for _ in range(5000):
                attacker.send(masked(TEXT, b"[" * 10_000))
        assert attacker.close_code() in {1008, 0}
    wait_until_gone(server, "Mallory")
    assert "Traceback" not in server.log.read_text()[said_before:]


@pytest.mark.parametrize(
    "frame", ['{"type":"typing","room":"lobby"}', '{"type":"read","room":"lobby","sequence":1}', "{"]
)
def test_a_flood_of_frames_delays_nobody(server: Server, frame: str) -> None:
    """L11: what is already at the socket was taken in one turn of the loop, and everybody else waited for ever."""
    frames = masked(TEXT, frame.encode()) * 500
    with ExitStack() as stack:
        for _ in range(5):
            # The same one in each test, and nobody else's: who has sent so much is not listened to for a while.
            attacker = stack.enter_context(Raw(server, server.token("flooder")))
            stack.enter_context(pouring(attacker, frames))
        with Raw(server, server.token("alice")) as other:
            for n in range(3):
                began = time.monotonic()
                other.say(type="post", room="lobby", client_id=f"l11-{hash(frame)}-{n}", text="hello")
                other.receive_until("stored")
                assert time.monotonic() - began < PROMPT_SECONDS


@contextmanager
def pouring(attacker: Raw, frames: bytes) -> Iterator[None]:
    """Send these frames again and again, as fast as they are taken; first many more than are taken in one turn."""
    is_over = threading.Event()
    is_on_its_way = threading.Event()

    def pour() -> None:
        with suppress(OSError):
            for count in itertools.count():
                if is_over.is_set():
                    break
                attacker.send(frames)
                if count == 20:
                    is_on_its_way.set()
        is_on_its_way.set()  # the server has hung up on it

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    assert is_on_its_way.wait(PATIENCE_SECONDS)
    try:
        yield
    finally:
        is_over.set()
        with suppress(OSError):
            attacker._socket.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_SECONDS)


def test_incomplete_requests_delay_nobody(server: Server) -> None:
    """L04: fifty of each kind, and a page still comes, long before any of them is given up."""
    halves = [
        b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 1000\r\n\r\nusername=",
        b"GET /live?room=lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    ]
    with ExitStack() as stack:
        for number in range(150):
            address = ("127.0.0.1", server.port)
            connection = stack.enter_context(socket.create_connection(address, timeout=PATIENCE_SECONDS))
            connection.sendall(halves[number % 3])
        for _ in range(3):
            status, seconds = server.get()  # which comes after them
            assert (status, seconds < PROMPT_SECONDS) == (200, True)
        with Raw(server, server.token("alice")) as client:
            client.say(type="post", room="lobby", client_id="l04", text="hello")
            client.receive_until("stored")


def test_a_connection_without_pongs_is_closed_and_leaves_no_presence(server: Server) -> None:
    """W02: after the ping's interval and its time-out at the latest."""
    with Raw(server, server.token("mallory")) as silent:
        wait_until(lambda: "Mallory" in server.people_here())
        silent.ask_for_impatience()
        # It reads, and answers no ping.
        assert silent.close_code() == 1011
        wait_until_gone(server, "Mallory")


def test_stalled_readers_have_no_queue(server: Server) -> None:
    """L05, L06: as many as there are threads; memory stays, pages come, those who read get everything."""
    flood(server, "warm")  # the room's tail is full, and the heap has its size
    wait_until(lambda: not server.connections)
    before = server.memory
    with ExitStack() as stack:
        stall(server, stack)
        with asking_for_pages(server) as slowest:
            flood(server, "first")
            # Looked at now: on a busy machine the others take so long that who does not answer pings is disconnected.
            wait_until(lambda: server.stalled == STALLED, "they do not stall")
            flood(server, "second")
            flood(server, "third")
        assert max(slowest) < PROMPT_SECONDS
        # A queue for each would hold 540 MB now. The heap of a server that is busy for the first time grows by some
        # 35 MB, with or without them.
        assert server.memory - before < 100


@contextmanager
def asking_for_pages(server: Server) -> Iterator[list[float]]:
    """Ask for a page ten times a second, until the end; how long each took."""
    is_over = threading.Event()
    seconds: list[float] = []

    def ask() -> None:
        while not seconds or not is_over.wait(0.1):
            seconds.append(server.get()[1])

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield seconds
        finally:
            is_over.set()
            asking.result()


def test_readers_that_stall_are_disconnected(server: Server) -> None:
    """L05, L06: and on their return the gap is filled; nobody is there who does not answer."""
    with Raw(server, server.token("alice")) as last:
        cursor = last.receive_until("caught_up")["revision"]
    flood(server, "missed")
    wait_until(lambda: not server.connections)
    threads = server.threads
    with ExitStack() as stack:
        stalled = stall(server, stack, f"room=lobby&after={cursor}")
        wait_until(lambda: server.stalled == STALLED, "they do not stall")
        wait_until(lambda: {f"Stalled{n}" for n in range(STALLED)} <= server.people_here())
        for each in stalled:
            each.ask_for_impatience()
        wait_until(lambda: not server.connections, "they are not disconnected")
        wait_until(lambda: not any(name.startswith("Stalled") for name in server.people_here()))
        assert server.threads <= threads + STORE_THREADS  # not all of them were needed before
        got: list[str] = []
        with Raw(server, server.token("stalled0"), query=f"room=lobby&after={cursor}") as back:
            collect(back, FLOOD, got)
        assert got == [f"missed-{n}" for n in range(FLOOD)]


def stall(server: Server, stack: ExitStack, query: str = "room=lobby") -> list[Raw]:
    """Readers that read nothing but the handshake."""
    tokens = [server.token(f"stalled{n}") for n in range(STALLED)]
    return [stack.enter_context(Raw(server, token, query=query, receive_buffer=4096)) for token in tokens]


def flood(server: Server, name: str) -> None:
    """Post 3 kB messages, faster than a stalled reader could bear; one who reads gets each of them in order."""
    ids = [f"{name}-{n}" for n in range(FLOOD)]
    with Raw(server, server.token("alice"), query="") as writer, Raw(server, server.token("bob")) as reader:
        reader.receive_until("caught_up")
        got: list[str] = []
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(collect, reader, FLOOD, got)
            for start in range(0, FLOOD, 500):  # with more without an answer, the server stops reading
                some = ids[start : start + 500]
                for client_id in some:
                    writer.say(type="post", room="lobby", client_id=client_id, text=client_id + "x" * 3000)
                for _ in some:
                    writer.receive_until("stored")
            reading.result()
        assert got == ids


def test_bodies_without_end_are_refused(server: Server) -> None:
    """L03: announced or not, without waiting for the end, and without keeping what has come."""
    for head in (b"Content-Length: 1000000\r\n", b"Transfer-Encoding: chunked\r\n"):
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection, server.sparing(10):
            connection.sendall(
                b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + head
                + b"\r\n"
            )
            with suppress(ConnectionError):
                for _ in range(10_000):
                    connection.sendall(b"fa0\r\n" + b"x" * 4000 + b"\r\n")
            answer = b""
            with suppress(ConnectionError):
                answer = connection.recv(100)
            assert answer[:12] in {b"HTTP/1.1 413", b""}, answer


def collect(reader: Raw, count: int, got: list[str]) -> None:
    """Read a room's messages until there are so many, answering pings."""
    while len(got) < count:
        opcode, payload = reader.receive()
        assert opcode in {TEXT, PING}, (opcode, payload)
        if opcode == PING:
            reader.send(masked(PONG, payload))
        elif (frame := json.loads(payload))["type"] == "changes":
            got.extend(message["client_id"] for message in frame["messages"])


def test_a_thousand_that_come_and_go_leave_nothing(server: Server) -> None:
    """L09: threads, files and memory are back where they were; half of them hang up without a word."""
    token = server.token("alice")

    def come_and_go(number: int) -> None:
        with Raw(server, token) as client:
            assert client.status == 101
            if number % 2:
                client.send(masked(8, b"\x03\xe8"))
                client.close_code()

    def storm(count: int) -> None:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(come_and_go, range(count)))
        wait_until(lambda: not server.connections, "some are still open")
        wait_until_gone(server, "Alice")

    storm(300)  # now everything is there that is kept for the next ones
    threads, files, memory = server.threads, server.files, server.memory
    storm(1000)
    # A few threads, and connections to the database, may not have been needed before.
    assert server.threads <= threads + STORE_THREADS
    assert server.files <= files + 2 * STORE_THREADS
    assert server.memory < memory * 1.1


def test_idle_connections_are_bounded_and_pages_come(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    """L07: by user, by address and in all; beyond it 503, and people without a session hold none."""
    limits = {"MAX_CONNECTIONS": "60", "MAX_CONNECTIONS_PER_ADDRESS": "50", "MAX_CONNECTIONS_PER_USER": "5"}
    with serving(mongod, tmp_path, **limits) as server, ExitStack() as stack:
        token, *others = [server.token(name) for name in ("alice", *(f"user{n}" for n in range(50)))]
        statuses = [stack.enter_context(Raw(server, token)).status for _ in range(7)]
        assert statuses == [101] * 5 + [503] * 2
        statuses = [stack.enter_context(Raw(server, other)).status for other in others]
        assert statuses == [101] * 45 + [503] * 5
        status, seconds = server.get()
        assert (status, seconds < PROMPT_SECONDS) == (200, True)
        assert stack.enter_context(Raw(server, "chatroom_nobody")).status == 503


def test_any_process_serves_anybody(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    """W07: two processes on one port, no stickiness: what one stores, everybody at either gets, once."""
    with serving(mongod, tmp_path, WEB_CONCURRENCY="2", **UNLIMITED) as server, ExitStack() as stack:
        token = server.token("alice")
        readers = [stack.enter_context(Raw(server, token)) for _ in range(8)]
        for reader in readers:
            reader.receive_until("caught_up")
        for n, reader in enumerate(readers):
            reader.say(type="post", room="lobby", client_id=f"w07-{n}", text=str(n))
        expected = {f"w07-{n}" for n in range(8)}
        orders = []
        for reader in readers:
            got: list[str] = []
            collect(reader, 8, got)
            orders.append(got)
        assert set(orders[0]) == expected
        assert all(order == orders[0] for order in orders)
        for _ in range(6):
            assert server.get("/api/rooms/lobby/messages", Authorization=f"Bearer {token}")[0] == 200
