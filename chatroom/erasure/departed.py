"""End the memberships of a deleted user, and remove the user's name, or all messages, a batch at a time.

Each change of a message is in the room's log. Repeating a step changes nothing.
"""

import time
from collections.abc import Callable, Sequence

from chatroom.base.models import FormerMember, Notice, Room
from chatroom.messages.anonymity import is_erased_with, without_name
from chatroom.messages.wiring import MessageParts
from chatroom.messages.writer import Writer
from chatroom.people.users_store import UserStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.rooms.wiring import RoomParts
from chatroom.search.indexer import mark
from chatroom.search.wiring import SearchParts
from chatroom.site.authority import GONE
from chatroom.site.background import Report
from chatroom.site.notices import Notices

BATCH = 200
"""The number of messages that one write changes. Posts to the room wait for this write."""
ROOMS_AT_ONCE = 500


class DepartedMemberships:
    """Ends the connections and memberships of a deleted user.

    If the user was the only administrator of a private room, another member becomes its administrator.
    """

    def __init__(self, user_store: UserStore, rooms: RoomParts, writer: Writer, notices: Notices) -> None:
        self._user_store = user_store
        self._rooms = rooms
        self._membership_store = rooms.membership_store
        self._writer = writer
        self._notices = notices

    def end_for(self, user_id: str) -> None:
        """End the connections and memberships of a user, and notify the others in the user's direct conversations."""
        self._notices.tell(Notice(kind="user", user=user_id, data={"end": True, "message": GONE}))
        for room_id in self._rooms.members.list_managed_by(user_id):
            room = self._rooms.store.find(room_id)
            if room is not None and room.kind == "private":  # in a public room, the site's administrators can act
                self._hand_over(user_id, room)
        rooms = self._rooms.listings.rooms_of(user_id)
        self._membership_store.forget(user_id)
        for person in sorted({person for room in rooms for person in room.people} - {user_id}):
            self._notices.tell(Notice(kind="rooms", user=person))

    def _hand_over(self, user_id: str, room: Room) -> None:
        if self._rooms.members.has_another_administrator(user_id, room):
            return
        heir_id = self._rooms.members.find_heir(user_id, room)
        heir = self._user_store.find(heir_id) if heir_id else None
        if heir is not None:
            self._membership_store.set_role(heir.id, room, "administrator")
            self._notices.tell(Notice(kind="access", user=heir.id, room=room.id))
            self._writer.note(room, heir.person.author, "is now an administrator of this room")


class DepartedMessages:
    """Changes the messages that a deleted user wrote, or that name the user. The search index finds them."""

    def __init__(self, room_store: RoomStore, messages: MessageParts, search: SearchParts) -> None:
        self._room_store = room_store
        self._message_store = messages.store
        self._changes = messages.changes
        self._indexer = search.indexer
        self._index = search.store

    def erase(self, former: FormerMember, goes_on: Callable[[float], bool], report: Report) -> bool:
        """Change the messages in all rooms. If `goes_on` returns False after a step, stop and return False.

        `goes_on` gets the number of seconds to rest before the next step, because posts have priority.
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
