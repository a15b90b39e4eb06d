"""Counters of the `limits` library: in MongoDB for all processes, in memory for this process.

Counters expire. A counter in memory holds at most the events of one window.
"""

import threading
import time
from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any

from limits.storage import MongoDBStorage, Storage
from limits.storage.base import MovingWindowSupport

from chatroom.mongo.database import Database

SWEEP_EVERY = 10_000
"""The number of counted events after which expired windows are removed."""


class MongoWindows(MongoDBStorage):
    """The library's MongoDB storage, with the client of this process."""

    STORAGE_SCHEME = ["chatroom"]  # noqa: RUF012  the library reads it so

    def __init__(self, database: Database) -> None:
        self._owner = database
        super().__init__(
            "chatroom://",
            database_name=database.name,
            counter_collection_name="attempt_counters",
            window_collection_name="attempts",
        )

    def _init_mongo_client(self, uri: str | None, **options: Any) -> Any:  # noqa: ARG002  the library's signature
        return self._owner.client

    def __del__(self) -> None:
        """Leave the client open, because it belongs to `Database`. The library's own method would close it."""


class MemoryWindows(Storage, MovingWindowSupport):
    """Moving windows in memory. The library's version would start a thread for each event."""

    STORAGE_SCHEME = ["chatroom-memory"]  # noqa: RUF012

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._events: dict[str, tuple[int, list[float]]] = {}
        self._until_sweep = SWEEP_EVERY

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count an event and return True, unless the window is full."""
        now = self._clock()
        with self._lock:
            events = self._current(key, expiry, now)
            if len(events) + amount > limit:
                return False
            for _ in range(amount):
                insort(events, now)
            self._sweep(now)
        return True

    def add(self, key: str, limit: int, expiry: int) -> None:
        """Count an event of another process, even if the window is full."""
        now = self._clock()
        with self._lock:
            events = self._current(key, expiry, now)
            insort(events, now)
            del events[:-limit]

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return the time of the oldest event in the window, and the number of events."""
        now = self._clock()
        with self._lock:
            events = self._current(key, expiry, now)
            return (events[0] if events else now), len(events)

    def clear(self, key: str) -> None:
        """Forget the events of a key."""
        with self._lock:
            self._events.pop(key, None)

    def _current(self, key: str, expiry: int, now: float) -> list[float]:
        _, events = self._events.setdefault(key, (expiry, []))
        del events[: bisect_right(events, now - expiry)]
        return events

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._until_sweep = SWEEP_EVERY
            for key, (expiry, events) in list(self._events.items()):
                if not events or events[-1] <= now - expiry:
                    del self._events[key]

    @property
    def base_exceptions(self) -> type[Exception]:
        """The exceptions of this storage, for the library. There are none; `ValueError` is a placeholder."""
        return ValueError

    def check(self) -> bool:
        """Return True: the storage always works."""
        return True

    def reset(self) -> int | None:
        """Forget all events; return the number of keys."""
        with self._lock:
            count = len(self._events)
            self._events.clear()
        return count

    def get(self, key: str) -> int:
        """Always raise `NotImplementedError`: the library needs this method only for fixed windows."""
        raise NotImplementedError

    incr = get_expiry = get  # type: ignore[assignment]
