"""Complete decisions about held messages: post the message or remove its files, and notify its author.

After an interruption, all steps are repeated. A repeated step changes nothing.
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
"""The age at which an incomplete decision counts as interrupted."""


class Decisions:
    """Completes decisions about held messages."""

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
        """Complete interrupted decisions; return their number."""
        found = self._store.list_unfinished(UNFINISHED_AFTER, most)
        for held in found:
            try:
                self.complete(held.id)
            except ChatroomError:
                log.warning("the steps after a decision failed and are tried again", extra={"held": held.id})
        return len(found)

    def complete_act(self, act: Act) -> None:
        """Complete the decision that an act is about."""
        self.complete(act.subject.id)

    def complete(self, held_id: str) -> None:
        """Complete a decision. Repeated calls are safe, even in two processes at once."""
        held = self._store.find_by_id(held_id)
        if held is None or held.is_done:
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

    def notify(self, held: Held) -> None:
        """Notify the author and the moderators that a held message has changed."""
        self._notices.tell(Notice(kind="held", user=held.author.id, room=held.room_id))

    def _post(self, room: Room, held: Held) -> None:
        access = self._access_store.find(held.author.id, room.slug)
        author = access.author if access is not None and access.name else held.author
        draft = Draft(author=author, text=held.text, client_id=held.client_id, reply_to=held.reply_to, files=held.files)
        self._posting.post_approved(room, access, draft)
