"""uvicorn's websocket protocol, with a faster way to send one frame to many clients.

Each frame gets its header once for all clients, and is compressed once for all clients that accept compression.
"""

from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, cast

import msgspec
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame
from websockets.http11 import Request

from chatroom.asgi.slow_requests import Receive, Scope, Send
from chatroom.live.sockets.frames import COMPRESSED, TEXT, Cutter, DeflateFactory, deflate, framed
from chatroom.live.sockets.incoming import IncomingProtocol

Write = Callable[..., Coroutine[Any, Any, None]]
"""A function that sends text frames. Waits while the client does not read; raises `OSError` when the client is gone."""
WriteNow = Callable[..., bool]
"""A function that sends text frames at once. If it would have to wait, it sends nothing and returns False."""

LINGER_SECONDS = 5.0
"""The time for a client to read the reason before its connection is aborted."""
EXTENSION = "chatroom.write"
EXTENSIONS = [DeflateFactory()]
MIN_BYTES = 512
"""The size of the smallest frame to compress. Compression of a shorter frame would save no network packet."""
KEPT_FRAMES = 8


def never_now(*_frames: bytes) -> bool:
    """The `WriteNow` of a transport that can never send without waiting."""
    return False


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """Functions to receive from one client and send to it."""

    receive: Receive
    send: Send
    write: Write
    write_now: WriteNow = never_now


class WebSocketProtocol(IncomingProtocol):
    """uvicorn's protocol, with `write` and `write_now` as an extension in the ASGI scope."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn.available_extensions = EXTENSIONS

    def handle_connect(self, event: Request) -> None:
        """Add `write` and `write_now` to the ASGI scope."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = self.write, self.write_now

    def pause_writing(self) -> None:
        """Count the unsent bytes of a client that does not read."""
        super().pause_writing()
        self._account.stall(self.transport.get_write_buffer_size(), self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._account.flow()

    def keepalive_timeout(self) -> None:
        """Close the connection of a client that has not answered a ping."""
        super().keepalive_timeout()
        self._abort_later()

    def handle_close(self, event: Frame) -> None:
        """Close the connection of a client that sent a close frame."""
        super().handle_close(event)
        self._abort_later()

    def handle_parser_exception(self) -> None:
        """Close the connection of a client that broke the protocol."""
        super().handle_parser_exception()
        self._abort_later()

    def _abort_later(self) -> None:
        # Closing waits until the client has read all unsent bytes. Some clients never read, so the wait is limited.
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    async def write(self, *frames: bytes) -> None:
        """Wait until the client reads, then send text frames in one write."""
        if not self.writable.is_set():
            await self.writable.wait()
        if self._is_over():
            raise ClientDisconnected
        self.transport.write(b"".join(map(self._packed, frames)))

    def write_now(self, *frames: bytes) -> bool:
        """Send text frames in one write if the client reads. Otherwise, send nothing and return False."""
        if not self.writable.is_set() or self._is_over():
            return False
        self.transport.write(self._packed(frames[0]) if len(frames) == 1 else b"".join(map(self._packed, frames)))
        return True

    def _packed(self, frame: bytes) -> bytes:
        """Add the header to a frame, and compress it if the client accepts compression."""
        if len(frame) < MIN_BYTES:
            return framed(frame)  # not cached, because most short frames are answers for one client
        return _compressed(frame) if self.conn.extensions else _plain(frame)

    async def send(self, message: Any) -> None:
        """Send an event. After the handshake, drop the handshake's data to save memory."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.scope["headers"] = []
            del self.request, self.response
            self._cutter = Cutter(self.config.ws_max_size, inflates=bool(self.conn.extensions))
        elif message["type"] == "websocket.close":
            self._abort_later()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # otherwise uvicorn logs every refusal as an error


# These caches make a frame once for all clients that receive it.
_plain = lru_cache(KEPT_FRAMES)(framed)


@lru_cache(KEPT_FRAMES)
def _compressed(frame: bytes) -> bytes:
    return framed(deflate(frame), TEXT | COMPRESSED)


def transport_of(scope: Scope, receive: Receive, send: Send) -> Transport:
    """The transport of a connection: the fast functions of our server, or the ASGI events of any other server."""
    direct: tuple[Write, WriteNow] | None = scope.get("extensions", {}).get(EXTENSION)
    if direct is not None:
        write_direct, write_now = direct
        return Transport(receive=receive, send=send, write=write_direct, write_now=write_now)

    async def write(*frames: bytes) -> None:
        for frame in frames:
            try:
                await send({"type": "websocket.send", "text": frame.decode()})
            except RuntimeError as error:  # uvicorn has closed the connection, but has not sent the event yet
                raise ConnectionResetError("the connection is closed") from error

    return Transport(receive=receive, send=send, write=write)
