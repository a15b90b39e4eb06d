"""Take turns with other processes that post into the same room.

Every process inserts at the newest revision + 1, so of two that write at the same time one fails. After that, each
waits after its own batch until it has heard of another's. The first wait without one ends this: a process that posts
alone never waits.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.05
CONTESTED_SECONDS = 1.0
"""How long a contest lasts after its last write."""


class Contest:
    """A room in which another process writes as well."""

    __slots__ = ("ended_at", "heard", "ours", "theirs")

    def __init__(self) -> None:
        self.ours = 0
        """The revision after our last batch: behind it, it is the others' turn."""
        self.theirs = 0
        """The newest known revision of the others."""
        self.ended_at = time.monotonic() + CONTESTED_SECONDS
        self.heard = asyncio.Event()

    def hear(self, revision: int) -> None:
        """Another process has reached a revision."""
        self.theirs = revision
        self.heard.set()

    def follow(self, revision: int) -> None:
        """This process has written up to a revision."""
        self.ours = revision
        self.ended_at = time.monotonic() + CONTESTED_SECONDS


class Rivals:
    """The contested rooms. `shown` returns the revision that the readers here have; None if there are none."""

    def __init__(self, shown: Callable[[str], int | None]) -> None:
        self._shown = shown
        self._contests: dict[str, Contest] = {}
        self._deaf_until = float("-inf")
        """Until then nobody waits: other processes are heard of too late for that, such as by polling."""

    def newest(self, room: str) -> int | None:
        """The newest known revision; None if this process would not hear of a newer one."""
        shown, contest = self._shown(room), self._contests.get(room)
        return shown if shown is None or contest is None else max(shown, contest.theirs)

    def are_in(self, room: str) -> bool:
        """Whether others write in the room as well."""
        return room in self._contests

    def meet(self, room: str) -> None:
        """Begin a contest: others write in a room, as this process does right now."""
        if room not in self._contests:
            now = time.monotonic()  # contests that are over are removed when another begins
            self._contests = {room: contest for room, contest in self._contests.items() if now <= contest.ended_at}
            self._contests[room] = Contest()

    def hear(self, room: str, revision: int) -> None:
        """Note that another process has reached a revision in a room."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.hear(revision)

    def follow(self, room: str, revision: int) -> None:
        """Note that this process has written up to a revision: the next turn is another's."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.follow(revision)

    async def take_turn(self, room: str) -> None:
        """Wait until others have written after this process, while a contest lasts."""
        contest = self._contests.get(room)
        if contest is None:
            return
        if time.monotonic() > contest.ended_at or not await self._outlast(room, contest, contest.ours):
            self._contests.pop(room, None)

    async def lose(self, room: str, revision: int) -> bool:
        """Another process was quicker: wait until its write has been heard of; False if that takes too long."""
        if time.monotonic() < self._deaf_until:
            return False
        self.meet(room)
        has_heard = await self._outlast(room, self._contests[room], revision)
        if not has_heard:
            self._contests.pop(room, None)
            self._deaf_until = time.monotonic() + CONTESTED_SECONDS
        return has_heard

    async def _outlast(self, room: str, contest: Contest, revision: int) -> bool:
        """Wait until more than a revision is known; False if nothing came in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (newest := self.newest(room)) is not None and newest <= revision:
                    contest.heard.clear()
                    await contest.heard.wait()
        except TimeoutError:
            return False
        return newest is not None
