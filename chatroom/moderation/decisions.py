"""What follows from a decision about a held message: post it, or remove its files, and notify its author.

It is done again after a crash, and nothing of it is done twice.
"""

import logging
from datetime import timedelta

from chatroom.base.errors import ChatroomError
from chatroom.base.models import Draft, Held, Notice, Room
from chatroom.files.message_files import MessageFiles
from chatroom.messages.posting import Posting
from chatroom.moderation.held_store import HeldStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit_store import Act
from chatroom.site.notices import Notices

log = logging.getLogger(__name__)

UNFINISHED_AFTER = timedelta(seconds=20)
"""Whoever decided has finished by then, or will not."""


class Decisions:
    """Complete decisions."""

    def __init__(
        self,
        store: HeldStore,
        user_store: UserStore,
        room_store: RoomStore,
        access_store: AccessStore,
        posting: Posting,
        *,
        files: MessageFiles,
        notices: Notices,
    ) -> None:
        self._store = store
        self._user_store = user_store
        self._room_store = room_store
        self._access_store = access_store
        self._posting = posting
        self._files = files
        self._notices = notices

    def finish(self, most: int = 20) -> int:
        """Do what is left to do after decisions that somebody could not finish, and count them."""
        found = self._store.list_unfinished(UNFINISHED_AFTER, most)
        for held in found:
            try:
                self.complete(held.id)
            except ChatroomError:
                log.warning("what follows from a decision is tried again", extra={"held": held.id})
        return len(found)

    def complete_act(self, act: Act) -> None:
        """What belongs to a decision that is noted."""
        held = self._store.find_by_id(act.subject.id)
        if held is not None:
            self._complete(held)

    def complete(self, held_id: str) -> None:
        """Do what follows from a decision. It may be done by two at once, or after half of it was done."""
        held = self._store.find_by_id(held_id)
        if held is not None:
            self._complete(held)

    def notify(self, held: Held) -> None:
        """Notify the author and the moderators that a held message is not what it was."""
        self._notices.tell(Notice(kind="held", user=held.author.id, room=held.room_id))

    def _complete(self, held: Held) -> None:
        if held.is_done:
            return
        room = self._room_store.find(held.room_id)
        if held.state == "approved" and room is not None:
            self._post(room, held)
            self._user_store.count_approved(held.author.id, held.id, is_trusted=held.is_trusting)
        elif held.files:
            self._files.remove(held)
        self._store.finish(held)
        self._notices.tell(Notice(kind="user", user=held.author.id))
        self.notify(held)

    def _post(self, room: Room, held: Held) -> None:
        access = self._access_store.find(held.author.id, room.slug)
        author = access.author if access is not None and access.name else held.author
        draft = Draft(author=author, text=held.text, client_id=held.client_id, reply_to=held.reply_to, files=held.files)
        self._posting.post_approved(room, access, draft)
