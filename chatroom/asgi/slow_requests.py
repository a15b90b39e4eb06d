"""Receive the whole request before it gets a thread, so that slow clients occupy no thread."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from chatroom.asgi.budget import Account, account_of

log = logging.getLogger(__name__)

BODY_SECONDS = 30.0
"""The time for a request's body, from the end of its head."""
LENGTHS = {b"content-length", b"transfer-encoding"}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class SlowRequests:
    """An ASGI middleware that calls a WSGI app (wrapped as ASGI) when the body is complete, or too long."""

    def __init__(self, inner: Application, *, most_bytes: int) -> None:
        self._inner = inner
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = without_underscores(scope)
        if 0 < self._most < announced_length(scope):
            await self._inner(scope, receive, send)  # the app refuses the request without reading its body
            return
        account = account_of(scope)
        chunks: list[bytes] = []
        try:
            await self._serve(scope, receive, send, chunks, account)
        finally:
            account.release(sum(map(len, chunks)))  # released only now: the request may have waited for a thread

    async def _serve(self, scope: Scope, receive: Receive, send: Send, chunks: list[bytes], account: Account) -> None:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                is_here = await self._take(receive, chunks, account)
        except TimeoutError:
            await refuse(send, 408, "The request was not complete in time.")
            return
        if is_here is None:
            await refuse(send, 503, "The server is receiving too many large requests. Please try again in a moment.")
        elif is_here:
            body = b"".join(chunks)
            await self._inner(with_length(scope, len(body)), once(body, receive), send)

    async def _take(self, receive: Receive, chunks: list[bytes], account: Account) -> bool | None:
        """Receive the body; return True (complete or too long), False (the client left) or None (memory is full)."""
        size = 0
        while True:
            event = await receive()
            if event["type"] != "http.request":
                return False
            body = event.get("body", b"")
            if body and not account.hold(len(body)):
                log.warning("a request was refused: incoming requests use too much memory")
                return None
            chunks.append(body)
            size += len(body)
            if not event.get("more_body") or 0 < self._most < size:
                return True


def without_underscores(scope: Scope) -> Scope:
    """Remove headers such as `X_Forwarded_For`: in WSGI, they look like the headers of a trusted proxy."""
    return {**scope, "headers": [header for header in scope["headers"] if b"_" not in header[0]]}


def announced_length(scope: Scope) -> int:
    """Return the declared length of the body, or 0."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def with_length(scope: Scope, length: int) -> Scope:
    """Set the length of the body: without a length, WSGI reads no body."""
    headers = [(name, value) for name, value in scope["headers"] if name not in LENGTHS]
    if length:
        headers.append((b"content-length", str(length).encode()))
    return {**scope, "headers": headers}


def once(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in one piece, and then waits for the client to disconnect."""
    is_given = False

    async def receive_whole() -> dict[str, Any]:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_whole


async def refuse(send: Send, status: int, message: str) -> None:
    """Send an error response instead of the application's response."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"connection", b"close"),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": message.encode()})
