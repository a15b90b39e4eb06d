"""Limits on heavy work in threads: if no place is free, the work is refused as `busy`.

A request can wait only before it gets its thread, in the lane of its route (`chatroom/asgi/request_queue.py`).
"""

import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

from chatroom.base.errors import Refused

Lane = Literal["pages", "static", "probes", "pictures", "passwords", "names"]
Answer = TypeVar("Answer")
RunInThread = Callable[..., Awaitable[Any]]
"""Calls a blocking function in a thread; the event loop awaits its result."""

LOWER_PRIORITY = 10

current_lane: ContextVar[Lane | None] = ContextVar("current_lane", default=None)
"""The lane of the route that is being served; None outside requests."""
give_back: ContextVar[Callable[[], None]] = ContextVar("give_back", default=lambda: None)
"""Lets another request compute. Call this before a long wait."""


class Places:
    """A limited number of places for heavy work. If no place is free, the work is refused (`busy`)."""

    def __init__(self, lane: Lane, count: int, message: str, *, retry_after: float) -> None:
        self._lane = lane
        self._free = threading.BoundedSemaphore(count)
        self._message = message
        self._retry_after = retry_after

    def run(self, work: Callable[[], Answer]) -> Answer:
        """Do the work now, or raise `Refused`."""
        check_lane(self._lane)
        if not self._free.acquire(blocking=False):
            raise Refused("busy", self._message, retry_after=self._retry_after)
        try:
            give_back.get()()
            return work()
        finally:
            self._free.release()


class Workers:
    """A few threads of low priority. While all threads are busy, one more piece of work may wait."""

    def __init__(self, lane: Lane, message: str, *, retry_after: float) -> None:
        count = worker_count()
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=lane, initializer=_lower_priority)
        self._places = Places(lane, count + 1, message, retry_after=retry_after)

    def run(self, work: Callable[[], Answer]) -> Answer:
        """Run work at low priority; raise `Refused` (`busy`) if other work is waiting already."""
        return self._places.run(lambda: self._threads.submit(work).result())

    def close(self) -> None:
        self._threads.shutdown(wait=False)


def check_lane(wanted: Lane) -> None:
    """Raise an error if the view of this request is not marked with the lane that its work needs."""
    lane = current_lane.get()
    if lane not in {None, wanted}:
        raise RuntimeError(f"a route of the lane {lane!r} does what its view must be marked {wanted!r} for")


def worker_count() -> int:
    """Return the number of threads for heavy work. One processor stays free for the event loop."""
    return max(1, (os.cpu_count() or 1) - 1)


def _lower_priority() -> None:
    """Lower the priority of this thread only: on Linux, each thread has a priority."""
    with contextlib.suppress(AttributeError, OSError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(LOWER_PRIORITY, os.getpriority(os.PRIO_PROCESS, thread)))
