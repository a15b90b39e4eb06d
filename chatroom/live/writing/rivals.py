"""Write in turn with other processes that post into the same room.

Everybody inserts at the newest revision + 1, so of two who write at once one has tried in vain. Where that happens,
each waits after its own batch until it has heard of another's. A wait in vain ends it: where one process alone posts,
nobody ever waits.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.05
CONTESTED_SECONDS = 1.0
"""After a contest's last write, which it does not outlive by more."""


class Contest:
    """A room into which another process writes as well."""

    __slots__ = ("ended_at", "heard", "ours", "theirs")

    def __init__(self) -> None:
        self.ours = 0
        """The revision to which our last batch led: behind it, it is the others' turn."""
        self.theirs = 0
        """The revision to which the others are known to have come."""
        self.ended_at = time.monotonic() + CONTESTED_SECONDS
        self.heard = asyncio.Event()

    def hear(self, revision: int) -> None:
        """Another process has reached a revision."""
        self.theirs = revision
        self.heard.set()

    def follow(self, revision: int) -> None:
        """This process has written, up to a revision."""
        self.ours = revision
        self.ended_at = time.monotonic() + CONTESTED_SECONDS


class Rivals:
    """The contested rooms. `shown` is the revision that the readers here have; None where there are none."""

    def __init__(self, shown: Callable[[str], int | None]) -> None:
        self._shown = shown
        self._contests: dict[str, Contest] = {}
        self._deaf_until = float("-inf")
        """Where others are heard of late, as by polling, waiting for them is in vain: then nobody does for a while."""

    def newest(self, room: str) -> int | None:
        """The newest revision that is known; None where nobody here would hear of a newer one."""
        shown, contest = self._shown(room), self._contests.get(room)
        return shown if shown is None or contest is None else max(shown, contest.theirs)

    def are_in(self, room: str) -> bool:
        """Whether others write into the room as well."""
        return room in self._contests

    def meet(self, room: str) -> None:
        """Others write into a room, as this process does right now."""
        if room not in self._contests:
            now = time.monotonic()  # those that are over go when another begins
            self._contests = {room: contest for room, contest in self._contests.items() if now <= contest.ended_at}
            self._contests[room] = Contest()

    def hear(self, room: str, revision: int) -> None:
        """Another process has reached a revision in a contested room."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.hear(revision)

    def follow(self, room: str, revision: int) -> None:
        """This process has written, up to a revision: the next turn is another's."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.follow(revision)

    async def take_turn(self, room: str) -> None:
        """Wait until others have written after this process, for as long as a contest is worth that."""
        contest = self._contests.get(room)
        if contest is None:
            return
        if time.monotonic() > contest.ended_at or not await self._outlast(room, contest, contest.ours):
            self._contests.pop(room, None)

    async def lose(self, room: str, revision: int) -> bool:
        """Another process was quicker: wait until it has been heard of; False where that takes too long."""
        if time.monotonic() < self._deaf_until:
            return False
        self.meet(room)
        has_heard = await self._outlast(room, self._contests[room], revision)
        if not has_heard:
            self._contests.pop(room, None)
            self._deaf_until = time.monotonic() + CONTESTED_SECONDS
        return has_heard

    async def _outlast(self, room: str, contest: Contest, revision: int) -> bool:
        """Wait until more than a revision is known; False when nothing came for a while."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (newest := self.newest(room)) is not None and newest <= revision:
                    contest.heard.clear()
                    await contest.heard.wait()
        except TimeoutError:
            return False
        return newest is not None
