"""Limit the rate of one user's frames over all connections of this process: a flood delays only itself.

What is stored has limits of its own and costs nothing here; everything else does, done or refused.
"""

import asyncio
import time
from collections.abc import Callable

BURST = 400
"""As much may come at once: somebody who comes back with several tabs follows their rooms anew in each."""
PER_SECOND = 20.0
FOLLOW = 2
"""What following costs: perhaps a page of history."""
READS_AT_ONCE = 2
"""Pages of history that one user's followers read from the store at the same moment."""
MOST_REST_SECONDS = 5.0
"""However much was sent: a connection that rests does not notice that its client has gone."""
FRAMES_A_TURN = 20
"""Frames of one connection that are taken before the others have their turn."""
MAX_PACES = 10_000


class Pace:
    """What one user may still send at once; it fills again with time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()
        self.reading = asyncio.Semaphore(READS_AT_ONCE)

    def take(self, cost: int = 1) -> float:
        """Count what was done, and return how many seconds to rest before the next."""
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._at) * PER_SECOND) - cost
        self._at = now
        return min(max(0.0, -self._left / PER_SECOND), MOST_REST_SECONDS)

    @property
    def is_rested(self) -> bool:
        """Whether it may be forgotten."""
        return self._left + (self._clock() - self._at) * PER_SECOND >= BURST


class Paces:
    """The rate of each user, kept after their connections end, so that reconnecting does not reset it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}

    def of(self, user_id: str) -> Pace:
        """A user's."""
        if len(self._paces) >= MAX_PACES:
            self._paces = {id: pace for id, pace in self._paces.items() if not pace.is_rested}
        return self._paces.setdefault(user_id, Pace(self._clock))
