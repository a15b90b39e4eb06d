"""Send large responses in pieces from the event loop, so that no thread waits for a reader.

The bytes of a response are counted until they are sent.
"""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from chatroom.asgi.budget import account_of
from chatroom.asgi.slow_requests import Application, Receive, Scope, Send, refuse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

PIECE_BYTES = 65_536
"""A part of at most this size is sent whole. It counts only if its reader stalls."""

Event = dict[str, object]


def in_one(app: "WSGIApplication") -> "WSGIApplication":
    """Return a WSGI app that joins the parts of each response, so that no thread waits between parts."""

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        parts = app(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            getattr(parts, "close", lambda: None)()

    return wsgi_app


class LargeAnswers:
    """An ASGI middleware that sends large responses in pieces."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head: list[Event] = []
        is_refused = False

        async def send_on(event: Event) -> None:
            nonlocal is_refused
            if event["type"] == "http.response.start":
                head.append(event)  # sent later, if there is memory for the body
            elif not is_refused:
                is_refused = not await _give(scope, send, head, event)
                head.clear()

        await self._inner(scope, receive, send_on)


async def _give(scope: Scope, send: Send, head: list[Event], event: Event) -> bool:
    """Send the head, if it is unsent, and a part of the body. Return False if a refusal was sent instead."""
    body = event.get("body", b"")
    assert isinstance(body, bytes)  # noqa: S101
    if len(body) <= PIECE_BYTES:
        await _send_all(send, [*head, event])
        return True
    account = account_of(scope)
    is_held = account.hold(len(body))
    if not is_held and head:  # without a head, the response has begun, and continues
        log.warning("a response was refused: unread responses use too much memory", extra={"user": account.person})
        await refuse(send, 503, "Too many responses are in progress. Please try again in a moment.")
        return False
    try:
        await _send_all(send, chain(head, _cut(event, body)))
    finally:
        if is_held:
            account.release(len(body))
    return True


async def _send_all(send: Send, events: Iterable[Event]) -> None:
    for event in events:
        await send(event)


def _cut(event: Event, body: bytes) -> Iterator[Event]:
    for start in range(0, len(body), PIECE_BYTES):
        end = start + PIECE_BYTES
        yield {**event, "body": body[start:end], "more_body": end < len(body) or event.get("more_body", False)}
