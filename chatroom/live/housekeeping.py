"""The work of the event loop once a second: end sessions, apply notices, renew presence and typing.

A failure is retried at the next tick, and stops nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from chatroom.base.errors import Unavailable
from chatroom.live.rooms import LiveRooms

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0

Duty = Callable[[int], Awaitable[None]]
"""Done at each tick, whose number it is given."""


class Housekeeping:
    """Everything that a clock sets off on the event loop of a process."""

    def __init__(self, rooms: LiveRooms, duties: Sequence[Duty]) -> None:
        self._rooms = rooms
        self._duties = duties

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
