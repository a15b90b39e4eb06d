"""Work that must be done in the database before the database is used."""

import threading
import time
from collections.abc import Callable

from chatroom.base.errors import Unavailable

PAUSE_SECONDS = 1.0


class Preparation:
    """Work that is done once. After a failure, every call fails for a second. Then the next call tries again."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._is_done = False
        self._again_at = 0.0

    def ensure(self) -> None:
        """Do the work unless it is done; raise `Unavailable` while the database is away."""
        if not self._is_done:
            with self._lock:
                self._ensure()

    def forget(self) -> None:
        """Wait until no call does the work, and mark the work as not done."""
        with self._lock:
            self._is_done = False

    def _ensure(self) -> None:
        if self._is_done:
            return
        if time.monotonic() < self._again_at:
            raise Unavailable("The database does not answer right now. Please try again in a moment.")
        try:
            self._prepare()
        except Unavailable:
            self._again_at = time.monotonic() + PAUSE_SECONDS
            raise
        self._is_done = True
