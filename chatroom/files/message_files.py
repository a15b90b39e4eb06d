"""The files of messages. A message claims them when it is posted, and loses them when it is deleted.

A file belongs to its uploader until its message is stored. A day after the upload, the sweep removes a file that no
message contains. It also removes the files of deleted messages.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Draft, Held, Message, Room
from chatroom.files.files_store import FileStore, KeptFile

log = logging.getLogger(__name__)

UNUSED_FOR = timedelta(hours=24)
CHECK_EVERY = timedelta(days=7)
CHECK_TIME = timedelta(minutes=10)
"""The time to check one file. After this time, another process may check it."""
CHANGE_TIME = timedelta(minutes=1)
"""The time for the change that removes a file from its message."""
CLAIM_TRIES = 3


class FileUsage:
    """Finds out which files are in use, and removes the files that are not in use."""

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
        """Return whether a message contains the file. If no message contains it, only its owner can read it."""
        message = self.find_message(kept.room_id, kept.owner_id, kept.client_id)
        return message is not None and any(file.id == kept.file.id for file in message.files)

    def sweep(self, most: int = 100) -> int:
        """Remove at most `most` unused files; return their number. Several processes may call this at once."""
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


class MessageFiles:
    """Attaches files to messages, and removes them."""

    def __init__(self, store: FileStore, usage: FileUsage, *, most_files: int, clock: Clock = utc_now) -> None:
        self._store = store
        self._usage = usage
        self._most_files = most_files
        self._clock = clock

    def attach(self, room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
        """Add files to a draft: uploads of its author in this room, which no other message contains. Idempotent."""
        if not file_ids:
            return draft
        if len(file_ids) > self._most_files or len(set(file_ids)) != len(file_ids):
            raise Refused("too_many_files", f"A message has at most {self._most_files} files, without duplicates.")
        for _ in range(CLAIM_TRIES):
            found = self._store.find_all(file_ids)
            kept = [found[file_id] for file_id in file_ids if _is_own(found.get(file_id), room, draft)]
            if len(kept) < len(file_ids):
                return self._answer_without(room, draft)
            if all(self._claim(each, draft) for each in kept):
                return msgspec.structs.replace(draft, files=tuple(each.file for each in kept))
        raise Refused("busy", "The files are in use. Please try again.", retry_after=1.0)

    def expect_removal(self, message: Message) -> None:
        """Let the sweep check a message's files later: a change is about to remove them, but may still fail."""
        self._store.check_at([file.id for file in message.files], self._clock() + CHANGE_TIME)

    def remove(self, message: Message | Held) -> None:
        """Hide the files of a message at once; the next sweep deletes them."""
        try:
            self._store.hide_all([file.id for file in message.files], self._clock())
        except Unavailable:
            log.warning("the files of a deleted message still exist; the removal of unused files will delete them")

    def _claim(self, kept: KeptFile, draft: Draft) -> bool:
        # A refused draft does not release its files. The author's next draft may claim them.
        if kept.client_id not in {"", draft.client_id} and self._usage.is_used(kept):
            raise Refused("invalid", f"The file {kept.file.name} belongs to another message. Please attach it again.")
        return self._store.claim(kept, draft.client_id, self._clock() + UNUSED_FOR)

    def _answer_without(self, room: Room, draft: Draft) -> Draft:
        """Return the draft if its message is stored already (a repeated post); else raise `Refused` (`not_found`)."""
        if self._usage.find_message(room.id, draft.author.id, draft.client_id) is None:
            raise Refused("not_found", "A file of this message no longer exists. Please attach it again.")
        return draft


def _is_own(kept: KeptFile | None, room: Room, draft: Draft) -> bool:
    return kept is not None and kept.room_id == room.id and kept.owner_id == draft.author.id
