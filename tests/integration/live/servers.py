"""The real server in a process of its own, and clients that speak websocket with it."""

import json
import os
import re
import secrets
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from chatroom.base.config import Settings
from chatroom.people.accounts import Registration
from chatroom.services import Services
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[3]
SECRET_KEY = "k" * 32
SECONDS = PATIENCE_SECONDS
# The time between pings is no setting; a test cannot wait for twenty seconds.
PROGRAM = """
import os
import chatroom.serve.server as s
s._PING_SECONDS = {ping}
settle = s.settle
def settle_and_say_so():
    settle()
    os.write(1, b"settled\\n")
s.settle = settle_and_say_so
{first}
from chatroom.serve.start import serve
raise SystemExit(serve())
"""


def settings_of(uri: str, database: str) -> Settings:
    """The settings of a server, for services that work beside it."""
    return Settings(
        mongo_uri=uri, mongo_db=database, secret_key=SECRET_KEY, bcrypt_rounds=4, store_timeout_seconds=SECONDS
    )


def make_tokens(uri: str, database: str, *names: str) -> list[str]:
    """Register people, and give each an access token."""
    services = Services(settings_of(uri, database))
    services.open()
    try:
        services.prepare()
        tokens = []
        for name in names:
            wanted = Registration(username=name, display_name=name.title(), password="correct horse battery")
            user = services.people.accounts.create(wanted)
            tokens.append(services.people.sessions.create_token(user, label="tests"))
        return tokens
    finally:
        services.close()


class Server:
    """`python test_mongo.py` on a port that the kernel gives, over a database that others may share.

    `first` is done before the application is imported.
    """

    def __init__(
        self, uri: str, database: str, log: Path, *, ping_seconds: float = 20, first: str = "", **settings: str
    ) -> None:
        self.log = log
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
        own = {
            "MONGO_URI": uri,
            "MONGO_DB": database,
            "SECRET_KEY": SECRET_KEY,
            "PORT": "0",
            "POST_LIMIT_ACCOUNT": "0",
            "POST_LIMIT_ADDRESS": "0",
            "BCRYPT_ROUNDS": "4",
            "STORE_TIMEOUT_SECONDS": "60",
            "LOG_LEVEL": "INFO",
        }
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.format(ping=ping_seconds, first=first)],
                cwd=ROOT,
                env=inherited | own | settings,
                stdout=output,
                stderr=output,
            )
        self.port = int(self._wait_until_it_says(r" is at http://127\.0\.0\.1:(\d+)\n")[1])
        wait_until(self._is_ready, "it does not answer")

    def wait_until_settled(self) -> None:
        """Wait for the end of what it does beside its first visitors, for which it takes memory."""
        self._wait_until_it_says(r"^settled$")

    def _wait_until_it_says(self, pattern: str) -> re.Match[str]:
        def look() -> re.Match[str] | None:
            has_ended = self.process.poll() is not None
            said = re.search(pattern, self.log.read_text(errors="replace"), re.MULTILINE)
            assert said or not has_ended, self.log.read_text()
            return said

        return wait_until(look, f"it does not say {pattern}")  # type: ignore[return-value]

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=SECONDS):
            return True
        return False

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def memory(self) -> int:
        """Its resident bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self) -> float:
        """How long it has kept a processor busy; other processes do not change that, however busy they are."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def threads(self) -> int:
        """How many threads it has."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def files(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def errors(self) -> list[str]:
        """What it logged that should not happen."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if "Traceback" in line or '"level":"ERROR"' in line.replace(" ", "")]

    def is_connected_with(self, client: socket.socket) -> bool:
        """Whether it still holds the other end of a connection; the kernel may go on with it for who has let go."""
        ends = f"0100007F:{self.port:04X}", f"0100007F:{client.getsockname()[1]:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any((row[1], row[2]) == ends and row[9] != "0" for row in rows)

    def connect(self, token: str, query: str = "room=lobby", **options: Any) -> "Client":
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        address = f"ws://127.0.0.1:{self.port}/live?{query}"
        usual = {"compression": None, "legacy": True, "open_timeout": SECONDS}
        return Client(connect(address, additional_headers=headers, **usual | options))


class Client:
    """A program at the other end of a websocket; it remembers what it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    def say(self, frame: Mapping[str, Any] | str | bytes) -> None:
        self.socket.send(json.dumps(frame) if isinstance(frame, Mapping) else frame)

    def post(self, client_id: str, text: str = "hi") -> None:
        self.say({"type": "post", "room": "lobby", "client_id": client_id, "text": text})

    def wait_for(self, is_it: Callable[[dict[str, Any]], bool], seconds: float = SECONDS) -> dict[str, Any]:
        """Read until a frame is the one that is waited for."""
        give_up_at = time.monotonic() + seconds
        while True:
            frame = json.loads(self.socket.recv(timeout=max(0.001, give_up_at - time.monotonic())))
            self.frames.append(frame)
            if is_it(frame):
                return frame

    def wait_for_type(self, kind: str, **fields: Any) -> dict[str, Any]:
        wanted = {"type": kind} | fields
        return self.wait_for(lambda frame: wanted.items() <= frame.items())

    def wait_for_message(self, client_id: str) -> None:
        self.wait_for(lambda frame: any(m.get("client_id") == client_id for m in frame.get("messages", [])))

    def wait_for_messages(self, client_ids: Iterable[str]) -> None:
        """Wait until all of these were seen, in whatever order they come."""
        missing = set(client_ids) - set(self.seen())
        while missing:
            frame = self.wait_for(lambda frame: "messages" in frame)
            missing -= {m.get("client_id") for m in frame["messages"]}

    def seen(self) -> list[str]:
        return [m["client_id"] for frame in self.frames for m in frame.get("messages", [])]

    def close_code(self, seconds: float = SECONDS) -> int | None:
        """Read to the end, and say with which code it was closed; None when it is not."""
        give_up_at = time.monotonic() + seconds
        try:
            while True:
                self.frames.append(json.loads(self.socket.recv(timeout=max(0.001, give_up_at - time.monotonic()))))
        except TimeoutError:
            return None
        except Exception:  # noqa: BLE001  ConnectionClosed, of either kind
            return self.socket.close_code

    def close(self) -> None:
        self.socket.close()


class Raw:
    """A socket that speaks the handshake, and then whatever a test wants to send."""

    def __init__(self, server: Server, token: str, query: str = "room=lobby", receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(SECONDS)
        self.socket.connect(("127.0.0.1", server.port))
        lines = [
            f"GET /live?{query} HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Authorization: Bearer {token}",
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._buffer = b""
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head

    def _more(self) -> bytes:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError
        return data

    def send_frame(self, first: int, payload: bytes, *, is_masked: bool = True, length: int | None = None) -> None:
        """Send a frame; `length` is what its header says, if that is not the truth."""
        length = len(payload) if length is None else length
        mask = 0x80 if is_masked else 0
        head = bytes([first])
        if length < 126:
            head += bytes([mask | length])
        elif length < 65_536:
            head += bytes([mask | 126]) + struct.pack("!H", length)
        else:
            head += bytes([mask | 127]) + struct.pack("!Q", length)
        self.socket.sendall(head + (b"\0\0\0\0" if is_masked else b"") + payload)

    def read_frames(self) -> Iterator[tuple[int, bytes]]:
        """Frames from the server, as (opcode, payload), until it closes."""
        try:
            while True:
                yield self._read_frame()
        except (EOFError, ConnectionError):
            return

    def _read_frame(self) -> tuple[int, bytes]:
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return first & 0x0F, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._buffer += self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def wait_for_type(self, kind: str) -> None:
        """Read until a text frame is of this type."""
        for opcode, payload in self.read_frames():
            if opcode == 1 and json.loads(payload)["type"] == kind:
                return
        raise AssertionError("the connection ended")

    def read_much_at_once(self) -> None:
        """Be a reader who no longer stalls: with a small buffer the rest would come a few bytes at a time."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)

    def close_code(self) -> int | None:
        """With which code the server closes; None when it just hangs up, an error when it does neither in time."""
        for opcode, payload in self.read_frames():
            if opcode == 8:
                code: int = struct.unpack("!H", payload[:2])[0]
                return code
        return None

    def close(self) -> None:
        self.socket.close()


def new_name() -> str:
    """A name for a database of one's own."""
    return f"test_{secrets.token_hex(4)}"
