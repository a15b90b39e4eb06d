"""Limits on space: for all files of the site, and for each person's files without a message.

A file counts before its first byte is stored, with its stored size, in every process.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.files.files_store import FileStore, KeptFile

MESSAGES = 2
"""So many messages of files may be in preparation."""
LEAST_PART = 10
"""Nobody fills more than this part of the whole space with what no message has."""


class FileSpace:
    """Refuse files for which there is no room. `is_used` tells whether a message has a file."""

    def __init__(self, store: FileStore, settings: Settings, *, is_used: Callable[[KeptFile], bool]) -> None:
        self._store = store
        self._is_used = is_used
        self._most = settings.max_total_file_bytes
        self.share = _share(settings)

    def check(self, owner_id: str, *, now: datetime, unused_for: timedelta, again: datetime) -> None:
        """Raise `Refused` (`full`) where what is stored is too much; it includes the file that is asked for.

        What a message has is not looked at before `again`.
        """
        if 0 < self._most < self._store.total_bytes():
            raise Refused("full", "There is no space left for files. The operator of the site can add some.")
        recent = self._store.recent(owner_id, now, now + unused_for)
        if 0 < self.share < _bytes_of(recent):
            used = {kept.file.id for kept in recent if self._is_used(kept)}
            self._store.check_at(list(used), again)
            if self.share < _bytes_of(kept for kept in recent if kept.file.id not in used):
                raise Refused("full", f"Too many of your uploads are not part of a message: {_allowed(self.share)}")


def in_megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1_000_000:g} MB" if size >= 100_000 else f"{size:,} bytes"


def _allowed(share: int) -> str:
    return f"at most {in_megabytes(share)} are allowed. Post them, or wait: they are removed a day after the upload."


def _share(settings: Settings) -> int:
    """For one person, in bytes; 0 for no limit. One file always fits."""
    messages = MESSAGES * settings.max_file_bytes * max(1, settings.max_files_per_message)
    total = settings.max_total_file_bytes
    part = max(total // LEAST_PART, settings.max_file_bytes) if total else 0
    return min(filter(None, (messages, part)), default=0)


def _bytes_of(files: Iterable[KeptFile]) -> int:
    return sum(kept.file.size for kept in files)
