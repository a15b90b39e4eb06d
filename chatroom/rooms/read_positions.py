"""A read position is the last message that a member has read in a room. All devices of the member share it.

A read position only moves forward, and never beyond the end of the room.
"""

from chatroom.base.access import Access
from chatroom.base.models import Notice
from chatroom.messages.messages_store import MessageStore
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.site.notices import Notices


class ReadPositions:
    """Move read positions."""

    def __init__(self, store: OwnMembershipStore, message_store: MessageStore, notices: Notices) -> None:
        self._store = store
        self._message_store = message_store
        self._notices = notices

    def mark(self, access: Access, sequence: int) -> int:
        """Store that a member has read up to `sequence`, and notify the member's devices. Return the position."""
        user_id, room_id = access.user_id, access.room.id
        # A position beyond the end of the room would hide future messages.
        sequence = min(sequence, self._message_store.newest_revision(room_id))
        if self._store.mark_read(user_id, room_id, sequence):
            self._notices.tell(Notice(kind="read", user=user_id, room=room_id, data={"sequence": sequence}))
        return max(sequence, access.membership.read_sequence)
