"""Write a batch of a room, and know what became of it.

It is tried from the event loop first, without a thread; an unknown outcome is tried again, with the same client ids.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft
from chatroom.live.writing.rivals import Rivals
from chatroom.messages.async_store import Outrun, StoreNow
from chatroom.messages.messages_store import Stored

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
MAX_TRIES = 3
"""Where another process was quicker; then the store settles it."""

RunInThread = Callable[..., Awaitable[Any]]
Outcome = list[Stored] | ChatroomError


class Appending(Protocol):
    """What stores drafts as a room's next messages: in a thread, from the event loop, or made ready for it before."""

    def append(self, room_id: str, drafts: Sequence[Draft], after: int | None = None) -> list[Stored]: ...
    async def append_now(self, room_id: str, drafts: Sequence[Draft], after: int) -> list[Stored] | None: ...
    def make_ready(self, room_id: str, drafts: Sequence[Draft], after: int) -> StoreNow | None: ...


class BatchWriter:
    """One process's. `rivals` are the processes that write into the same rooms."""

    def __init__(self, appending: Appending, run: RunInThread, rivals: Rivals) -> None:
        self._appending = appending
        self._run = run
        self._rivals = rivals

    async def write(
        self, room: str, drafts: list[Draft], newest: int | None, store_now: StoreNow | None = None
    ) -> Outcome:
        """Store drafts behind the newest revision, with what was made ready for it if anything was."""
        stored = await self._write_now(room, drafts, newest, store_now)
        if stored is None:
            newest = self._rivals.newest(room)
            stored = await self.persist(lambda: self._appending.append(room, drafts, newest))
        if not isinstance(stored, ChatroomError):
            self._rivals.follow(room, max(each.message.revision for each in stored))
        return stored

    async def persist(self, write: Callable[[], Any]) -> Any:
        """Try until the outcome is known. A time-out is unknown: neither stored nor failed."""
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
                log.exception("a write failed for a reason that trying again cannot mend")
                return Unavailable("The message could not be stored.")

    async def _write_now(
        self, room: str, drafts: list[Draft], newest: int | None, store_now: StoreNow | None
    ) -> list[Stored] | None:
        """Try it without a thread; None where the ordinary way has to be gone, whatever the reason."""
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
                log.exception("a write from the event loop failed; it is made in a thread")
                return None
        return None
