"""Remove the name, or all messages, of a deleted user, a batch at a time.

The changes are in the log. Repeating them has no effect.
"""

import time
from collections.abc import Callable, Sequence

from chatroom.base.models import FormerMember, Room
from chatroom.messages.anonymity import is_erased_with, without_name
from chatroom.messages.wiring import MessageParts
from chatroom.rooms.rooms_store import RoomStore
from chatroom.search.indexer import mark
from chatroom.search.wiring import SearchParts
from chatroom.site.background import Report

BATCH = 200
"""The messages that are changed in one write; posts to the room wait for it."""
ROOMS_AT_ONCE = 500


class DepartedMessages:
    """Changes the messages that a deleted user wrote, or that name the user; the search index finds them."""

    def __init__(self, room_store: RoomStore, messages: MessageParts, search: SearchParts) -> None:
        self._room_store = room_store
        self._message_store = messages.store
        self._changes = messages.changes
        self._indexer = search.indexer
        self._index = search.store

    def erase(self, former: FormerMember, goes_on: Callable[[float], bool], report: Report) -> bool:
        """Go through all rooms once; return False if stopped before the end.

        `goes_on` is called after each step with the seconds to rest, because posts come first.
        """
        words = mark("from", former.id), mark("named", former.id)
        rooms = self._room_store.list_ids()
        for first in range(0, len(rooms), ROOMS_AT_ONCE):
            some = rooms[first : first + ROOMS_AT_ONCE]
            if not self._indexer.catch_up(some, lambda: goes_on(0)):
                return False
            for room_id in sorted(self._index.words.rooms_with(some, words)):
                room = self._room_store.find(room_id)
                if room is not None and not self._erase_in(room, former, words, goes_on, report):
                    return False
        return True

    def _erase_in(
        self, room: Room, former: FormerMember, words: Sequence[str], goes_on: Callable[[float], bool], report: Report
    ) -> bool:
        done = 0
        for ids in self._index.pages_with(room.id, words, BATCH):
            begun = time.monotonic()
            messages = [message for message, _ in self._message_store.find_all(ids, [room.id])]
            left = [each.sequence for each in messages if is_erased_with(former, each) or without_name(former, each)]
            if left:
                self._changes.make(room, self._changes.removing_author(left, former))
            done += len(ids)
            report(room.slug, done, done)
            if not goes_on(time.monotonic() - begun if left else 0):
                return False
        return True
