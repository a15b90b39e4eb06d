"""A real server, attacked: frames against every rule, floods, readers that stall, connections that say nothing."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from chatroom.embedded import EmbeddedMongo
from chatroom.live.engine import STORE_THREADS
from tests.security.server import (
    BINARY,
    COMPRESSED,
    PING,
    TEXT,
    UNLIMITED,
    Raw,
    Server,
    deflate,
    masked,
    serving,
    wait_until,
)
from tests.visitors import PASSWORD

pytestmark = pytest.mark.integration

FLOOD = 1500
DEFLATE = "permessage-deflate; client_max_window_bits"  # as Chromium offers it


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(mongod, tmp_path_factory.mktemp("server"), **UNLIMITED) as server:
        yield server


@pytest.fixture(scope="module")
def brisk(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that gives up on silent clients after two seconds instead of forty."""
    with serving(mongod, tmp_path_factory.mktemp("brisk"), ping_seconds=1, **UNLIMITED) as server:
        yield server


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
    """W04, L02: within a second, with the code of RFC 6455; and who sent it is no longer there."""
    frame, code = AGAINST_THE_RULES[rule]
    said_before = len(server.log.read_text())
    with Raw(server, server.token("alice")) as other, Raw(server, server.token("mallory")) as attacker:
        wait_until(lambda: "Mallory" in server.people_here())
        began = time.monotonic()
        attacker.send(frame)
        answered = attacker.close_code()
        assert time.monotonic() - began < 1
        other.say(type="post", room="lobby", client_id=f"after-{hash(rule)}", text="I am still here")
        other.receive_until("stored")
        wait_until(lambda: "Mallory" not in server.people_here())
    assert answered == code
    assert "Traceback" not in server.log.read_text()[said_before:]


def test_parts_without_end_are_cut_off(server: Server) -> None:
    """L02: a message in parts is bounded as one in one part, and costs no memory."""
    with Raw(server, server.token("mallory")) as attacker:
        before = server.memory
        attacker.send(masked(TEXT, b" " * 1000, last=False))
        with suppress(ConnectionError):
            for _ in range(20_000):
                attacker.send(masked(0, b" " * 1000, last=False))
        assert attacker.close_code() in {1009, 0}
    assert server.memory - before < 5


def test_compression_that_suits_everybody_is_agreed_to_and_no_other(server: Server) -> None:
    """W10: no message refers to another, so that a connection costs no memory for it."""
    with Raw(server, server.token("alice"), offers=DEFLATE) as client:
        agreed = "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        assert f"{agreed}\r\n" in client.headers
    for offer in ("", "permessage-deflate; server_max_window_bits=10", "x-webkit-deflate-frame"):
        with Raw(server, server.token("alice"), offers=offer) as client:
            assert client.status == 101
            assert "sec-websocket-extensions" not in client.headers


def test_what_is_compressed_says_the_same(server: Server) -> None:
    """W10: both ways, short and long; who did not ask for it is sent it as it is."""
    long = "the same again, " * 100 + "and done"
    with Raw(server, server.token("alice")) as plain, Raw(server, server.token("bob"), offers=DEFLATE) as client:
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
    with Raw(server, server.token("mallory"), offers=DEFLATE) as attacker:
        before = server.memory
        attacker.send(masked(TEXT, make(), reserved=COMPRESSED))
        assert attacker.close_code() == code
    assert server.memory - before < 5


def test_every_refusal_is_in_the_log_and_nothing_that_was_said(server: Server) -> None:
    """W10, O06: no text, no token, no password, no hash."""
    token = server.token("alice")
    secret_text = "a-sentence-that-is-nobodys-business"
    with Raw(server, token) as client:
        client.say(type="post", room="lobby", client_id="o06", text=secret_text)
        client.receive_until("stored")
        client.say(type="edit", room="lobby", id="0" * 24, text=secret_text)
        client.receive_until("refused")
        client.send(masked(TEXT, b'{"type": "post", "text": "' + secret_text.encode() + b'", "x": 1}'))
        client.receive_until("refused")
    said = server.log.read_text()
    user_hash = server.user("alice").password_hash
    for secret in (token, token[-20:], secret_text, PASSWORD, user_hash, "$2b$", "mongodb://chatroom:"):
        assert secret not in said


def test_a_flood_of_nonsense_is_cut_off(server: Server) -> None:
    """W04: a hundred frames that are refused, one after another, and the connection ends."""
    with Raw(server, server.token("mallory")) as attacker:
        before = server.memory
        with suppress(ConnectionError):
            for _ in range(5000):
                attacker.send(masked(TEXT, b"[" * 10_000))
        assert attacker.close_code() in {1008, 0}
    assert server.memory - before < 5
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    "frame", ['{"type":"typing","room":"lobby"}', '{"type":"read","room":"lobby","sequence":1}', "{"]
)
def test_a_flood_of_frames_keeps_nobody_waiting(server: Server, frame: str) -> None:
    """L11: what is already at the socket was taken in one turn of the loop, and everybody else waited for ever."""
    frames = masked(TEXT, frame.encode()) * 500
    with ExitStack() as stack:
        for _ in range(5):
            attacker = stack.enter_context(Raw(server, server.token("mallory")))
            stack.enter_context(pouring(attacker, frames))
        with Raw(server, server.token("alice")) as other:
            for n in range(3):
                began = time.monotonic()
                other.say(type="post", room="lobby", client_id=f"l11-{hash(frame)}-{n}", text="hello")
                other.receive_until("stored")
                assert time.monotonic() - began < 3


@contextmanager
def pouring(attacker: Raw, frames: bytes) -> Iterator[None]:
    """Send these frames again and again, as fast as they are taken."""
    is_over = threading.Event()

    def pour() -> None:
        with suppress(OSError):
            while not is_over.is_set():
                attacker.send(frames)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        is_over.set()
        with suppress(OSError):
            attacker._socket.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_half_sent_requests_hold_nobody_up(server: Server) -> None:
    """L04: fifty of each kind, and a page still comes within a second."""
    halves = [
        b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 1000\r\n\r\nusername=",
        b"GET /live?room=lobby HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    ]
    server.get()
    with ExitStack() as stack:
        for number in range(150):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            connection.sendall(halves[number % 3])
        time.sleep(0.3)
        for _ in range(3):
            status, seconds = server.get()
            assert (status, seconds < 1) == (200, True)
        with Raw(server, server.token("alice")) as client:
            client.say(type="post", room="lobby", client_id="l04", text="hello")
            client.receive_until("stored")


def test_a_connection_that_never_answers_is_closed_and_nobody_is_there(brisk: Server) -> None:
    """W02: after the ping's interval and its time-out at the latest."""
    with Raw(brisk, brisk.token("mallory")) as silent:
        wait_until(lambda: "Mallory" in brisk.people_here())
        # It reads, and answers no ping.
        began = time.monotonic()
        assert silent.close_code() in {1011, 0}
        assert time.monotonic() - began < 5
        wait_until(lambda: "Mallory" not in brisk.people_here(), 5)


def test_readers_that_stall_hold_no_queue(server: Server) -> None:
    """L05, L06: as many as there are threads; memory stays, pages come, those who read get everything."""
    flood(server, "warm")  # the room's tail is full, and the heap has its size
    before = server.memory
    with ExitStack() as stack:
        for n in range(40):
            stack.enter_context(Raw(server, server.token(f"stalled{n}"), receive_buffer=4096))
        with ThreadPoolExecutor(1) as pages:
            slowest = pages.submit(lambda: max(server.get()[1] for _ in range(10)))
            for name in ("first", "second", "third"):
                flood(server, name)
            assert slowest.result() < 1
        # A queue for each would hold 540 MB now. The heap of a server that is busy for the first time grows by some
        # 35 MB, with or without them.
        assert server.memory - before < 60


def test_readers_that_stall_are_let_go(brisk: Server) -> None:
    """L05, L06: and on their return the gap is filled; nobody is there who does not answer."""
    flood(brisk, "warm")
    threads = brisk.threads
    with ExitStack() as stack:
        for n in range(40):
            stack.enter_context(Raw(brisk, brisk.token(f"stalled{n}"), receive_buffer=4096))
        flood(brisk, "first")
        wait_until(lambda: not any(name.startswith("Stalled") for name in brisk.people_here()), 15)
        assert brisk.threads <= threads + STORE_THREADS  # not all of them were needed before
        got: list[str] = []
        with Raw(brisk, brisk.token("stalled0"), query="room=lobby&after=0") as back:
            collect(back, 2 * FLOOD, got)
        assert got == [f"{name}-{n}" for name in ("warm", "first") for n in range(FLOOD)]


def flood(server: Server, name: str) -> None:
    """Post 3 kB messages, faster than a stalled reader could bear; one who reads gets each of them in order."""
    ids = [f"{name}-{n}" for n in range(FLOOD)]
    with Raw(server, server.token("alice")) as writer, Raw(server, server.token("bob")) as reader:
        writer.receive_until("caught_up")
        reader.receive_until("caught_up")
        got: list[str] = []
        thread = threading.Thread(target=collect, args=(reader, FLOOD, got))
        thread.start()
        for client_id in ids:
            writer.say(type="post", room="lobby", client_id=client_id, text=client_id + "x" * 3000)
        for _ in ids:
            writer.receive_until("stored")
        thread.join(20)
        assert got == ids


def test_bodies_without_end_are_refused(server: Server) -> None:
    """L03: announced or not, within a second."""
    for head in (b"Content-Length: 1000000\r\n", b"Transfer-Encoding: chunked\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.settimeout(5)
            began, before = time.monotonic(), server.memory
            connection.sendall(
                b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                + head
                + b"\r\n"
            )
            with suppress(ConnectionError):
                for _ in range(400):
                    connection.sendall(b"fa0\r\n" + b"x" * 4000 + b"\r\n")
            answer = b""
            with suppress(ConnectionError):
                answer = connection.recv(100)
            assert answer[:12] in {b"HTTP/1.1 413", b""}, answer
            assert time.monotonic() - began < 1
            assert server.memory - before < 5


def collect(reader: Raw, count: int, got: list[str]) -> None:
    """Read a room's messages until there are so many, answering pings."""
    while len(got) < count:
        opcode, payload = reader.receive()
        assert opcode in {TEXT, PING}, (opcode, payload)
        if opcode == PING:
            reader.send(masked(10, payload))
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

    def storm() -> None:
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(come_and_go, range(1000)))

    storm()
    wait_until(lambda: "Alice" not in server.people_here(), 10)
    threads, files, memory = server.threads, server.files, server.memory
    storm()
    wait_until(lambda: server.files <= files + 3, 20)
    assert server.threads <= threads + 2
    assert server.memory < memory * 1.1


def test_idle_connections_are_bounded_and_pages_come(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    """L07: by user, by address and in all; beyond it 503, and people without a session hold none."""
    limits = {"MAX_CONNECTIONS": "60", "MAX_CONNECTIONS_PER_ADDRESS": "50", "MAX_CONNECTIONS_PER_USER": "5"}
    with serving(mongod, tmp_path, **limits) as server, ExitStack() as stack:
        token = server.token("alice")
        statuses = [stack.enter_context(Raw(server, token)).status for _ in range(7)]
        assert statuses == [101] * 5 + [503] * 2
        others = [server.token(f"user{n}") for n in range(50)]
        statuses = [stack.enter_context(Raw(server, other)).status for other in others]
        assert statuses == [101] * 45 + [503] * 5
        status, seconds = server.get()
        assert (status, seconds < 1) == (200, True)
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
