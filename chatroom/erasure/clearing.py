"""Clear a room's history: hide it at once, then erase it through the log, a batch at a time.

The remaining work is stored in the room, so that any process can finish it.
"""

import time

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Room
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.messages.changes import Changes
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.writer import Writer
from chatroom.site.acts import Acts
from chatroom.site.audit import about_room
from chatroom.site.background import BackgroundThread, Lease, Report
from chatroom.site.leases_store import LeaseStore

BATCH = 500
"""The number of messages that one write erases. Posts to the room wait for this write."""
LEASE = "clearing"
LEASE_SECONDS = 30.0


class Clearing:
    """Clears rooms for their administrators, and finishes interrupted clearings."""

    def __init__(
        self,
        store: ErasureStore,
        message_store: MessageStore,
        changes: Changes,
        leases: LeaseStore,
        acts: Acts,
        *,
        writer: Writer,
    ) -> None:
        self._store = store
        self._message_store = message_store
        self._changes = changes
        self._writer = writer
        self._acts = acts
        self.thread = BackgroundThread(LEASE, self.finish, lease=Lease(leases, LEASE, LEASE_SECONDS))
        """The thread that finishes clearings that any process began."""

    def clear(self, access: Access, person: Author, typed_title: str, reason: str = "") -> None:
        """Clear the history up to now. Raise `Refused` if the user may not clear the room, or typed a wrong title."""
        check_clearing(access)
        if typed_title.strip() != access.room.title.strip():
            raise Refused("invalid", f"To confirm, type the room's name: {access.room.title}")
        self.begin(access.room, person, reason)
        if self.thread.is_started:
            self.thread.wake()
        else:
            self.finish()

    def begin(self, room: Room, person: Author, reason: str) -> None:
        """Hide the history up to now, record this act in the audit log, and announce it in the room."""
        newest = self._message_store.newest_revision(room.id)
        self._acts.do(
            "rooms",
            lambda note: self._store.start_clearing(room.id, newest, note),
            person,
            "clear_history",
            about_room(room),
            reason=reason,
        )
        self._writer.note(room, person, "cleared the history")

    def finish(self, report: Report = lambda *_: None) -> None:
        """Erase the hidden messages of every room."""
        for room in self._store.list_being_cleared():
            if self._erase(room, report):
                self._store.end_clearing(room)

    def _erase(self, room: Room, report: Report) -> bool:
        """Erase the hidden messages of a room; return whether all are erased."""
        sequence, rest_seconds = 0, 0.0
        while self.thread.may_go_on(rest_seconds):
            found = self._message_store.since(room.id, sequence, BATCH)
            sequences = [message.sequence for message in found if message.sequence <= room.cleared_sequence]
            if not sequences:
                return True
            begun = time.monotonic()
            is_left = any(not message.deleted_at for message in found)
            if is_left:
                self._changes.make(room, self._changes.clearing(sequences))
            rest_seconds = time.monotonic() - begun if is_left else 0.0  # posts have priority
            sequence = sequences[-1] + 1
            report(room.slug, sequences[-1], room.cleared_sequence)
        return False


def check_clearing(access: Access) -> None:
    """Raise `Refused` unless this user may clear the room."""
    if access.room.kind == "direct":
        raise Refused(
            "forbidden",
            "A direct conversation cannot be cleared: the others' messages belong to them, and may be reported. "
            "You can delete your own messages.",
        )
    if not access.may_manage:
        raise Refused("forbidden", "Only administrators of a room can clear its history.")
