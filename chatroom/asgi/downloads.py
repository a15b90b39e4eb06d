"""Send downloads from the event loop, so that slow readers occupy no thread."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from chatroom.asgi.budget import counted
from chatroom.asgi.slow_requests import Application, Receive, Scope, Send, refuse
from chatroom.base.errors import ChatroomError

log = logging.getLogger(__name__)

DOWNLOADS = 300
DOWNLOADS_PER_USER = 30
HANDOVER = "chatroom.handover"
"""The key of a list in a request's scope. The app may add a pair to it: the user's id, and the pieces of the body."""


class Downloads:
    """An ASGI middleware that sends the bodies that the app hands over."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner
        self._downloads: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handover: list[tuple[str, Iterator[bytes]]] = []
        is_refused = False

        async def send_on(event: dict[str, object]) -> None:
            nonlocal is_refused
            if is_refused:
                return
            if not handover:
                await send(event)
            elif event["type"] == "http.response.start":
                is_refused = self._is_full(handover[0][0])
                if is_refused:
                    await refuse(send, 503, "Too many downloads are in progress. Please try again in a moment.")
                else:
                    await send(event)
            elif not event.get("more_body"):
                await self._stream(*handover[0], receive, send)

        try:
            await self._inner({**scope, HANDOVER: handover}, receive, send_on)
        finally:
            for _, pieces in handover:
                await asyncio.to_thread(_close, pieces)

    def _is_full(self, user_id: str) -> bool:
        return self._downloads.total() >= DOWNLOADS or self._downloads[user_id] >= DOWNLOADS_PER_USER

    async def _stream(self, user_id: str, pieces: Iterator[bytes], receive: Receive, send: Send) -> None:
        """Send the body. After an error, the body is shorter than its announced length."""
        gone = asyncio.get_running_loop().create_task(_await_going(receive))
        try:
            with counted(self._downloads, user_id):
                while piece := await asyncio.to_thread(next, pieces, b""):
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except ChatroomError as error:
            log.info("a download was aborted: %s", error)
        finally:
            gone.cancel()


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        with suppress(ValueError):  # a thread is still running the generator
            close()


async def _await_going(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
