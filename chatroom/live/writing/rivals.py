"""Take turns with other processes that post into the same room.

All processes insert at the newest revision + 1, so one of two simultaneous writes fails. Then a contest begins.
During a contest, a process that has written a batch waits until another process has written one. If this wait
times out, the contest ends.
"""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 0.05
CONTESTED_SECONDS = 1.0
"""The time from the last write of this process to the end of a contest."""


class Contest:
    """The state of a room in which other processes write too."""

    __slots__ = ("ended_at", "heard", "ours", "theirs")

    def __init__(self) -> None:
        self.ours = 0
        """The newest revision that this process has written."""
        self.theirs = 0
        """The newest known revision that another process has written."""
        self.ended_at = time.monotonic() + CONTESTED_SECONDS
        self.heard = asyncio.Event()

    def hear(self, revision: int) -> None:
        """Note that another process has reached a revision."""
        self.theirs = revision
        self.heard.set()

    def follow(self, revision: int) -> None:
        """Note that this process has written up to a revision."""
        self.ours = revision
        self.ended_at = time.monotonic() + CONTESTED_SECONDS


class Rivals:
    """The contests of all rooms. `shown` returns the newest revision that readers in this process have, or None."""

    def __init__(self, shown: Callable[[str], int | None]) -> None:
        self._shown = shown
        self._contests: dict[str, Contest] = {}
        self._deaf_until = float("-inf")
        """Until this time, `lose` does not wait: this process hears of other processes' writes too late."""

    def newest(self, room: str) -> int | None:
        """The newest known revision of a room; None if the room has no readers in this process."""
        shown, contest = self._shown(room), self._contests.get(room)
        return shown if shown is None or contest is None else max(shown, contest.theirs)

    def are_in(self, room: str) -> bool:
        """Whether the room has a contest."""
        return room in self._contests

    def meet(self, room: str) -> None:
        """Begin a contest, because another process writes in the room at the same time."""
        if room not in self._contests:
            now = time.monotonic()  # the next line removes contests that have ended
            self._contests = {room: contest for room, contest in self._contests.items() if now <= contest.ended_at}
            self._contests[room] = Contest()

    def hear(self, room: str, revision: int) -> None:
        """Note that another process has reached a revision in a room."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.hear(revision)

    def follow(self, room: str, revision: int) -> None:
        """Note that this process has written up to a revision. Then it is another process's turn."""
        contest = self._contests.get(room)
        if contest is not None:
            contest.follow(revision)

    async def take_turn(self, room: str) -> None:
        """During a contest, wait until another process has written after this process."""
        contest = self._contests.get(room)
        if contest is None:
            return
        if time.monotonic() > contest.ended_at or not await self._outlast(room, contest, contest.ours):
            self._contests.pop(room, None)

    async def lose(self, room: str, revision: int) -> bool:
        """Another process was faster: wait until its write is known. Return False if it does not become known."""
        if time.monotonic() < self._deaf_until:
            return False
        self.meet(room)
        has_heard = await self._outlast(room, self._contests[room], revision)
        if not has_heard:
            self._contests.pop(room, None)
            self._deaf_until = time.monotonic() + CONTESTED_SECONDS
        return has_heard

    async def _outlast(self, room: str, contest: Contest, revision: int) -> bool:
        """Wait until a newer revision is known. Return False after the time-out."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (newest := self.newest(room)) is not None and newest <= revision:
                    contest.heard.clear()
                    await contest.heard.wait()
        except TimeoutError:
            return False
        return newest is not None
