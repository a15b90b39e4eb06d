"""All data of one person, for that person: account, sessions, rooms, messages, files.

The search index finds the messages, a page at a time, also in rooms that the person has left.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import Message, User
from chatroom.messages.messages_store import MessageStore
from chatroom.moderation.held_store import HeldStore
from chatroom.people.fields import EXPORTED
from chatroom.people.sessions import Sessions
from chatroom.rooms.wiring import RoomParts
from chatroom.search.indexer import from_word
from chatroom.search.wiring import SearchParts

PAGE = 200
ROOMS_AT_ONCE = 500
MOST_BATCHES = 50
"""That are indexed before the reading; where more is missing, the index is being made, and they come back later."""
OF_SESSION = ("kind", "label", "address", "created_at", "seen_at", "expires_at")

Record = dict[str, Any]


class OwnData:
    """Read what belongs to one person, as records of plain values, each with its `type`."""

    def __init__(
        self, sessions: Sessions, message_store: MessageStore, rooms: RoomParts, held: HeldStore, search: SearchParts
    ) -> None:
        self._sessions = sessions
        self._message_store = message_store
        self._listings = rooms.listings
        self._all_rooms = rooms.store
        self._held = held
        self._indexer = search.indexer
        self._index = search.store

    def read(self, user: User) -> Iterator[Record]:
        """Every record; raises `Refused` (`busy`), before there is any, while the index is behind."""
        rooms = self._rooms_written_in(user.id)
        return self._records(user, rooms)

    def _records(self, user: User, rooms: dict[str, str]) -> Iterator[Record]:
        yield {"type": "account", **{name: getattr(user, name) for name in EXPORTED}}
        for session in self._sessions.list_for(user):
            yield {"type": "session", **{name: getattr(session, name) for name in OF_SESSION}}
        for entry in self._listings.list_for(user.id):
            membership = entry.membership
            yield {
                "type": "membership",
                "room": entry.room.slug,
                "title": entry.title,
                "role": membership.role,
                "notify": membership.notify,
                "read_sequence": membership.read_sequence,
            }
        held = self._held.list_of(user.id)
        slugs = self._all_rooms.slugs_of({each.room_id for each in held})
        for each in held:
            yield {
                "type": "held_message",
                "room": slugs.get(each.room_id, ""),
                "held_at": each.held_at,
                "state": each.state,
                "reason": each.reason,
                "reply_to": each.reply_to,
                "text": each.text,
                "files": [msgspec.structs.asdict(file) for file in each.files],
            }
        for room_id, slug in rooms.items():
            for message in self._written_by(user.id, room_id):
                yield _record(message, slug)

    def _rooms_written_in(self, user_id: str) -> dict[str, str]:
        """The slugs of the rooms in which somebody wrote, by the rooms' ids."""
        found: set[str] = set()
        left = MOST_BATCHES
        all_rooms = self._all_rooms.list_ids()
        for first in range(0, len(all_rooms), ROOMS_AT_ONCE):
            rooms = all_rooms[first : first + ROOMS_AT_ONCE]
            for room, revision in self._indexer.behind(rooms).items():
                cursor: int | None = revision
                while cursor is not None:
                    if not left:
                        raise Refused("busy", "The search index is still being built. Please try again later.")
                    cursor = self._indexer.take_in(room, cursor)
                    left -= 1
            found |= self._index.words.rooms_with(rooms, [from_word(user_id)])
        return self._all_rooms.slugs_of(found)

    def _written_by(self, user_id: str, room: str) -> Iterator[Message]:
        """What somebody wrote in a room, the newest first."""
        for ids in self._index.pages_with(room, [from_word(user_id)], PAGE):
            for message, _ in self._message_store.find_all(ids, [room]):
                if message.deleted_at is None and message.author.id == user_id:
                    yield message


def _record(message: Message, slug: str) -> Record:
    return {
        "type": "message",
        "room": slug,
        "sequence": message.sequence,
        "sent_at": message.sent_at,
        "edited_at": message.edited_at,
        "reply_to": message.reply_to,
        "text": message.text,
        "files": [msgspec.structs.asdict(file) for file in message.files],
    }
