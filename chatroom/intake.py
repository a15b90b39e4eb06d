"""Take requests in, however slowly they come, before a thread is given to them.

Threads are few: forty requests that never end would otherwise keep everybody else out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

HEAD_SECONDS = 20.0
"""For a request's head, from its first byte, or from the connection's start."""
HEAD_BYTES = 65_536
BODY_SECONDS = 30.0
"""For a request's body, from its head."""
LENGTHS = {b"content-length", b"transfer-encoding"}
HELD_BYTES = 64_000_000
"""Of all bodies that are coming in."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for a head, and keeps all of it."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def on_message_begin(self) -> None:
        """Begin to wait for the head of another request."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def data_received(self, data: bytes) -> None:
        """Count what comes before the head is complete."""
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self._stop_waiting()
                self.send_400_response("The request's head is too long.")

    def on_headers_complete(self) -> None:
        """The head has come."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()


class WholeBodies:
    """An ASGI application that calls another one, a WSGI one, when a request's body has come, or is too long."""

    def __init__(self, inner: Application, *, most_bytes: int) -> None:
        self._inner = inner
        self._most = most_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope = without_underscores(scope)
        if 0 < self._most < announced_length(scope):
            await self._inner(scope, receive, send)  # which refuses it without reading
            return
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_SECONDS):
                is_here = await self._take(receive, chunks)
        except TimeoutError:
            await refuse(send, 408, "The request did not come to its end in time.")
            return
        finally:
            self._held -= sum(map(len, chunks))
        if is_here is None:
            await refuse(send, 503, "Too many large requests are coming in. Please try again in a moment.")
        elif is_here:
            body = b"".join(chunks)
            await self._inner(with_length(scope, len(body)), _once(body, receive), send)

    async def _take(self, receive: Receive, chunks: list[bytes]) -> bool | None:
        """Whether the body has come, or its sender has gone; None where there is no more room for it."""
        size = 0
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return False
            body = event.get("body", b"")
            chunks.append(body)
            size += len(body)
            self._held += len(body)
            if not event.get("more_body") or 0 < self._most < size:
                return True
            if self._held > HELD_BYTES:
                log.warning("a request was refused: %d bytes of unfinished requests are held", self._held)
                return None


def without_underscores(scope: Scope) -> Scope:
    """Leave out headers such as `X_Forwarded_For`: WSGI cannot tell them from what a trusted proxy has written."""
    return {**scope, "headers": [header for header in scope["headers"] if b"_" not in header[0]]}


def announced_length(scope: Scope) -> int:
    """How long a body says it is; 0 where it does not say."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def with_length(scope: Scope, length: int) -> Scope:
    """Say the length also of a body that came in chunks: WSGI reads no other."""
    headers = [(name, value) for name, value in scope["headers"] if name not in LENGTHS]
    if length:
        headers.append((b"content-length", str(length).encode()))
    return {**scope, "headers": headers}


def _once(body: bytes, receive: Receive) -> Receive:
    """Hand the body over in one piece; what comes after it is the client's going."""
    is_given = False

    async def receive_whole() -> dict[str, Any]:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_whole


async def refuse(send: Send, status: int, message: str) -> None:
    """Answer in the place of the application."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": message.encode()})
