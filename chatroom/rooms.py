"""Rooms as their members see them.

Nobody gets a room who is not a member of it; an open room makes members of those who come.
"""

from chatroom.errors import Refused
from chatroom.models import Room
from chatroom.store.rooms import RoomStore

LOBBY = Room(id="lobby", slug="lobby", title="Lobby")


class Rooms:
    """Find rooms for people."""

    def __init__(self, store: RoomStore) -> None:
        self._store = store

    def ensure_lobby(self) -> None:
        """Create the room that everybody is in."""
        self._store.ensure(LOBBY, is_open=True)

    def get_for(self, user_id: str, slug: str) -> Room:
        """The room of that name, for a member; anybody else is told that there is none, whether it exists or not."""
        room = self._store.find_for(user_id, slug)
        if room is None:
            room = self._store.find_open(slug)
            if room is None:
                raise Refused("not_found", "There is no such room, or you are not a member of it.")
            self._store.admit(user_id, room)
        return room
