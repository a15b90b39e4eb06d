"""Delete what is older than a room keeps it: as a deletion, so that every reader learns of it.

One process at a time does it, and little at once; how far it came is kept with the room.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.messages.changes import Changes
from chatroom.messages.messages_store import MessageStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.leases_store import LeaseStore

BATCH = 200
"""Messages of a room that are looked at in one sweep."""
LEASE_SECONDS = 60.0


class Retention:
    """Sweep the rooms that delete what is old."""

    def __init__(
        self,
        leases: LeaseStore,
        rooms: RoomStore,
        store: MessageStore,
        changes: Changes,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._leases = leases
        self._rooms = rooms
        self._store = store
        self._changes = changes
        self._clock = clock

    def sweep(self) -> None:
        """Delete a batch in each room where something is too old, unless another process does."""
        rooms = self._rooms.list_retaining()
        if rooms and self._leases.take("retention", LEASE_SECONDS):
            for room, done in rooms:
                self._sweep_room(room, done)

    def _sweep_room(self, room: Room, done: int) -> None:
        limit = self._clock() - timedelta(days=room.retention_days)
        reached = done
        for message in self._store.since(room.id, done + 1, BATCH):
            if message.sent_at >= limit:
                break
            try:
                self._changes.make(room, self._changes.expiring(message.id))
            except Refused:  # `busy`: what is left out comes with the next sweep
                break
            reached = message.sequence
        if reached > done:
            self._rooms.change(room.id, {"retained_after": reached})
