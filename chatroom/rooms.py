"""Rooms as their members see them.

Nobody gets a room who is not a member of it; an open room makes members of those who come.
"""

from collections.abc import Collection, Mapping

from chatroom.access import Access
from chatroom.errors import Refused
from chatroom.models import Member, Notify, Room, RoomEntry
from chatroom.names import fold
from chatroom.store.listings import ListingStore
from chatroom.store.rooms import RoomStore

LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
MOST_MEMBERS = 10


class Rooms:
    """Find rooms for people."""

    def __init__(self, store: RoomStore, listings: ListingStore) -> None:
        self._store = store
        self._listings = listings

    def wish(self, access: Access, notify: Notify) -> None:
        """Change what a member wants to be told of in a room."""
        self._store.set_wish(access.user_id, access.room.id, notify)

    def wishes_in(self, room_id: str, user_ids: Collection[str]) -> Mapping[str, Notify]:
        """What those of these users who are members want to be told of in a room."""
        return self._store.wishes(room_id, user_ids)

    def ensure_lobby(self) -> None:
        """Create the room that everybody is in."""
        self._store.ensure(LOBBY)

    def list_for(self, user_id: str) -> list[RoomEntry]:
        """The rooms that a user is in, by title, each with what they have not read in it."""
        return sorted(self._listings.list_for(user_id), key=lambda entry: (entry.title.casefold(), entry.room.id))

    def find(self, room_id: str) -> Room | None:
        """The room as it is now, by its id: for the engine, not for people."""
        return self._store.find(room_id)

    def find_by_slug(self, slug: str) -> Room | None:
        """The room of that name, for the person at the console."""
        return self._store.find_by_slug(slug)

    def find_for(self, user_id: str, slug: str) -> Access | None:
        """The room of that name, for somebody who is a member already; nobody becomes one by this."""
        return self._store.find_access(user_id, slug)

    def members_like(self, access: Access, beginning: str) -> list[Member]:
        """Some who can be named in a room, and whose user name or display name begins like this."""
        return self._store.members_like(access.room, fold(beginning.strip()), MOST_MEMBERS)

    def get_for(self, user_id: str, slug: str) -> Access:
        """The room of that name, for a member; anybody else is told that there is none, whether it exists or not."""
        access = self._store.find_access(user_id, slug)
        if access is None:
            room = self._store.find_public(slug)
            if room is None:
                raise Refused("not_found", "There is no such room, or you are not a member of it.")
            self._store.admit(user_id, room)
            access = self._store.find_access(user_id, slug)
            if access is None:  # expelled at this very moment
                raise Refused("not_found", "There is no such room, or you are not a member of it.")
        return access
