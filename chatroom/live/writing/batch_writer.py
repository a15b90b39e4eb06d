"""Write a batch of a room until the outcome is known.

The first tries run on the event loop. If the outcome is unknown, the drafts are written again with the same client ids.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft
from chatroom.base.threads import RunInThread
from chatroom.live.writing.rivals import Rivals
from chatroom.messages.appending import Appending
from chatroom.messages.async_store import Outrun, StoreNow
from chatroom.messages.messages_store import Stored
from chatroom.site.metrics import NO_METRICS, Metrics

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
MAX_TRIES = 3
"""The maximum number of tries on the event loop. After that, `MessageStore.append` stores the batch in a thread."""

Outcome = list[Stored] | ChatroomError


class BatchWriter:
    """The writer of one process. `rivals` are the processes that write into the same rooms."""

    def __init__(self, appending: Appending, run: RunInThread, rivals: Rivals, metrics: Metrics = NO_METRICS) -> None:
        self._appending = appending
        self._run = run
        self._rivals = rivals
        self._metrics = metrics

    async def write(
        self, room: str, drafts: list[Draft], newest: int | None, store_now: StoreNow | None = None
    ) -> Outcome:
        """Store drafts after the revision `newest`. `store_now` makes the first try, if it is given."""
        began = time.perf_counter()
        stored = await self._write_now(room, drafts, newest, store_now)
        if stored is None:
            newest = self._rivals.newest(room)
            stored = await self.persist(lambda: self._appending.append(room, drafts, newest))
        if not isinstance(stored, ChatroomError):
            self._metrics.stored(len(stored), time.perf_counter() - began)
            self._rivals.follow(room, max(each.message.revision for each in stored))
        return stored

    async def persist(self, write: Callable[[], Any]) -> Any:
        """Write in a thread. Repeat this while the outcome is unknown (`Unavailable`), for example after a time-out."""
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
        """Try to write on the event loop. Return None if the drafts must be written in a thread."""
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
