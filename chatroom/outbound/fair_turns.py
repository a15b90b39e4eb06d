"""Fair use of a shared thread: after a slow turn, a user waits ten times as long as the turn took."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SLOW_SECONDS = 1.0
"""After a turn shorter than this, there is no pause."""
FACTOR = 10
MOST = 10_000


class FairTurns:
    """The users' pauses after slow turns."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def is_due(self, key: str) -> bool:
        """Return whether this user may have a turn now."""
        return self._until.get(key, 0.0) <= self._clock()

    @contextmanager
    def take(self, key: str) -> Iterator[None]:
        """Measure a turn (the `with` block), and set the user's pause after it."""
        began = self._clock()
        try:
            yield
        finally:
            now = self._clock()
            if now - began > SLOW_SECONDS:
                self._note(key, now, now + FACTOR * (now - began))

    def _note(self, key: str, now: float, until: float) -> None:
        with self._lock:
            if len(self._until) >= MOST:
                self._until = {key: until for key, until in self._until.items() if until > now}
            self._until[key] = max(until, self._until.get(key, 0.0))
