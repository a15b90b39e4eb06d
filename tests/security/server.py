"""A real server on a real database, and clients that speak to it byte by byte."""

import base64
import json
import os
import re
import secrets
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.base.models import User
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.accounts import Registration
from tests.security.served import IMPATIENCE, SETTLED
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SECRET = "k" * 32
UNLIMITED = {
    "POST_LIMIT_ACCOUNT": "0",
    "POST_LIMIT_ADDRESS": "0",
    "MAX_CONNECTIONS_PER_USER": "0",
    "MAX_CONNECTIONS_PER_ADDRESS": "0",
    "MAX_HTTP_CONNECTIONS_PER_ADDRESS": "0",
}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
COMPRESSED = 0x40
PROMPT_SECONDS = 10.0
"""What has to wait for a client that stalls waits longer: none is given up within twenty seconds."""
_LISTENING = "0A"


class Server:
    """A room that runs as a process; people are made straight in its database."""

    def __init__(self, uri: str, database: str, folder: Path, settings: dict[str, str]) -> None:
        self.settings = Settings(mongo_uri=uri, mongo_db=database, secret_key=SECRET, bcrypt_rounds=4)
        self.services = open_app(create_app(self.settings))
        self.services.prepare()
        self.log = folder / "server.log"
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
        own = {"MONGO_URI": uri, "MONGO_DB": database, "SECRET_KEY": SECRET, "PORT": "0", "BCRYPT_ROUNDS": "4"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.security.served"],
                cwd=ROOT,
                env=inherited | own | settings,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.port = int(self._wait_for(r"(?<=http://127\.0\.0\.1:)\d+"))

    def _wait_for(self, pattern: str) -> str:
        """Read what it prints until there is something of this pattern; one that prints nothing of it is ended."""
        watchdog = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        watchdog.start()
        try:
            assert self.process.stdout is not None
            while line := self.process.stdout.readline():
                if found := re.search(pattern, line):
                    return found[0]
        finally:
            watchdog.cancel()
        raise AssertionError(self.log.read_text())

    def settle(self) -> None:
        """Wait until it has made what it makes once, beside its first visitors: a server in one process says so."""
        self._wait_for(SETTLED)

    def user(self, name: str) -> User:
        """Somebody, with an account."""
        people = self.services.people
        return people.users.find_by_username(name) or people.accounts.create(
            Registration(username=name, display_name=name.title(), password=PASSWORD)
        )

    def token(self, name: str) -> str:
        """A new access token of somebody."""
        return self.services.people.sessions.create_token(self.user(name), label="test")

    def get(self, path: str = "/login", **headers: str) -> tuple[int, float]:
        """A page's status, and how long it took."""
        began = time.monotonic()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
            return answer.status, time.monotonic() - began

    def people_here(self) -> set[str]:
        """Whose presence the database knows."""
        return {person.name for person in self.services.live.presences.here("lobby")}

    @property
    def memory(self) -> float:
        """In MB."""
        return self._read_memory("VmRSS")

    def _read_memory(self, name: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024

    @contextmanager
    def sparing(self, most: float) -> Iterator[None]:
        """What is done within costs it no more MB than these, at any moment."""
        with suppress(OSError):  # where that is forbidden, the most that it ever had is not forgotten
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        before = self._read_memory("VmHWM")
        yield
        assert (cost := self._read_memory("VmHWM") - before) < most, f"{cost:.0f} MB"

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def connections(self) -> int:
        """How many it has accepted and not closed."""
        return len(self._sockets())

    @property
    def stalled(self) -> int:
        """How many of them do not take what it has sent."""
        return sum(not queues.startswith("00000000:") for queues in self._sockets())

    def _sockets(self) -> list[str]:
        """What waits in each of its connections, to be sent and to be read, as the kernel says it."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        own = [row for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] != _LISTENING]
        return [row[4] for row in own if row[9] != "0"]  # an inode; a socket that is closed has none

    def stop(self) -> None:
        """End it in good order, if it can."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE_SECONDS)
        self.process.kill()
        self.process.communicate()
        self.services.close()


@contextmanager
def serving(mongod: EmbeddedMongo, folder: Path, **settings: str) -> Iterator[Server]:
    """A server on a database of its own, with the app's own few rights."""
    name = f"served_{secrets.token_hex(4)}"
    server = Server(mongod.uri_for(name), name, folder, settings)
    try:
        yield server
    finally:
        server.stop()


class Raw:
    """A websocket client that may break every rule."""

    def __init__(
        self, server: Server, token: str, *, query: str = "room=lobby", receive_buffer: int = 0, offers: str = ""
    ) -> None:
        self._offers = offers
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(PATIENCE_SECONDS)
        self._socket.connect(("127.0.0.1", server.port))
        self._read = self._socket.makefile("rb")
        self.status, self.headers = self._shake_hands(token, query)

    def _shake_hands(self, token: str, query: str) -> tuple[int, str]:
        extensions = f"Sec-WebSocket-Extensions: {self._offers}\r\n" if self._offers else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /live?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n"
            f"{extensions}\r\n".encode()
        )
        head = line = self._read.readline()
        while line not in {b"\r\n", b""}:
            line = self._read.readline()
            head += line
        return int(head.split()[1]), head.decode().lower()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def say(self, **frame: Any) -> None:
        """Send a frame as it should be."""
        self.send(masked(TEXT, json.dumps(frame).encode()))

    def ask_for_impatience(self) -> None:
        """Be pinged at once, and let go soon if there is no answer."""
        self.send(masked(PONG, IMPATIENCE))

    def receive(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload; opcode 0 where the connection ended without a whole one."""
        head = self._read.read(2)
        if len(head) < 2:
            return 0, b""
        length = head[1] & 127
        if length >= 126:
            length = int.from_bytes(self._read.read(2 if length == 126 else 8))
        payload = self._read.read(length)
        if len(payload) < length:
            return 0, b""
        return head[0] & 15, inflate(payload) if head[0] & COMPRESSED else payload

    def receive_until(self, kind: str) -> dict[str, Any]:
        """The next frame of a type."""
        while True:
            opcode, payload = self.receive()
            assert opcode not in {0, CLOSE}, payload
            if opcode == TEXT and (frame := json.loads(payload))["type"] == kind:
                return frame  # type: ignore[no-any-return]

    def close_code(self) -> int:
        """The code with which the server closes; 0 where it just hangs up."""
        with suppress(ConnectionError):
            while True:
                opcode, payload = self.receive()
                if opcode == CLOSE:
                    return int(struct.unpack("!H", payload[:2])[0])
                if opcode == 0:
                    break
        return 0

    def drop(self) -> None:
        """Hang up."""
        self._read.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()


def inflate(payload: bytes) -> bytes:
    """Open a compressed payload."""
    return zlib.decompressobj(wbits=-15).decompress(payload + b"\0\0\xff\xff")


def deflate(payload: bytes) -> bytes:
    """Compress a payload as RFC 7692 wants it."""
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def masked(opcode: int, payload: bytes, *, last: bool = True, reserved: int = 0, says: int | None = None) -> bytes:
    """A frame from a client; `says` is a length that it only claims to have."""
    length = len(payload) if says is None else says
    head = bytes([(0x80 if last else 0) | reserved | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65_536:
        head += bytes([0x80 | 126]) + struct.pack("!H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", length)
    return head + bytes(4) + payload  # masked with zeros
