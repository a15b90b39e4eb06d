"""What the event loop does once a second: end sessions, apply notices, renew presence and typing; and the chores.

Whatever fails is tried again at the next tick, and stops nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.live.rooms import LiveRooms

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
CHORE_TICKS = 10

Duty = Callable[[int], Awaitable[None]]
"""Done at each tick, whose number it is given."""


class Housekeeping:
    """Everything that a clock sets off in one process. `chores` block, and are called by `run`, in a thread."""

    def __init__(
        self,
        rooms: LiveRooms,
        duties: Sequence[Duty],
        chores: Sequence[Callable[[], object]],
        run: Callable[..., Awaitable[Any]],
    ) -> None:
        self._rooms = rooms
        self._duties = (*duties, self._do_chores)
        self._chores = chores
        self._run = run
        self._doing_chores: asyncio.Task[None] | None = None

    async def keep(self) -> None:
        """Do it all, once a second, until cancelled."""
        tick = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            tick += 1
            self._rooms.forget_empty()
            for duty in self._duties:
                try:
                    await duty(tick)
                except Unavailable:
                    continue  # logged where it was noticed; the next tick tries again
                except Exception:
                    log.exception("a chore of the engine failed and is tried again")

    async def _do_chores(self, tick: int) -> None:
        """What the application wants done now and then; one that takes long is not begun twice."""
        if tick % CHORE_TICKS == 0 and (self._doing_chores is None or self._doing_chores.done()):
            self._doing_chores = asyncio.get_running_loop().create_task(self._run_chores())

    async def _run_chores(self) -> None:
        for chore in self._chores:
            try:
                await self._run(chore)
            except Unavailable:
                continue  # logged where it was noticed
            except Exception:
                log.exception("a chore of the application failed and is tried again")
