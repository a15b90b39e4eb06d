"""A real server, and every way to make it hold bytes: what one client sends and does not take is bounded."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from chatroom.base.models import Author, Draft
from chatroom.mongo.embedded import EmbeddedMongo
from tests.messaging import append
from tests.security.server import PING, UNLIMITED, Raw, Server, masked, serving
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

MOST_MB = 45
"""What it may cost to send."""
STALLED = 200
STALLED_MB = 160
"""What readers that stall may cost: a person's share, and some 90 MB for forty threads that make pages at once."""
POURED_MB = 150
"""What is sent or asked for in each: without a bound, about as much is held."""
CHUNKED = b"POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = "/api/rooms/lobby/messages?limit=100"


@pytest.fixture(scope="module")
def server(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(mongod, tmp_path_factory.mktemp("server"), MAX_HELD_BYTES_PER_USER="16000000", **UNLIMITED) as server:
        make_ready(server)
        yield server


@pytest.fixture(scope="module")
def unbounded(mongod: EmbeddedMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The control: the same server, with its budget off."""
    off = {"MAX_HELD_BYTES": "0", "MAX_HELD_BYTES_PER_ADDRESS": "0", "MAX_HELD_BYTES_PER_USER": "0"}
    with serving(mongod, tmp_path_factory.mktemp("unbounded"), **off, **UNLIMITED) as server:
        make_ready(server)
        yield server


def make_ready(server: Server) -> None:
    """Fill the room, and let some read, so that the heap has the size that this takes."""
    server.settle()
    fill(server)
    token = server.token("alice")
    for _ in range(10):
        with ExitStack() as stack:
            readers = [stack.enter_context(asking(server, token, receive_buffer=0)) for _ in range(8)]
            for reader in readers:
                read_all(reader)


def fill(server: Server) -> None:
    """A hundred messages of four thousand of the longest letters: their page is 1.6 megabytes."""
    lobby = server.services.rooms.access.get_for(server.user("alice").id, "lobby").room
    alice = server.user("alice")
    author = Author(alice.id, alice.display_name)
    drafts = [Draft(author=author, text="\U0001d11e" * 4000, client_id=f"fill-{n}") for n in range(100)]
    append(server.services, lobby.id, drafts)


def read_whole(server: Server) -> int:
    """Read the largest answer to its end; its length."""
    with asking(server, server.token("alice"), receive_buffer=0) as reader:
        return read_all(reader)


def read_all(reader: socket.socket) -> int:
    return sum(map(len, iter(lambda: reader.recv(1_000_000), b"")))


def asking(server: Server, token: str, *, receive_buffer: int = 4096) -> socket.socket:
    """Somebody who asked for the largest answer, and has read nothing."""
    reader = dial(server, receive_buffer)
    reader.sendall(
        f"GET {LARGE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
    )
    return reader


def dial(server: Server, receive_buffer: int = 0) -> socket.socket:
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(PATIENCE_SECONDS)
    client.connect(("127.0.0.1", server.port))
    return client


def pour(server: Server, beginning: bytes, piece: bytes) -> None:
    """Send a beginning, and then a piece again and again, until so many megabytes are sent or the server hangs up."""
    with dial(server) as attacker, suppress(ConnectionError):
        attacker.sendall(beginning)
        for _ in range(POURED_MB * 1_000_000 // len(piece)):
            attacker.sendall(piece)


POURED: dict[str, tuple[bytes, bytes]] = {
    "a head of one line": (b"GET / HTTP/1.1\r\nX-Long: ", b"x" * 60_000),
    "a head of many lines": (b"GET / HTTP/1.1\r\n", b"X-Many: 1\r\n" * 5000),
    "a long address": (b"GET /", b"x" * 60_000),
    "trailers": (CHUNKED + b"0\r\n", b"X-Many: 1\r\n" * 5000),
    "trailers after a body": (CHUNKED + b"1\r\nx\r\n0\r\n", b"X-Many: 1\r\n" * 5000),
    "one long trailer": (CHUNKED + b"0\r\nX-Long: ", b"x" * 60_000),
    "chunk extensions": (CHUNKED + b"1;", b"x" * 60_000),
    "a body in chunks": (CHUNKED, b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
    "a body for Socket.IO": (CHUNKED.replace(b"/livez", b"/socket.io/?EIO=4"), b"ea60\r\n" + b"x" * 60_000 + b"\r\n"),
    "requests that nobody waits for": (b"", b"GET /static/emoji.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("what", POURED)
def test_unread_floods_are_not_buffered(server: Server, what: str) -> None:
    """L12."""
    with server.sparing(MOST_MB):
        pour(server, *POURED[what])
    assert server.get()[0] == 200


def stalled_readers(server: Server) -> int:
    """Let many of one person ask for large answers and read nothing; how many are answered with the answer."""
    token = server.token("mallory")
    with ExitStack() as stack:
        readers = [stack.enter_context(asking(server, token)) for _ in range(STALLED)]
        return sum(b"200 OK" in reader.recv(200) for reader in readers)


def test_stalled_readers_hold_at_most_their_share(server: Server) -> None:
    """L13: two hundred that ask for 1.6 megabytes each; the others are told to come back."""
    assert read_whole(server) > 1_500_000
    with server.sparing(STALLED_MB):
        assert stalled_readers(server) <= 10
    wait_until(lambda: not server.connections)
    assert read_whole(server) > 1_500_000  # when they have gone, nothing of it is left


def test_without_a_budget_they_would(unbounded: Server) -> None:
    """The control: what is measured notices."""
    with pytest.raises(AssertionError), unbounded.sparing(STALLED_MB):
        stalled_readers(unbounded)


def test_unread_pongs_are_not_buffered(server: Server) -> None:
    """L13: nor are the pings taken without a pause."""
    with Raw(server, server.token("mallory"), receive_buffer=4096) as attacker, server.sparing(MOST_MB):
        pings = masked(PING, bytes(125)) * 100
        attacker._socket.settimeout(2)  # after which it has to be clear that no more is taken
        with suppress(OSError):
            for _ in range(POURED_MB * 1_000_000 // len(pings)):
                attacker.send(pings)
    assert server.get()[0] == 200


def test_a_client_cannot_flood_the_log(server: Server) -> None:
    """L18, P13: two thousand events that are refused, and each says so once at most."""
    said_before = len(server.log.read_text())
    with knocking(server, server.token("mallory")) as client, suppress(ConnectionClosed):
        for number in range(2000):
            client.send(f'42{number}["history",{{"room":"\\ud800","limit":{number}}}]')
        while "ended" not in str(client.recv(PATIENCE_SECONDS)):
            pass
    said = server.log.read_text()[said_before:]
    assert len(said) < 50_000
    assert "Traceback" not in said


@contextmanager
def knocking(server: Server, token: str) -> Iterator[ClientConnection]:
    """A Socket.IO client that has signed in."""
    address = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    with connect(address, legacy=True, open_timeout=PATIENCE_SECONDS) as client:
        client.recv(PATIENCE_SECONDS)
        client.send("40" + json.dumps({"token": token}))
        assert str(client.recv(PATIENCE_SECONDS)).startswith("40")
        yield client


def test_connections_of_one_address_are_bounded(mongod: EmbeddedMongo, tmp_path: Path) -> None:
    """L15: also where all of them come from the proxy."""
    limits = {"TRUSTED_PROXIES": "1", "MAX_HTTP_CONNECTIONS_PER_ADDRESS": "3"}
    with serving(mongod, tmp_path, **UNLIMITED | limits) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(dial(server)).sendall(half_sent("192.0.2.1"))
        wait_until(lambda: status_for(server, "192.0.2.1") == 503)
        assert status_for(server, "192.0.2.2") == 200


def half_sent(address: str) -> bytes:
    """A request whose body does not end."""
    head = f"POST /livez HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {address}\r\nContent-Length: 10\r\n\r\n"
    return head.encode() + b"half"


def status_for(server: Server, address: str) -> int:
    try:
        return server.get("/livez", **{"X-Forwarded-For": address})[0]
    except HTTPError as error:
        return error.code
