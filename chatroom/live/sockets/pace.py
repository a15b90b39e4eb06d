"""Limit the rate of one user's frames over all connections of this process, so that a flood delays only this user.

Accepted posts and changes do not count, because they have other limits. All other frames count.
"""

import asyncio
import time
from collections.abc import Callable

BURST = 400
"""The maximum number of frames without a pause. After a reconnect, each tab follows all its rooms again."""
PER_SECOND = 20.0
FOLLOW = 2
"""The cost of a `follow` frame. It is more than 1, because a `follow` frame may read a page of history."""
READS_AT_ONCE = 2
"""The maximum number of pages of history that are read for one user at once."""
MOST_REST_SECONDS = 5.0
"""The longest pause. During a pause, a connection does not notice that its client is gone."""
FRAMES_A_TURN = 20
"""After so many frames of one connection, other connections get a turn."""
MAX_PACES = 10_000


class Pace:
    """Counts the frames that one user may still send without a pause. This number grows with time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()
        self.reading = asyncio.Semaphore(READS_AT_ONCE)

    def take(self, cost: int = 1) -> float:
        """Count a frame, and return the seconds to pause before the next frame."""
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._at) * PER_SECOND) - cost
        self._at = now
        return min(max(0.0, -self._left / PER_SECOND), MOST_REST_SECONDS)

    @property
    def is_rested(self) -> bool:
        """Whether the user may send a full burst again. A `Pace` in this state can be forgotten."""
        return self._left + (self._clock() - self._at) * PER_SECOND >= BURST


class Paces:
    """The pace of each user. A pace is kept after the user's connections end, so a reconnect does not reset it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}

    def of(self, user_id: str) -> Pace:
        if len(self._paces) >= MAX_PACES:
            self._paces = {id: pace for id, pace in self._paces.items() if not pace.is_rested}
        return self._paces.setdefault(user_id, Pace(self._clock))
