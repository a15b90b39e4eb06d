"""The files of a message: claimed when it is posted, removed when it is edited or deleted.

A file belongs to its uploader until its message is stored.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Draft, Held, Message, Room
from chatroom.files.files_store import FileStore, KeptFile
from chatroom.files.usage import UNUSED_FOR, FileUsage

log = logging.getLogger(__name__)

CHANGE_TIME = timedelta(minutes=1)
"""The time for the change that removes a file from its message."""
CLAIM_TRIES = 3


class MessageFiles:
    """Attaches files to messages, and removes them."""

    def __init__(self, store: FileStore, usage: FileUsage, *, most_files: int, clock: Clock = utc_now) -> None:
        self._store = store
        self._usage = usage
        self._most_files = most_files
        self._clock = clock

    def attach(self, room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
        """Add files to a draft; each must be its author's, of this room, and of no other message. Idempotent."""
        if not file_ids:
            return draft
        if len(file_ids) > self._most_files > 0 or len(set(file_ids)) != len(file_ids):
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
        """Schedule the files of a message for the sweep, before a change removes them; the change may still fail."""
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
        """Return the draft if its message is stored already; else raise `Refused` (`not_found`)."""
        if self._usage.find_message(room.id, draft.author.id, draft.client_id) is None:
            raise Refused("not_found", "A file of this message no longer exists. Please attach it again.")
        return draft


def _is_own(kept: KeptFile | None, room: Room, draft: Draft) -> bool:
    return kept is not None and kept.room_id == room.id and kept.owner_id == draft.author.id
