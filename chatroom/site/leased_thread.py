"""A thread of which, of all processes, only the one works that holds a lease; the others wait for their turn."""

import logging
import threading
import time
from collections.abc import Callable

from chatroom.base.errors import ChatroomError
from chatroom.site.leases_store import LeaseStore

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class LeasedThread:
    """Does `work` again and again, a pause apart, while the lease of that name is this process's."""

    def __init__(
        self, name: str, leases: LeaseStore, work: Callable[[], None], *, lease_seconds: float, stop_seconds: float
    ) -> None:
        self.stopped = threading.Event()
        """Set when it is to stop: `work` looks at it between two steps, and ends."""
        self._name = name
        self._leases = leases
        self._work = work
        self._lease_seconds = lease_seconds
        self._stop_seconds = stop_seconds
        self._thread: threading.Thread | None = None
        self._taken_at = float("-inf")

    @property
    def is_started(self) -> bool:
        """Whether it works, or waits for its turn."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to work, as long as no other process does."""
        self.stopped.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work no longer, and let another process do it."""
        self.stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=self._stop_seconds)
            self._thread = None

    def may_go_on(self) -> bool:
        """Whether `work` may take its next step, asked before each: prolongs the lease, and notices who has lost it."""
        if self.stopped.is_set():
            return False
        return self._thread is None or self._holds()

    def _holds(self) -> bool:
        """Whether the lease is ours; asks the database when a third of it has passed."""
        now = time.monotonic()
        if now - self._taken_at < self._lease_seconds / 3:
            return True
        holds = self._leases.take(self._name, self._lease_seconds)
        self._taken_at = now if holds else float("-inf")
        return holds

    def _run(self) -> None:
        holds = False
        while not self.stopped.wait(PAUSE_SECONDS):
            try:
                holds = self._holds()
                if holds:
                    self._work()
            except ChatroomError:
                pass  # the database is away, which is logged where it is noticed
            except Exception:
                log.exception("the thread %r stumbled and goes on", self._name)
        if holds:
            self._taken_at = float("-inf")
            self._leases.give_back(self._name)
