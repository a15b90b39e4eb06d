"""Background threads. They repeat their work after a pause, or as soon as they are woken.

With a lease, only the process that holds the lease does the work. Without a lease, every process does the work.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from chatroom.base.errors import ChatroomError
from chatroom.site.leases_store import LeaseStore

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
STOP_SECONDS = 5.0
CHORE_SECONDS, CHORE_LEASE_SECONDS = 10.0, 20.0

Report = Callable[[str, int, int], None]
"""Called with a name, the amount done, and the total amount."""


class Lease:
    """This process's lease for work that only one process does."""

    def __init__(self, store: LeaseStore, name: str, seconds: float) -> None:
        self._store = store
        self._name = name
        self._seconds = seconds
        self._taken_at = float("-inf")

    def is_held(self) -> bool:
        """Take the lease if free, or prolong it after a third of its time; return whether this process holds it."""
        now = time.monotonic()
        if now - self._taken_at < self._seconds / 3:
            return True
        is_ours = self._store.take(self._name, self._seconds)
        self._taken_at = now if is_ours else float("-inf")
        return is_ours

    def give_back(self) -> None:
        if self._taken_at > float("-inf"):
            self._taken_at = float("-inf")
            self._store.give_back(self._name)


class BackgroundThread:
    """Calls `work` every `pause_seconds` (None: `PAUSE_SECONDS`), even after an error.

    `stop` waits at most `stop_seconds` for the current call.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        *,
        lease: Lease | None = None,
        pause_seconds: float | None = None,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self.name = name
        self.lease = lease
        self._work = work
        self._pause_seconds = pause_seconds
        self._stop_seconds = stop_seconds
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """End the pause, because there is work."""
        self._woken.set()

    def stop(self) -> None:
        """Stop the thread, and release the lease."""
        stop_all([self])

    def tell_to_stop(self) -> None:
        """Ask the thread to stop after its current step, and return at once."""
        self._stopped.set()
        self._woken.set()

    def wait_until_stopped(self, told_at: float) -> None:
        """Wait until the current call ends, but not longer than `stop_seconds` from the time `told_at`."""
        if self._thread is not None:
            self._thread.join(max(0.0, told_at + self._stop_seconds - time.monotonic()))
            self._thread = None

    def may_go_on(self, rest_seconds: float = 0.0) -> bool:
        """Rest, prolong the lease, and return whether `work` may take its next step; call this before each step.

        Outside the thread, `work` never rests and needs no lease.
        """
        if self._thread is not None and rest_seconds > 0:
            self._stopped.wait(rest_seconds)
        if self._stopped.is_set():
            return False
        return self._thread is None or self.lease is None or self.lease.is_held()

    def _run(self) -> None:
        while True:
            self._woken.wait(PAUSE_SECONDS if self._pause_seconds is None else self._pause_seconds)
            self._woken.clear()
            if self._stopped.is_set():
                break
            try:
                if self.lease is None or self.lease.is_held():
                    self._work()
            except ChatroomError:
                pass  # the database is away; `Database.bounded` has logged this
            except Exception:
                log.exception("the background thread %r failed and tries again", self.name)
        if self.lease is not None:
            with suppress(ChatroomError):  # after an error, the lease expires
                self.lease.give_back()


def make_chore(name: str, work: Callable[[], object], leases: LeaseStore) -> BackgroundThread:
    """Create a thread that works every ten seconds in one process. After a crash, another process takes over."""
    lease = Lease(leases, name, CHORE_LEASE_SECONDS)
    return BackgroundThread(name, work, lease=lease, pause_seconds=CHORE_SECONDS)


def stop_all(threads: Sequence[BackgroundThread]) -> None:
    """Stop several threads at the same time."""
    now = time.monotonic()
    for each in threads:
        each.tell_to_stop()
    for each in threads:
        each.wait_until_stopped(now)
