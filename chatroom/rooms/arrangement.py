"""How a member lists a room: with a star, hidden, muted, paused.

A hidden room comes back with its next message, unless it is muted. A star also shows a hidden room again.
"""

from datetime import datetime

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Notice, Notify
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Document
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.site.notices import Notices


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """A change of how a member lists a room. None changes nothing."""

    is_starred: bool | None = None
    is_hidden: bool | None = None
    notify: Notify | None = None
    """What notifies the member. This also ends a pause."""
    paused_until: datetime | None = None
    """Until then, nothing notifies the member."""


class RoomArrangement:
    """Change how members list their rooms."""

    def __init__(self, store: OwnMembershipStore, message_store: MessageStore, notices: Notices) -> None:
        self._store = store
        self._message_store = message_store
        self._notices = notices

    def change(self, access: Access, wanted: Arrangement) -> None:
        """Store the change, and notify the member's devices."""
        fields: Document = {}
        if wanted.notify is not None:
            fields |= {"notify": wanted.notify, "paused_until": None}
        if wanted.paused_until is not None:
            fields["paused_until"] = wanted.paused_until
        if wanted.is_starred is not None:
            fields["is_starred"] = wanted.is_starred or None
        if wanted.is_hidden:
            fields["hidden_to"] = self._message_store.newest_revision(access.room.id)
        elif wanted.is_hidden is not None or wanted.is_starred:
            fields["hidden_to"] = None
        if fields and self._store.arrange(access.user_id, access.room.id, fields):
            self._notices.tell(Notice(kind="rooms", user=access.user_id))
