"""The use of a file by its message or by a held message; the sweep removes unused files.

The sweep removes a file a day after its upload, or after its message was deleted.
"""

from collections.abc import Callable
from datetime import timedelta

from chatroom.base.clock import Clock
from chatroom.base.models import Held, Message
from chatroom.files.files_store import FileStore, KeptFile

UNUSED_FOR = timedelta(hours=24)
CHECK_EVERY = timedelta(days=7)
CHECK_TIME = timedelta(minutes=10)
"""The time for one check of one file; after that, another process may try."""


class FileUsage:
    """Finds out which files are in use, and removes the others."""

    def __init__(
        self,
        store: FileStore,
        find_message: Callable[[str, str, str], Message | None],
        find_held: Callable[[str, str, str], Held | None],
        clock: Clock,
    ) -> None:
        self._store = store
        self.find_message = find_message
        self._find_held = find_held
        self._clock = clock

    def is_used(self, kept: KeptFile) -> bool:
        """Return whether a message or a held message contains the file."""
        return self.has_message(kept) or self._is_held(kept)

    def has_message(self, kept: KeptFile) -> bool:
        """Return whether a message contains the file; otherwise only its owner may read it."""
        message = self.find_message(kept.room_id, kept.owner_id, kept.client_id)
        return message is not None and any(file.id == kept.file.id for file in message.files)

    def sweep(self, most: int = 100) -> int:
        """Remove at most `most` unused files and return their number; several processes share the work."""
        removed = 0
        for _ in range(most):
            kept = self._store.take_due(self._clock() + CHECK_TIME)
            if kept is None:
                break
            if kept.is_whole and self.is_used(kept):
                self._store.check_at([kept.file.id], self._clock() + CHECK_EVERY)
            elif not kept.is_whole or self._store.hide(kept):
                self._store.remove(kept.file.id)
                removed += 1
        return removed

    def _is_held(self, kept: KeptFile) -> bool:
        held = self._find_held(kept.room_id, kept.owner_id, kept.client_id) if kept.client_id else None
        return held is not None and not held.is_done and any(file.id == kept.file.id for file in held.files)
