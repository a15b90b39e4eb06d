"""Receive uploads into files on disk before they get a thread.

Only logged-in users can upload. Each user can upload only a few files at a time.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from chatroom.asgi.budget import account_of, counted
from chatroom.asgi.slow_requests import (
    Application,
    Receive,
    Scope,
    Send,
    announced_length,
    refuse,
    with_length,
    without_underscores,
)
from chatroom.base.errors import ChatroomError

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 30.0
"""The time for the first bytes of a body. After that, the average rate must be at least `LEAST_RATE`."""
LEAST_RATE = 16_384
"""Bytes per second."""
UPLOADS = 100
UPLOADS_PER_USER = 4
SPOOLED_BYTES = 2_000_000_000
"""The maximum number of bytes of all incoming uploads together."""
MEMORY_BYTES = 262_144
"""The maximum number of bytes of an upload in memory. A larger upload is on disk."""
IN_MEMORY_BYTES = 2 * MEMORY_BYTES
"""The memory that is counted for each upload."""
SPOOLED = "chatroom.spooled"
"""The key in a request's scope that marks an upload that was received into a file."""


class Uploads:
    """An ASGI middleware. The app `large` gets complete uploads. The app `small` gets all other requests.

    `find_user` is called in a thread, and returns the id of the logged-in user.
    """

    def __init__(
        self,
        small: Application,
        large: Application,
        *,
        is_upload: Callable[[Scope], bool],
        find_user: Callable[[Scope], str | None],
        small_bytes: int,
        most_bytes: int,
    ) -> None:
        self._small = small
        self._large = large
        self._is_upload = is_upload
        self._find_user = find_user
        self._small_bytes = small_bytes
        self._most_bytes = most_bytes
        self._uploads: Counter[str] = Counter()
        self._spooled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        user_id = await self._find_sender(without_underscores(scope))
        if user_id is None:
            await self._small(scope, receive, send)
            return
        account = account_of(scope)
        account.person = user_id
        if self._is_full(user_id) or not account.hold(IN_MEMORY_BYTES):
            await refuse(send, 503, "The server is receiving too many uploads. Please try again in a moment.")
            return
        try:
            with counted(self._uploads, user_id), SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
                await self._serve(scope, receive, send, cast("BinaryIO", spool))
        finally:
            account.release(IN_MEMORY_BYTES)

    def _is_full(self, user_id: str) -> bool:
        return self._uploads.total() >= UPLOADS or self._uploads[user_id] >= UPLOADS_PER_USER

    async def _find_sender(self, scope: Scope) -> str | None:
        """Return the id of the user if this upload may be received into a file; None for any other request."""
        length = announced_length(scope)
        is_chunked = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        if not self._is_upload(scope) or (length <= self._small_bytes and not is_chunked):
            return None
        if 0 < self._most_bytes < length:
            return None  # the app refuses the request without reading it
        try:
            return await asyncio.to_thread(self._find_user, scope)
        except ChatroomError:
            return None  # the app gets the same error, and answers

    async def _serve(self, scope: Scope, receive: Receive, send: Send, spool: BinaryIO) -> None:
        intake = _Intake(spool)
        spooled = self._spooled
        try:
            async for size in intake.take(receive):
                self._spooled += size
                if 0 < self._most_bytes < intake.size:
                    await refuse(send, 413, "The request is too large.")
                    return
                if self._spooled > SPOOLED_BYTES:
                    log.warning("an upload was refused: %d bytes of uploads are held", spooled)
                    await refuse(send, 503, "The server is receiving too many uploads. Please try again in a moment.")
                    return
            if intake.is_whole:
                spool.seek(0)
                scope = {**with_length(without_underscores(scope), intake.size), SPOOLED: True}
                await self._large(scope, _reading(spool, receive), send)
        except TimeoutError:
            await refuse(send, 408, "The upload was too slow. Please try again with a better network connection.")
        finally:
            self._spooled -= intake.size


class _Intake:
    """The body of one upload, while it is written to disk."""

    def __init__(self, spool: BinaryIO) -> None:
        self._spool = spool
        self.size = 0
        self.is_whole = False

    async def take(self, receive: Receive) -> Any:
        """Store the body, and yield the size of each part; raise `TimeoutError` if the body is too slow."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        waiting: list[bytes] = []
        while not self.is_whole:
            async with asyncio.timeout_at(began_at + PATIENCE_SECONDS + self.size / LEAST_RATE):
                event = await receive()
            if event["type"] != "http.request":
                return  # the client has disconnected
            body = event.get("body", b"")
            self.size += len(body)
            self.is_whole = not event.get("more_body")
            yield len(body)
            waiting.append(body)
            if self.is_whole or sum(map(len, waiting)) >= MEMORY_BYTES:
                # In a thread, because the disk may be slow.
                await asyncio.to_thread(self._spool.write, b"".join(waiting))
                waiting.clear()


def _reading(spool: BinaryIO, receive: Receive) -> Receive:
    """Return a `receive` that gives the body in pieces, and then waits for the client to disconnect."""
    is_given = False

    async def receive_piece() -> dict[str, Any]:
        nonlocal is_given
        if is_given:
            return await receive()
        piece = await asyncio.to_thread(spool.read, MEMORY_BYTES)
        is_given = not piece
        return {"type": "http.request", "body": piece, "more_body": not is_given}

    return receive_piece
