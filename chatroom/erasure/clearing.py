"""Clear a room's history: hide it at once, and then erase it, a batch at a time, through the log.

What is still to be erased is noted in the room, so that it is finished by whichever process is there.
"""

import logging
import threading
import time
from collections.abc import Callable

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Author, Room
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.messages.changes import Changes
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.writer import Writer
from chatroom.site.acts import Acts
from chatroom.site.audit import about_room
from chatroom.site.leases_store import LeaseStore

log = logging.getLogger(__name__)

BATCH = 500
"""Messages that are erased in one write; posts to the room wait for it."""
PAUSE_SECONDS = 2.0
LEASE = "clearing"
LEASE_SECONDS = 30.0

Report = Callable[[str, int, int], None]
"""Called with a name, how much is done, and how much it will be."""


class Clearing:
    """Clear rooms for those who manage them, and finish what was begun."""

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
        self._leases = leases
        self._acts = acts
        self._asked = threading.Event()
        self._is_stopped = False
        self._thread: threading.Thread | None = None

    def clear(self, access: Access, person: Author, typed_title: str, reason: str = "") -> None:
        """Clear everything that was said up to now; raise `Refused` unless they may, and typed the room's title."""
        check_clearing(access)
        if typed_title.strip() != access.room.title.strip():
            raise Refused("invalid", f"To confirm, type the room's name: {access.room.title}")
        self.begin(access.room, person, reason)
        if self._thread is None:
            self.finish()
        self._asked.set()

    def begin(self, room: Room, person: Author, reason: str) -> None:
        """Hide everything up to now, note it in the audit log, and say so in the room."""
        newest = self._message_store.newest_revision(room.id)
        self._acts.do(
            "rooms",
            lambda note: self._store.start_clearing(room.id, newest, note),
            person,
            "clear_history",
            about_room(room),
            reason=reason,
        )
        self._writer.note(room, person, f"{person.name} cleared the history")

    def finish(self, report: Report = lambda *_: None) -> None:
        """Erase what is hidden and not erased yet, in every room."""
        for room in self._store.list_being_cleared():
            if self._erase(room, report):
                self._store.end_clearing(room)

    def start(self) -> None:
        """Begin to finish what is begun, here or elsewhere, as long as no other process does."""
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="clearing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave what is not finished to the next start."""
        self._is_stopped = True
        self._asked.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                if self._leases.take(LEASE, LEASE_SECONDS):
                    self.finish()
            except ChatroomError:
                pass  # the database is away, or the room is busy: once more
            except Exception:
                log.exception("clearing a room stumbled and goes on")
            self._asked.wait(PAUSE_SECONDS)
            self._asked.clear()

    def _erase(self, room: Room, report: Report) -> bool:
        """Erase what is hidden in a room; whether that is done."""
        sequence = 0
        while not self._is_stopped:
            found = self._message_store.since(room.id, sequence, BATCH)
            sequences = [message.sequence for message in found if message.sequence <= room.cleared_sequence]
            if not sequences:
                return True
            begun = time.monotonic()
            if any(not message.deleted_at for message in found):
                self._changes.make(room, self._changes.clearing(sequences))
                self._leases.take(LEASE, LEASE_SECONDS)
                if self._thread is not None:  # those who write come first
                    time.sleep(time.monotonic() - begun)
            sequence = sequences[-1] + 1
            report(room.slug, sequences[-1], room.cleared_sequence)
        return False


def check_clearing(access: Access) -> None:
    """Raise `Refused` unless this person may clear the room."""
    if access.room.kind == "direct":
        raise Refused(
            "forbidden",
            "A direct conversation cannot be cleared: the others' messages belong to them, and may be reported. "
            "You can delete your own messages.",
        )
    if not access.may_manage:
        raise Refused("forbidden", "Only administrators of a room can clear its history.")
