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
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from chatroom.accounts import Registration
from chatroom.app import create_app, open_app
from chatroom.config import Settings
from chatroom.embedded import EmbeddedMongo
from chatroom.models import User
from tests.visitors import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
SECRET = "k" * 32
UNLIMITED = {
    "POST_LIMIT_ACCOUNT": "0",
    "POST_LIMIT_ADDRESS": "0",
    "MAX_CONNECTIONS_PER_USER": "0",
    "MAX_CONNECTIONS_PER_ADDRESS": "0",
}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
COMPRESSED = 0x40


class Server:
    """A room that runs as a process; people are made straight in its database."""

    def __init__(self, uri: str, database: str, folder: Path, settings: dict[str, str], ping_seconds: float) -> None:
        self.settings = Settings(mongo_uri=uri, mongo_db=database, secret_key=SECRET, bcrypt_rounds=4)
        self.services = open_app(create_app(self.settings))
        self.services.prepare()
        self.log = folder / "server.log"
        # No setting: nobody needs another one, but for tests.
        code = (
            f"from chatroom import server; server._PING_SECONDS = {ping_seconds}; "
            "from chatroom.serve import serve; raise SystemExit(serve())"
        )
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
        own = {"MONGO_URI": uri, "MONGO_DB": database, "SECRET_KEY": SECRET, "PORT": "0", "BCRYPT_ROUNDS": "4"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env=inherited | own | settings,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.port = self._wait_for_port()

    def _wait_for_port(self) -> int:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                return int(found[1])
        raise AssertionError(self.log.read_text())

    def user(self, name: str) -> User:
        """Somebody, with an account."""
        accounts = self.services.accounts
        return accounts.users.find_by_username(name) or accounts.create(
            Registration(username=name, display_name=name.title(), password=PASSWORD)
        )

    def token(self, name: str) -> str:
        """A new access token of somebody."""
        return self.services.sessions.create_token(self.user(name), label="test")

    def get(self, path: str = "/login", **headers: str) -> tuple[int, float]:
        """A page's status, and how long it took."""
        began = time.monotonic()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=15) as answer:
            answer.read()
            return answer.status, time.monotonic() - began

    def people_here(self) -> set[str]:
        """Whose presence the database knows."""
        return {person.name for person in self.services.presence.here("lobby")}

    @property
    def memory(self) -> float:
        """In MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    @property
    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self) -> int:
        """End it in good order; returns the exit code."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.process.kill()
        self.process.communicate()
        self.services.close()
        return self.process.returncode


@contextmanager
def serving(mongod: EmbeddedMongo, folder: Path, *, ping_seconds: float = 20, **settings: str) -> Iterator[Server]:
    """A server on a database of its own, with the app's own few rights."""
    name = f"served_{secrets.token_hex(4)}"
    server = Server(mongod.uri_for(name), name, folder, settings, ping_seconds)
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
        self._socket.settimeout(15)
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
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            octet = self._read.read(1)
            if not octet:
                break
            head += octet
        return int(head.split()[1]), head.decode().lower()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def say(self, **frame: Any) -> None:
        """Send a frame as it should be."""
        self.send(masked(TEXT, json.dumps(frame).encode()))

    def receive(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload; opcode 0 where the connection ended without one."""
        head = self._read.read(2)
        if len(head) < 2:
            return 0, b""
        length = head[1] & 127
        if length == 126:
            (length,) = struct.unpack("!H", self._read.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._read.read(8))
        payload = self._read.read(length)
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


def wait_until(is_true: Callable[[], object], seconds: float = 10.0) -> float:
    """Wait, and tell how long it took."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - began
