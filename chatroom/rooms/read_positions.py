"""A read position is the last message that a member has read in a room. All devices of the member share it.

A read position moves forward, and never beyond the end of the room. Only a mark as unread moves it back. Each mark has
a number; a position that a device reported before it knew of the newest mark is not stored.
"""

from chatroom.base.access import Access
from chatroom.base.errors import Refused
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

    def mark(self, access: Access, sequence: int, unread_marks: int | None = None) -> int:
        """Store that a member has read up to `sequence`, and notify the member's devices. Return the position.

        `unread_marks` is the number of marks as unread that the device knows, by default the number in `access`.
        """
        known = access.membership
        # A position beyond the end of the room would hide future messages.
        sequence = min(sequence, self._message_store.newest_revision(access.room.id))
        marks = known.unread_marks if unread_marks is None else unread_marks
        if self._store.mark_read(access.user_id, access.room.id, sequence, marks):
            self._tell(access, {"sequence": sequence, "unread_marks": marks})
        return max(sequence, known.read_sequence) if marks >= known.unread_marks else known.read_sequence

    def mark_unread(self, access: Access, sequence: int) -> int:
        """Make a message and all later ones unread, and notify the member's devices. Return the number of the mark."""
        if not self._message_store.by_sequences(access.room.id, [sequence]):
            raise Refused("not_found", "There is no such message in this room.")
        marks = self._store.mark_unread(access.user_id, access.room.id, sequence)
        self._tell(access, {"sequence": sequence - 1, "unread_marks": marks, "is_unread": True})
        return marks

    def _tell(self, access: Access, place: dict[str, int]) -> None:
        self._notices.tell(Notice(kind="read", user=access.user_id, room=access.room.id, data=place))
