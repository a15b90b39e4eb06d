"""The websocket below the connection: uvicorn's own, with a shorter way out for what many receive.

A frame is encoded once, by whoever makes it. Here it gets its header, and is compressed, once for all whose client
takes it so.
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
"""Send text frames without waiting; False, and nothing is sent, when that would have to wait or nobody is there."""

LINGER_SECONDS = 5.0
"""For a client to read the reason why it is closed."""
EXTENSION = "chatroom.write"
EXTENSIONS = [DeflateFactory()]
MIN_BYTES = 512
"""About two messages. What is shorter is not compressed: it would save a few bytes, and no packet."""
KEPT_FRAMES = 8


def never_now(*_frames: bytes) -> bool:
    """For a way out that may always have to wait."""
    return False


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """One client's ways in and out."""

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
        """Offer the shorter way out to the application."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = self.write, self.write_now

    def pause_writing(self) -> None:
        """The client does not keep up: count what is on its way to it. Its pings end it in time."""
        super().pause_writing()
        self._account.stall(self.transport.get_write_buffer_size(), self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._account.flow()

    def keepalive_timeout(self) -> None:
        """Close the connection of a client that has not answered a ping."""
        super().keepalive_timeout()
        self._abort_later()

    def handle_close(self, event: Frame) -> None:
        """Close the connection of a client that says goodbye."""
        super().handle_close(event)
        self._abort_later()

    def handle_parser_exception(self) -> None:
        """Close the connection of a client that broke the rules."""
        super().handle_parser_exception()
        self._abort_later()

    def _abort_later(self) -> None:
        # Closing waits until the client has read what is on its way, and one that stalls never does: without
        # this its connection, its presence and its buffers stayed for ever, also after its session had ended.
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
        """A frame with its header, as this client takes it."""
        if len(frame) < MIN_BYTES:
            return framed(frame)  # an answer, most often: kept, it would drive out what many receive
        return _compressed(frame) if self.conn.extensions else _plain(frame)

    async def send(self, message: Any) -> None:
        """As uvicorn does; then forget the handshake, which is larger than everything else that an idle one holds."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.scope["headers"] = []
            del self.request, self.response
            self._cutter = Cutter(self.config.ws_max_size, inflates=bool(self.conn.extensions))
        elif message["type"] == "websocket.close":
            self._abort_later()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # or uvicorn takes every refusal for a fault, and logs it


# Made once for all who are sent the same.
_plain = lru_cache(KEPT_FRAMES)(framed)


@lru_cache(KEPT_FRAMES)
def _compressed(frame: bytes) -> bytes:
    return framed(deflate(frame), TEXT | COMPRESSED)


def transport_of(scope: Scope, receive: Receive, send: Send) -> Transport:
    """The connection's ways in and out: the short ones where our server runs, else those of any ASGI server."""
    direct: tuple[Write, WriteNow] | None = scope.get("extensions", {}).get(EXTENSION)
    if direct is not None:
        write_direct, write_now = direct
        return Transport(receive=receive, send=send, write=write_direct, write_now=write_now)

    async def write(*frames: bytes) -> None:
        for frame in frames:
            try:
                await send({"type": "websocket.send", "text": frame.decode()})
            except RuntimeError as error:  # uvicorn closed the connection by itself, and has not told us yet
                raise ConnectionResetError("the connection is closed") from error

    return Transport(receive=receive, send=send, write=write)
