"""Write a batch of a room until its outcome is known.

It is tried from the event loop first, without a thread; after an unknown outcome again, with the same client ids.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft
from chatroom.base.threads import RunInThread
from chatroom.live.writing.rivals import Rivals
from chatroom.messages.appending import Appending
from chatroom.messages.async_store import Outrun, StoreNow
from chatroom.messages.messages_store import Stored

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
MAX_TRIES = 3
"""While other processes are quicker; then the store settles it."""

Outcome = list[Stored] | ChatroomError


class BatchWriter:
    """One process's. `rivals` are the processes that write into the same rooms."""

    def __init__(self, appending: Appending, run: RunInThread, rivals: Rivals) -> None:
        self._appending = appending
        self._run = run
        self._rivals = rivals

    async def write(
        self, room: str, drafts: list[Draft], newest: int | None, store_now: StoreNow | None = None
    ) -> Outcome:
        """Store drafts behind the newest revision, with `store_now` if it was made ready for them."""
        stored = await self._write_now(room, drafts, newest, store_now)
        if stored is None:
            newest = self._rivals.newest(room)
            stored = await self.persist(lambda: self._appending.append(room, drafts, newest))
        if not isinstance(stored, ChatroomError):
            self._rivals.follow(room, max(each.message.revision for each in stored))
        return stored

    async def persist(self, write: Callable[[], Any]) -> Any:
        """Try until the outcome is known. After a time-out it is unknown: neither stored nor failed."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._run(write)
            except Refused as refusal:
                return refusal
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception:
                log.exception("a write failed with an error that a retry cannot solve")
                return Unavailable("The message could not be stored.")

    async def _write_now(
        self, room: str, drafts: list[Draft], newest: int | None, store_now: StoreNow | None
    ) -> list[Stored] | None:
        """Try it without a thread; None if it has to be written in a thread, whatever the reason."""
        for _ in range(MAX_TRIES):
            if newest is None:
                return None
            try:
                return await (store_now() if store_now else self._appending.append_now(room, drafts, newest))
            except Outrun:
                store_now = None
                if not await self._rivals.lose(room, newest):
                    return None
                newest = self._rivals.newest(room)
            except Exception:
                log.exception("a write from the event loop failed; it is retried in a thread")
                return None
        return None
