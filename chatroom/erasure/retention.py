"""Delete what is older than a room keeps it: as a deletion, so that every reader learns of it.

It deletes little at once; how far it came is kept with the room.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.posting import Messages
from chatroom.rooms.rooms_store import RoomStore

BATCH = 200
"""Messages of a room that are looked at in one sweep."""


class Retention:
    """Sweep the rooms that delete what is old."""

    def __init__(
        self,
        rooms: RoomStore,
        store: MessageStore,
        messages: Messages,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._messages = messages
        self._clock = clock

    def sweep(self) -> None:
        """Delete a batch in each room where something is too old."""
        for room, done in self._rooms.list_retaining():
            self._sweep_room(room, done)

    def _sweep_room(self, room: Room, done: int) -> None:
        limit = self._clock() - timedelta(days=room.retention_days)
        reached = done
        for message in self._store.since(room.id, done + 1, BATCH):
            if message.sent_at >= limit:
                break
            try:
                self._messages.change(room, self._messages.changes.expiring(message.id))
            except Refused:  # `busy`: what is left out comes with the next sweep
                break
            reached = message.sequence
        if reached > done:
            self._rooms.change(room.id, {"retained_after": reached})
