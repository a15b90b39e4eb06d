"""Remove files without a message: a day after their upload, or after their message is gone."""

from datetime import timedelta

from chatroom.base.clock import Clock, utc_now
from chatroom.files.files_store import FileStore
from chatroom.files.usage import FileUsage

UNUSED_FOR = timedelta(hours=24)
CHECK_EVERY = timedelta(days=7)
CHECK_TIME = timedelta(minutes=10)
"""For one look at one file; then another process may try."""


class FileSweep:
    """Look at each file now and then, and remove it where nothing has it."""

    def __init__(self, store: FileStore, usage: FileUsage, *, clock: Clock = utc_now) -> None:
        self._store = store
        self._usage = usage
        self._clock = clock

    def run(self, most: int = 100) -> int:
        """Remove files without a message, at most `most` at once; several processes share the work."""
        removed = 0
        for _ in range(most):
            kept = self._store.take_due(self._clock() + CHECK_TIME)
            if kept is None:
                break
            if kept.is_whole and self._usage.is_used(kept):
                self._store.check_at([kept.file.id], self._clock() + CHECK_EVERY)
            elif not kept.is_whole or self._store.hide(kept):
                self._store.remove(kept.file.id)
                removed += 1
        return removed
