"""Keep the search index up to date with the log of every room, without slowing down posts.

The database has a cursor for each room: the revision to continue from. After a crash, the next indexer continues from
the cursor. Indexing a message twice is harmless.
"""

import time
from collections.abc import Callable, Collection
from typing import Literal

from chatroom.base.models import Message
from chatroom.messages.messages_store import MessageStore
from chatroom.search.search_store import Entry, SearchStore
from chatroom.search.terms import RULE_VERSION, index_words
from chatroom.site.background import BackgroundThread, Lease, Report
from chatroom.site.leases_store import LeaseStore

BATCH = 500
"""The number of messages that are indexed at once."""
REBUILD_BATCH = 1000
REST, REST_WHILE_BUSY = 4, 49
"""The pause after a batch, as a multiple of the time that the batch took: posts come first."""
BUSY = 500
"""Changes per second in a room. Above this number, the indexer takes the longer pause."""
LEASE = "indexer"
LEASE_SECONDS = 15.0
ROOMS_AT_ONCE = 500


class Indexer:
    """Indexes rooms on demand, and all rooms in a thread."""

    def __init__(
        self,
        store: SearchStore,
        message_store: MessageStore,
        leases: LeaseStore,
        rooms: Callable[[], Collection[str]],
        *,
        batch: int = BATCH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._message_store = message_store
        self._rooms = rooms
        self._batch = batch
        self._clock = clock
        self.thread = BackgroundThread(LEASE, self._follow, lease=Lease(leases, LEASE, LEASE_SECONDS))
        """The thread that indexes all rooms."""

    def behind(self, rooms: Collection[str]) -> dict[str, int]:
        """Return the rooms that have changed since they were indexed, each with its cursor."""
        cursors = self._store.cursors(rooms, RULE_VERSION)
        newest = self._message_store.newest_of(rooms)
        return {room: cursors[room] for room, revision in newest.items() if revision > cursors[room]}

    def take_in(self, room: str, cursor: int, batch: int = 0) -> int | None:
        """Index one batch of a room. Return the next cursor, or None if the room is completely indexed."""
        batch = batch or self._batch
        changed = self._message_store.changed_after(room, cursor, batch)
        if not changed:
            return None
        self._store.put(room, [entry(message) for message in changed])
        self._store.advance(room, changed[-1].revision, RULE_VERSION)
        return changed[-1].revision if len(changed) == batch else None

    def catch_up(self, rooms: Collection[str], goes_on: Callable[[], bool]) -> bool:
        """Index these rooms completely. If `goes_on` returns False before a batch, stop and return False."""
        left = set(rooms)
        while waiting := self.behind(left):
            for room, known in waiting.items():
                newest = self._message_store.newest_revision(room)
                cursor: int | None = known
                while cursor is not None and cursor < newest:
                    if not goes_on():
                        return False
                    cursor = self.take_in(room, cursor)
                left.discard(room)
        return True

    def rebuild(self, report: Report) -> None:
        """Rebuild the index of every room, at full speed."""
        for room in self._rooms():
            self._store.forget(room)
            expected = self._message_store.newest_revision(room)
            cursor: int | None = 0
            while cursor is not None:
                report(room, cursor, expected)
                cursor = self.take_in(room, cursor, REBUILD_BATCH)
            report(room, expected, expected)

    def _follow(self) -> None:
        """Index new messages in all rooms; stop when half of the lease time has passed."""
        until = self._clock() + LEASE_SECONDS / 2
        rooms = list(self._rooms())
        for first in range(0, len(rooms), ROOMS_AT_ONCE):
            waiting = self.behind(rooms[first : first + ROOMS_AT_ONCE])
            while waiting:
                # One batch per room in turn, so that a long history does not delay the other rooms.
                for room, cursor in list(waiting.items()):
                    following, rest_seconds = self.take_in_and_look_round(room, cursor)
                    if following is None:
                        del waiting[room]
                    else:
                        waiting[room] = following
                        if not self.thread.may_go_on(rest_seconds) or self._clock() > until:
                            return

    def take_in_and_look_round(self, room: str, cursor: int) -> tuple[int | None, float]:
        """Index a batch. Return the next cursor (None at the end), and the pause in seconds."""
        begun, before = self._clock(), self._message_store.newest_revision(room)
        following = self.take_in(room, cursor)
        seconds = self._clock() - begun
        if following is None:
            return None, 0.0
        is_busy = self._message_store.newest_revision(room) - before > BUSY * seconds
        return following, seconds * (REST_WHILE_BUSY if is_busy else REST)


def entry(message: Message) -> Entry:
    """Return the entry of a message. For a deleted message or an event line, it contains only people."""
    people = {*message.mentions, *(person.id for each in message.reactions for person in each.people)}
    if message.deleted_at is not None or message.kind != "message":
        return Entry(message.id, message.revision, {mark("named", id) for id in {message.author.id, *people}})
    words = index_words(searchable(message)) | {mark("from", message.author.id)}
    words |= {mark("has", thing) for thing in things(message)} | {mark("named", id) for id in people}
    return Entry(message.id, message.revision, words)


def searchable(message: Message) -> str:
    """Return the text of the message, with the names of its files."""
    return "\n".join([message.text, *(file.name for file in message.files)])


def things(message: Message) -> set[str]:
    """Return the values of `has:` (`file`, `link`) that find this message."""
    found = {"file"} if message.files else set()
    if "://" in message.text or "www." in message.text.lower():
        found.add("link")
    return found


def mark(kind: Literal["from", "named", "has"], value: str) -> str:
    """Return the index word for an author (`from`), for a named person (`named`), or for a value of `has:`.

    It contains a colon, unlike the words of texts.
    """
    return f":{kind}:{value}"
