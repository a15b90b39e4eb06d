"""The websocket below a connection: uvicorn's own, with a shorter way to send what many clients receive.

A frame is encoded once. Here it gets its header, and is compressed, once for all clients that accept compression.
"""

from collections.abc import Callable, Coroutine
from functools import lru_cache
from typing import Any, cast

import msgspec
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Frame
from websockets.http11 import Request

from chatroom.asgi.slow_requests import Receive, Scope, Send
from chatroom.live.sockets.deflate import DeflateFactory, deflate
from chatroom.live.sockets.frames import COMPRESSED, TEXT, Cutter, framed
from chatroom.live.sockets.incoming import IncomingProtocol

Write = Callable[..., Coroutine[Any, Any, None]]
"""Send text frames, each a JSON document; waits while the client does not read, raises `OSError` when it is gone."""
WriteNow = Callable[..., bool]
"""Send text frames without waiting; False, and nothing is sent, if it would have to wait or the client is gone."""

LINGER_SECONDS = 5.0
"""For a client to read why its connection is closed."""
EXTENSION = "chatroom.write"
EXTENSIONS = [DeflateFactory()]
MIN_BYTES = 512
"""About two messages. Compressing a shorter frame would save a few bytes, and no packet."""
KEPT_FRAMES = 8


def never_now(*_frames: bytes) -> bool:
    """The `WriteNow` of a transport that may always have to wait."""
    return False


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """Functions to receive from one client and send to it."""

    receive: Receive
    send: Send
    write: Write
    write_now: WriteNow = never_now


class WebSocketProtocol(IncomingProtocol):
    """uvicorn's protocol; the ASGI scope of a connection carries its `write` and `write_now` as an extension."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn.available_extensions = EXTENSIONS

    def handle_connect(self, event: Request) -> None:
        """Offer the short way to the application."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = self.write, self.write_now

    def pause_writing(self) -> None:
        """Count what is on its way to a client that does not read. An unanswered ping ends its connection in time."""
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
        # Closing waits until the client has read what is on its way. Without this, the connection, presence and
        # buffers of a client that never reads would stay for ever, even after the end of its session.
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    async def write(self, *frames: bytes) -> None:
        """Send text frames in one write; wait before it while the client does not read."""
        if not self.writable.is_set():
            await self.writable.wait()
        if self._is_over():
            raise ClientDisconnected
        self.transport.write(b"".join(map(self._packed, frames)))

    def write_now(self, *frames: bytes) -> bool:
        """Send text frames in one write if the client reads; False, and nothing is sent, otherwise."""
        if not self.writable.is_set() or self._is_over():
            return False
        self.transport.write(self._packed(frames[0]) if len(frames) == 1 else b"".join(map(self._packed, frames)))
        return True

    def _packed(self, frame: bytes) -> bytes:
        """A frame with its header, compressed if this client accepts that."""
        if len(frame) < MIN_BYTES:
            return framed(frame)  # mostly an answer: in the cache, it would replace a frame that many receive
        return _compressed(frame) if self.conn.extensions else _plain(frame)

    async def send(self, message: Any) -> None:
        """As uvicorn does; then forget the handshake, which is larger than the rest of an idle connection."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.scope["headers"] = []
            del self.request, self.response
            self._cutter = Cutter(self.config.ws_max_size, inflates=bool(self.conn.extensions))
        elif message["type"] == "websocket.close":
            self._abort_later()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # else uvicorn logs every refusal as an error


# Made once for all clients that receive the same frame.
_plain = lru_cache(KEPT_FRAMES)(framed)


@lru_cache(KEPT_FRAMES)
def _compressed(frame: bytes) -> bytes:
    return framed(deflate(frame), TEXT | COMPRESSED)


def transport_of(scope: Scope, receive: Receive, send: Send) -> Transport:
    """The transport of a connection: the short way under our server, else that of any ASGI server."""
    direct: tuple[Write, WriteNow] | None = scope.get("extensions", {}).get(EXTENSION)
    if direct is not None:
        write_direct, write_now = direct
        return Transport(receive=receive, send=send, write=write_direct, write_now=write_now)

    async def write(*frames: bytes) -> None:
        for frame in frames:
            try:
                await send({"type": "websocket.send", "text": frame.decode()})
            except RuntimeError as error:  # uvicorn has closed the connection, and has not said so yet
                raise ConnectionResetError("the connection is closed") from error

    return Transport(receive=receive, send=send, write=write)
