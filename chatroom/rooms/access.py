"""Find a room together with the user's membership.

A user becomes a member of a public room by opening its page or by joining it, unless a moderator removed the user.
Posting does not make a user a member.
"""

from collections.abc import Callable

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Notice, Room
from chatroom.names import LOBBY_SLUG
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.notices import Notices

LOBBY = Room(id="lobby", slug=LOBBY_SLUG, title="Lobby")
"""The room that has all users as members."""


class RoomAccess:
    """Find rooms for their members, and admit users to public rooms."""

    def __init__(
        self, store: AccessStore, room_store: RoomStore, membership_store: MembershipStore, notices: Notices
    ) -> None:
        self._store = store
        self._room_store = room_store
        self._membership_store = membership_store
        self._notices = notices

    def find_for(self, user_id: str, slug: str) -> Access | None:
        """Return the room with this slug and the user's rights in it. Return None if the user is not a member."""
        return self._store.find(user_id, slug)

    def get_for(self, user_id: str, slug: str) -> Access:
        """Find a room like `find_for`, but admit the user to the lobby. Raises `Refused` if the user is not a member.

        If the user may join the room, the refusal says so. Otherwise, the refusal does not reveal the room.
        """
        access = self.find_for(user_id, slug)
        if access is not None:
            return access
        room = self._room_store.find_public(slug)
        if room is None or self._membership_store.was_removed(user_id, room):
            raise _no_such_room()
        if room.id != LOBBY.id:
            raise Refused("forbidden", "You are not a member of this room. Open its page to join it.")
        self._membership_store.admit(user_id, room)
        return self._get(user_id, slug)

    def visit(self, user_id: str, slug: str, check_return: Callable[[], None] = lambda: None) -> Access:
        """Find a room for its page. If the room is public, the user becomes a member.

        `check_return` is called if the user had left the room. Site administrators can enter even after a removal.
        """
        access = self.find_for(user_id, slug)
        if access is not None:
            return access
        room = self.get_public(user_id, slug)
        if self._membership_store.has_left(user_id, room):
            check_return()
        self.admit(user_id, room)
        if room.id != LOBBY.id:
            self._notices.tell(Notice(kind="rooms", user=user_id))
        return self._get(user_id, slug)

    def get_public(self, user_id: str, slug: str) -> Room:
        """Return a public room that this user may join. Raises `Refused` (`not_found`) for any other room."""
        room = self._room_store.find_public(slug)
        if room is None or (self._was_removed(user_id, room) and not self._is_site_administrator(user_id)):
            raise _no_such_room()
        return room

    def admit(self, user_id: str, room: Room) -> None:
        """Make a user a member of a room. Site administrators may return to a public room even after a removal."""
        if room.kind == "public" and self._was_removed(user_id, room) and self._is_site_administrator(user_id):
            self._membership_store.forgive(user_id, room)
        self._membership_store.admit(user_id, room)

    def _get(self, user_id: str, slug: str) -> Access:
        access = self.find_for(user_id, slug)
        if access is None:  # a moderator has just removed the user
            raise _no_such_room()
        return access

    def _was_removed(self, user_id: str, room: Room) -> bool:
        return self._membership_store.was_removed(user_id, room)

    def _is_site_administrator(self, user_id: str) -> bool:
        return self._store.site_role_of(user_id) == "administrator"


def _no_such_room() -> Refused:
    return Refused("not_found", "There is no such room, or you are not a member of it.")
