"""Fair use of a shared thread: a person whose work took long waits ten times as long for the next turn.

So nobody takes more than a tenth of the thread, however slowly their address answers.
"""

import threading
import time
from collections.abc import Callable

SLOW_SECONDS = 1.0
"""A quicker turn costs nothing."""
FACTOR = 10
MOST = 10_000


class FairTurns:
    """Who has to wait, and until when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def is_due(self, key: str) -> bool:
        """Whether it is somebody's turn."""
        return self._until.get(key, 0.0) <= self._clock()

    def take(self, key: str, turn: Callable[[], bool]) -> bool:
        """Have a turn, and count how long it takes; answers with what the turn did."""
        began = self._clock()
        try:
            return turn()
        finally:
            now = self._clock()
            if now - began > SLOW_SECONDS:
                self._note(key, now, now + FACTOR * (now - began))

    def _note(self, key: str, now: float, until: float) -> None:
        with self._lock:
            if len(self._until) >= MOST:
                self._until = {key: until for key, until in self._until.items() if until > now}
            self._until[key] = max(until, self._until.get(key, 0.0))
