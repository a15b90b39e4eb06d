"""Keep the answers with files that never change, and send them from the event loop: no thread, no Flask.

A first visit asks for almost a hundred such files.
"""

from collections import OrderedDict
from typing import Any

from chatroom.asgi.slow_requests import Application, Receive, Scope, Send

MOST_BYTES = 131_072
"""The largest body that is kept."""
MOST_IN_ALL = 16_777_216
"""The size of all kept bodies. The answers that were not sent for the longest time go first."""
HEAD_BYTES = 1024
DECIDING = {b"host", b"accept-encoding", b"x-forwarded-proto"}
"""The headers of a request that its answer depends on."""
UNUSUAL = {b"content-length", b"transfer-encoding", b"expect", b"range", b"if-range"} | {
    b"if-none-match",
    b"if-modified-since",
    b"if-match",
    b"if-unmodified-since",
}
"""A request with one of these headers gets an answer of its own."""
UNCHANGING = b"immutable"

Key = tuple[object, ...]
Kept = tuple[dict[str, Any], bytes]
"""The first event of an answer, and its body."""


class KeptAnswers:
    """An ASGI middleware: a repeated `GET` of an unchanging file below `prefix` gets the same answer as before."""

    def __init__(self, inner: Application, prefix: str) -> None:
        self._inner = inner
        self._prefix = prefix
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key_of(scope)
        if key is None:
            await self._inner(scope, receive, send)
        elif key in self._kept:
            self._kept.move_to_end(key)
            head, body = self._kept[key]
            await send(head)
            await send({"type": "http.response.body", "body": body})
        else:
            events: list[dict[str, Any]] = []

            async def send_on(event: dict[str, Any]) -> None:
                events.append(event)
                await send(event)

            await self._inner(scope, receive, send_on)
            self._keep(key, events)

    def _key_of(self, scope: Scope) -> Key | None:
        if scope["method"] != "GET" or scope["query_string"] or not scope["path"].startswith(self._prefix):
            return None
        if not UNUSUAL.isdisjoint(name for name, _ in scope["headers"]):
            return None
        return (scope["path"], scope["scheme"], *(header for header in scope["headers"] if header[0] in DECIDING))

    def _keep(self, key: Key, events: list[dict[str, Any]]) -> None:
        head, *bodies = events or [{}]
        body = b"".join(event.get("body", b"") for event in bodies)
        if head.get("status") != 200 or len(body) > MOST_BYTES or not _is_unchanging(head):
            return
        if key not in self._kept:  # two first requests may come at the same time
            self._size += HEAD_BYTES + len(body)
        self._kept[key] = head, body
        while self._size > MOST_IN_ALL:
            self._size -= HEAD_BYTES + len(self._kept.popitem(last=False)[1][1])


def _is_unchanging(head: dict[str, Any]) -> bool:
    return any(UNCHANGING in value for name, value in head["headers"] if name.lower() == b"cache-control")
