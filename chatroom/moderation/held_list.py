"""Lists of held messages: an author's own, and those that a moderator decides about."""

from collections.abc import Sequence

import msgspec

from chatroom.base.access import POWERS, Access
from chatroom.base.errors import Refused
from chatroom.base.models import Held, Room, User
from chatroom.moderation.held_store import HeldStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.rooms_store import RoomStore

MOST_LISTED = 1000
SHOWN = 50
MOST_COUNTED = 100


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A held message as a moderator sees it; `author` as they are now, None for an account that is gone."""

    held: Held
    room: Room | None
    author: User | None


class HeldList:
    """List held messages, and count them."""

    def __init__(
        self, store: HeldStore, user_store: UserStore, room_store: RoomStore, access_store: AccessStore
    ) -> None:
        self._store = store
        self._user_store = user_store
        self._room_store = room_store
        self._access_store = access_store

    def list_of(self, access: Access) -> list[Held]:
        """What somebody is shown of their own in a room: what waits, and what was rejected."""
        return self._store.list_of(access.user_id, access.room.id) if access.approval_state.held_at is not None else []

    def list_for(self, by: User) -> list[Waiting]:
        """What waits for this moderator, the longest first; raise `Refused` for who is none."""
        rooms = self._rooms_of(by)
        found = self._store.list_waiting(rooms, is_public=bool(POWERS[by.role]), limit=SHOWN)
        return self._shown([held for held in found if held.author.id != by.id])

    def count_for(self, by: User) -> int:
        """How many wait for this moderator; 100 means 100 or more."""
        rooms = self._access_store.moderated_by(by.id)
        return self._store.count_waiting(rooms, is_public=bool(POWERS[by.role]), limit=MOST_COUNTED)

    def list_all(self) -> list[Waiting]:
        """All held messages, for the console."""
        return self._shown(self._store.list_waiting(None, is_public=True, limit=MOST_LISTED))

    def _shown(self, found: Sequence[Held]) -> list[Waiting]:
        rooms = {room_id: self._room_store.find(room_id) for room_id in {held.room_id for held in found}}
        authors = {user_id: self._user_store.find(user_id) for user_id in {held.author.id for held in found}}
        return [Waiting(held=held, room=rooms[held.room_id], author=authors[held.author.id]) for held in found]

    def _rooms_of(self, by: User) -> list[str]:
        rooms = self._access_store.moderated_by(by.id)
        if not rooms and not POWERS[by.role]:
            raise Refused("not_found", "The page does not exist, or you may not see it.")
        return rooms
