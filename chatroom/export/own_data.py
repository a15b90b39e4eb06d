"""All data of one user, for that user: account, sessions, rooms, messages, files.

The search index finds the messages, a page at a time, also in rooms that the user has left.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import File, Message, User
from chatroom.messages.messages_store import MessageStore
from chatroom.moderation.held_store import HeldStore
from chatroom.outbound.later_store import SavedStore
from chatroom.people.fields import EXPORTED
from chatroom.people.sessions import Sessions
from chatroom.rooms.wiring import RoomParts
from chatroom.search.indexer import mark
from chatroom.search.wiring import SearchParts

PAGE = 200
ROOMS_AT_ONCE = 500
MOST_BATCHES = 50
"""The maximum number of batches that are indexed first. If more are missing, the request is refused."""
OF_SESSION = ("kind", "label", "address", "created_at", "seen_at", "expires_at")
OF_MEMBERSHIP = ("role", "notify", "chosen", "paused_until", "is_starred", "hidden_to", "read_sequence", "unread_from")
OF_HELD = ("held_at", "state", "reason", "reply_to", "text")
OF_SAVED = ("message_id", "saved_at", "remind_at")
OF_MESSAGE = ("sequence", "sent_at", "edited_at", "reply_to", "text")

Record = dict[str, Any]


class Beside(msgspec.Struct, frozen=True):
    """The stores of what a user has beside an account, rooms and messages."""

    held: HeldStore
    saved: SavedStore


class OwnData:
    """Reads the data of one user, as records of plain values, each with its `type`."""

    def __init__(
        self,
        sessions: Sessions,
        message_store: MessageStore,
        rooms: RoomParts,
        *,
        beside: Beside,
        search: SearchParts,
    ) -> None:
        self._sessions = sessions
        self._message_store = message_store
        self._listings = rooms.listings
        self._all_rooms = rooms.store
        self._held = beside.held
        self._saved = beside.saved
        self._indexer = search.indexer
        self._index = search.store

    def read(self, user: User) -> Iterator[Record]:
        """Return all records. If the search index is behind, raise `Refused` (`busy`) before the first record."""
        return self._records(user, self._rooms_written_in(user.id))

    def _records(self, user: User, rooms: dict[str, str]) -> Iterator[Record]:
        yield _record("account", user, EXPORTED)
        for session in self._sessions.list_for(user):
            yield _record("session", session, OF_SESSION)
        for entry in self._listings.list_for(user.id):
            yield _record("membership", entry.membership, OF_MEMBERSHIP, room=entry.room.slug, title=entry.title)
        held = self._held.list_of(user.id)
        slugs = self._all_rooms.slugs_of({each.room_id for each in held})
        for each in held:
            yield _record("held_message", each, OF_HELD, room=slugs.get(each.room_id, ""), files=_facts(each.files))
        saved = self._saved.list_all(user.id)
        slugs = self._all_rooms.slugs_of({kept.room_id for kept in saved})
        for kept in saved:
            yield _record("saved_message", kept, OF_SAVED, room=slugs.get(kept.room_id, ""))
        for room_id, slug in rooms.items():
            for message in self._written_by(user.id, room_id):
                more = {"room": slug, "files": _facts(message.files)}
                if message.edited_at is not None:
                    versions = self._message_store.versions_of(message.id)
                    more["versions"] = [msgspec.structs.asdict(version) for version in versions]
                yield _record("message", message, OF_MESSAGE, **more)

    def _rooms_written_in(self, user_id: str) -> dict[str, str]:
        """Return the slugs of the rooms in which this user wrote, by room id."""
        found: set[str] = set()
        batches = iter([True] * MOST_BATCHES)
        all_rooms = self._all_rooms.list_ids()
        for first in range(0, len(all_rooms), ROOMS_AT_ONCE):
            rooms = all_rooms[first : first + ROOMS_AT_ONCE]
            if not self._indexer.catch_up(rooms, lambda: next(batches, False)):
                raise Refused("busy", "The search index is still being built. Please try again later.")
            found |= self._index.words.rooms_with(rooms, [mark("from", user_id)])
        return self._all_rooms.slugs_of(found)

    def _written_by(self, user_id: str, room: str) -> Iterator[Message]:
        """Yield this user's messages in a room, the newest first."""
        for ids in self._index.pages_with(room, [mark("from", user_id)], PAGE):
            for message, _ in self._message_store.find_all(ids, [room]):
                if message.deleted_at is None and message.author.id == user_id:
                    yield message


def _record(type: str, thing: object, fields: Iterable[str], **more: Any) -> Record:
    return {"type": type, **more, **{field: getattr(thing, field) for field in fields}}


def _facts(files: Iterable[File]) -> list[Record]:
    return [msgspec.structs.asdict(file) for file in files]
