"""Store the read positions of one connection, with pauses of two seconds.

The first position is stored at once. The newest position is always stored, even if the connection ends.
"""

import asyncio
import logging
from collections.abc import Callable

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError
from chatroom.base.threads import RunInThread

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0


class Positions:
    """The read positions of one connection that are not stored yet: at most one for each room."""

    def __init__(self, run: RunInThread, mark: Callable[[Access, int, int], object]) -> None:
        self._run = run
        self._mark = mark
        self._waiting: dict[str, tuple[Access, tuple[int, int]]] = {}
        self._task: asyncio.Task[None] | None = None

    def put(self, access: Access, sequence: int, unread_marks: int | None = None) -> None:
        """Store a position soon. If several positions in one room wait, only the highest is stored.

        Positions after the newest mark as unread (`unread_marks`, by default the number in `access`) replace all
        positions before it, which would be refused.
        """
        marks = access.membership.unread_marks if unread_marks is None else unread_marks
        _, known = self._waiting.get(access.room.id, (access, (0, 0)))
        self._waiting[access.room.id] = (access, max((marks, sequence), known))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            for access, (marks, sequence) in waiting.values():
                try:
                    await self._run(self._mark, access, sequence, marks)
                except ChatroomError:  # already logged; the client will send a later position
                    continue
                except RuntimeError:  # the server stops
                    return
            await asyncio.sleep(PAUSE_SECONDS)
