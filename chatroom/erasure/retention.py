"""Delete messages that are older than the room's retention. Every reader learns of each deletion.

A sweep deletes a few messages at a time; the room stores the progress.
"""

from datetime import timedelta

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.messages.changes import Changes
from chatroom.messages.messages_store import MessageStore

BATCH = 200
"""The messages of a room that one sweep reads."""


class Retention:
    """Deletes old messages in the rooms with a retention."""

    def __init__(
        self, store: ErasureStore, message_store: MessageStore, changes: Changes, *, clock: Clock = utc_now
    ) -> None:
        self._store = store
        self._message_store = message_store
        self._changes = changes
        self._clock = clock

    def count_older(self, access: Access, days: int) -> int:
        """Count the messages that a retention of `days` days would delete now; stop at 10,000."""
        if not days:
            return 0
        limit = self._clock() - timedelta(days=days)
        # Deleted messages are not read again.
        done = max(access.room.cleared_sequence, self._store.retained_after(access.room.id))
        return self._message_store.count_older(access.room.id, limit, after=done)

    def sweep(self) -> None:
        """Delete a batch of old messages in each room."""
        for room, done in self._store.list_retaining():
            self._sweep_room(room, done)

    def _sweep_room(self, room: Room, done: int) -> None:
        limit = self._clock() - timedelta(days=room.retention_days)
        reached = done
        for message in self._message_store.since(room.id, done + 1, BATCH):
            if message.sent_at >= limit:
                break
            try:
                self._changes.make(room, self._changes.expiring(message.id))
            except Refused:  # `busy`: the next sweep continues
                break
            reached = message.sequence
        if reached > done:
            self._store.set_retained_after(room.id, reached)
