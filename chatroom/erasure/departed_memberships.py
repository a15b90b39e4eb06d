"""End the memberships of a deleted account. A private room that they alone managed passes to another member.

Repeating it changes nothing: it may be done again at any time.
"""

from chatroom.base.models import Notice, Room
from chatroom.people.users_store import UserStore
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.rooms import Rooms
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.notices import Notices

GONE = "This account was deleted."


class DepartedMemberships:
    """Ends what a deleted account has in rooms."""

    def __init__(
        self,
        users: UserStore,
        store: RoomStore,
        members: MemberStore,
        *,
        listings: ListingStore,
        rooms: Rooms,
        notices: Notices,
    ) -> None:
        self._users = users
        self._store = store
        self._members = members
        self._listings = listings
        self._rooms = rooms
        self._notices = notices

    def end_for(self, user_id: str) -> None:
        """End their connections and memberships, and notify those whose lists show a conversation with them."""
        self._notices.tell(Notice(kind="user", user=user_id, data={"end": True, "message": GONE}))
        for room_id in self._members.list_managed_by(user_id):
            room = self._store.find(room_id)
            if room is not None and room.kind == "private":  # public ones have the site's administrators
                self._hand_over(user_id, room)
        rooms = self._listings.rooms_of(user_id)
        self._members.forget(user_id)
        for person in sorted({person for room in rooms for person in room.people} - {user_id}):
            self._notices.tell(Notice(kind="rooms", user=person))

    def _hand_over(self, user_id: str, room: Room) -> None:
        if self._members.has_another_administrator(user_id, room):
            return
        heir_id = self._members.find_heir(user_id, room)
        heir = self._users.find(heir_id) if heir_id else None
        if heir is not None:
            self._rooms.give_role(room, heir.id, "administrator")
            self._notices.tell(Notice(kind="access", user=heir.id, room=room.id))
            self._rooms.note(room, heir.person.author, "manages this room now")
