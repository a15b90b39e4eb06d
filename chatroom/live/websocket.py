"""The websocket below the connection: uvicorn's own, with a shorter way out for frames that many receive.

A frame is encoded once, by whoever makes it; here it only gets its header, and as many as there are go in one write.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import lru_cache
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Write = Callable[..., Coroutine[Any, Any, None]]
"""Send text frames, each a JSON document; waits while the client does not read, raises `OSError` when it is gone."""

WriteNow = Callable[[bytes], bool]
"""Send a text frame without waiting; False, and nothing is sent, when it would have to wait or nobody is there."""

LINGER_SECONDS = 5.0
"""For a client to read the reason why it is let go."""
EXTENSION = "chatroom.write"
TEXT = 0x81
"""The first byte of an unfragmented text frame (RFC 6455, 5.2)."""


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol; the ASGI scope of a connection carries its `write` and `write_now` as an extension."""

    def handle_connect(self, event: Request) -> None:
        """Offer the shorter way out to the application."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions = cast("dict[str, Any]", self.scope["extensions"])
            extensions[EXTENSION] = self.write, self.write_now

    def keepalive_timeout(self) -> None:
        """Let go of a client that has not answered a ping."""
        super().keepalive_timeout()
        self._let_go()

    def handle_close(self, event: Frame) -> None:
        """Let go of a client that says goodbye."""
        super().handle_close(event)
        self._let_go()

    def handle_parser_exception(self) -> None:
        """Let go of a client that broke the rules."""
        super().handle_parser_exception()
        self._let_go()

    def _let_go(self) -> None:
        # Closing waits until the client has read what is on its way, and one that stalls never does: without
        # this its connection, its presence and its buffers stayed for ever, also after its session had ended.
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    async def write(self, *frames: bytes) -> None:
        """Send text frames in one write; wait before it while the client does not read."""
        if not self.writable.is_set():
            await self.writable.wait()
        if self._is_over():
            raise ClientDisconnected
        buffers: list[bytes] = []
        for frame in frames:
            buffers += (_header(len(frame)), frame)
        self.transport.writelines(buffers)

    def write_now(self, frame: bytes) -> bool:
        """Send a text frame if the client reads; False, and nothing is sent, otherwise."""
        if not self.writable.is_set() or self._is_over():
            return False
        self.transport.writelines((_header(len(frame)), frame))
        return True

    def _is_over(self) -> bool:
        return self.disconnected or self.close_sent or self.transport.is_closing()

    async def send(self, message: Any) -> None:
        """As uvicorn does; then forget the handshake, which is larger than everything else that an idle one holds."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            self.scope["headers"] = []
            del self.request, self.response
        elif message["type"] == "websocket.close":
            self._let_go()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # or uvicorn takes every refusal for a fault, and logs it


@lru_cache(maxsize=4096)
def _header(length: int) -> bytes:
    if length < 126:
        return bytes((TEXT, length))
    if length < 65_536:
        return bytes((TEXT, 126)) + length.to_bytes(2, "big")
    return bytes((TEXT, 127)) + length.to_bytes(8, "big")


def writers(scope: Scope, send: Send) -> tuple[Write, WriteNow]:
    """The connection's ways out: the short ones where our server runs, else that of any ASGI server."""
    direct: tuple[Write, WriteNow] | None = scope.get("extensions", {}).get(EXTENSION)
    if direct is not None:
        return direct

    async def write(*frames: bytes) -> None:
        for frame in frames:
            try:
                await send({"type": "websocket.send", "text": frame.decode()})
            except RuntimeError as error:  # uvicorn closed the connection by itself, and has not told us yet
                raise ConnectionResetError("the connection is closed") from error

    return write, never_now


def never_now(_frame: bytes) -> bool:
    """For a way out that may always have to wait."""
    return False
