"""End the memberships of a deleted account. If it was the only administrator of a private room, another member takes
over.

Repeating it changes nothing.
"""

from chatroom.base.models import Notice, Room
from chatroom.messages.writer import Writer
from chatroom.people.users_store import UserStore
from chatroom.rooms.wiring import RoomParts
from chatroom.site.notices import Notices

GONE = "This account was deleted."


class DepartedMemberships:
    """Ends the connections and memberships of a deleted account."""

    def __init__(self, user_store: UserStore, rooms: RoomParts, writer: Writer, notices: Notices) -> None:
        self._user_store = user_store
        self._rooms = rooms
        self._membership_store = rooms.membership_store
        self._writer = writer
        self._notices = notices

    def end_for(self, user_id: str) -> None:
        """End the connections and memberships of a user, and notify the other people of direct conversations."""
        self._notices.tell(Notice(kind="user", user=user_id, data={"end": True, "message": GONE}))
        for room_id in self._rooms.members.list_managed_by(user_id):
            room = self._rooms.store.find(room_id)
            if room is not None and room.kind == "private":  # in public rooms, administrators of the site can act
                self._hand_over(user_id, room)
        rooms = self._rooms.listings.rooms_of(user_id)
        self._membership_store.forget(user_id)
        for person in sorted({person for room in rooms for person in room.people} - {user_id}):
            self._notices.tell(Notice(kind="rooms", user=person))

    def _hand_over(self, user_id: str, room: Room) -> None:
        if self._rooms.members.has_another_administrator(user_id, room):
            return
        heir_id = self._rooms.members.find_heir(user_id, room)
        heir = self._user_store.find(heir_id) if heir_id else None
        if heir is not None:
            self._membership_store.set_role(heir.id, room, "administrator")
            self._notices.tell(Notice(kind="access", user=heir.id, room=room.id))
            self._writer.note(room, heir.person.author, "is now an administrator of this room")
