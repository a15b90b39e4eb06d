"""Lists of held messages: those of an author, and those that a moderator may decide about."""

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
    """A held message for a moderator, with its author as they are now (None: the account was deleted)."""

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
        """The messages of a room that their author is shown: waiting and rejected ones."""
        return self._store.list_of(access.user_id, access.room.id) if access.approval_state.held_at is not None else []

    def list_for(self, by: User) -> list[Waiting]:
        """The messages that wait for this moderator, oldest first; raise `Refused` for users who moderate nothing."""
        rooms = self._access_store.moderated_by(by.id)
        if not rooms and not POWERS[by.role]:
            raise Refused("not_found", "The page does not exist, or you may not see it.")
        found = self._store.list_waiting(rooms, is_public=bool(POWERS[by.role]), limit=SHOWN)
        return self._shown([held for held in found if held.author.id != by.id])

    def count_for(self, by: User) -> int:
        """Count the messages that wait for this moderator; 100 means 100 or more."""
        rooms = self._access_store.moderated_by(by.id)
        return self._store.count_waiting(rooms, is_public=bool(POWERS[by.role]), limit=MOST_COUNTED)

    def list_all(self) -> list[Waiting]:
        """All held messages, for the console."""
        return self._shown(self._store.list_waiting(None, is_public=True, limit=MOST_LISTED))

    def _shown(self, found: Sequence[Held]) -> list[Waiting]:
        rooms = {room_id: self._room_store.find(room_id) for room_id in {held.room_id for held in found}}
        authors = {user_id: self._user_store.find(user_id) for user_id in {held.author.id for held in found}}
        return [Waiting(held=held, room=rooms[held.room_id], author=authors[held.author.id]) for held in found]
