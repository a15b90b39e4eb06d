"""Limit the rate of one user's frames over all connections of this process: a flood delays only its own user.

Frames that are stored have other limits, and are free here; all others count, whether accepted or refused.
"""

import asyncio
import time
from collections.abc import Callable

BURST = 400
"""Frames without a pause: a user who reconnects with several tabs follows their rooms again in each."""
PER_SECOND = 20.0
FOLLOW = 2
"""The cost of following: it may read a page of history."""
READS_AT_ONCE = 2
"""Pages of history that one user's followers read from the store at the same moment."""
MOST_REST_SECONDS = 5.0
"""The longest pause: a connection does not notice meanwhile that its client is gone."""
FRAMES_A_TURN = 20
"""Frames of one connection that are taken before other connections get a turn."""
MAX_PACES = 10_000


class Pace:
    """How much one user may still send without a pause; it grows again with time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()
        self.reading = asyncio.Semaphore(READS_AT_ONCE)

    def take(self, cost: int = 1) -> float:
        """Count a frame, and return how many seconds to pause before the next."""
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._at) * PER_SECOND) - cost
        self._at = now
        return min(max(0.0, -self._left / PER_SECOND), MOST_REST_SECONDS)

    @property
    def is_rested(self) -> bool:
        """Whether it can be forgotten, because it is full again."""
        return self._left + (self._clock() - self._at) * PER_SECOND >= BURST


class Paces:
    """The rate of each user, kept after their connections end, so that reconnecting does not reset it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}

    def of(self, user_id: str) -> Pace:
        if len(self._paces) >= MAX_PACES:
            self._paces = {id: pace for id, pace in self._paces.items() if not pace.is_rested}
        return self._paces.setdefault(user_id, Pace(self._clock))
