"""Read the logs of rooms: changes by revision, history by sequence.

Each read uses an index, and sees only changes that a majority of the nodes has stored.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection as PymongoCollection

from chatroom.base.errors import Refused
from chatroom.base.models import Message
from chatroom.messages.documents_store import find_message, get_message
from chatroom.messages.versions import Version
from chatroom.mongo.database import Database, Document

MOST_COUNTED = 10_000
MAX_HINTS = 10_000
"""The most entries that one query for newer revisions reads."""
MOST_PINS = 50
SHOWN = {"versions": 0}
"""The fields that reads of messages return: all but the earlier texts, which can be long, and which few people ask for.
"""

Key = tuple[str, str]
"""The unique key of a message in its room: the author's id and the client id."""


class RoomsLog:
    """Read several rooms in the messages collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages = database["messages"]

    def find_all(self, ids: Sequence[str], rooms: Collection[str]) -> list[tuple[Message, str]]:
        """Return the messages with these ids in these rooms, newest first, each with the id of its room."""
        query = {"_id": {"$in": [ObjectId(id) for id in ids]}, "room": {"$in": list(rooms)}}
        with self._database.bounded():
            found = list(self._messages.find(query, SHOWN))
        return _with_rooms(sorted(found, key=lambda document: document["_id"], reverse=True))

    def changed_beyond(self, known: Mapping[str, int], limit: int) -> list[tuple[Message, str]]:
        """Return at most `limit` messages that changed after the known revision of their room, unsorted."""
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            return _with_rooms(self._messages.find(query, SHOWN).limit(limit).batch_size(limit + 1)) if known else []

    def versions_of(self, message_id: str) -> list[Version]:
        """Return the earlier texts of a message, the oldest first."""
        with self._database.bounded():
            found = self._messages.find_one({"_id": ObjectId(message_id)}, {"_id": 0, "versions": 1})
        return msgspec.convert((found or {}).get("versions", []), list[Version])

    def newest_of(self, rooms: Collection[str]) -> dict[str, int]:
        """Return the newest revision of each room that has messages."""
        with self._database.bounded():
            return newest_of(self._messages, rooms)

    def newest_revisions(self, known: Mapping[str, int]) -> dict[str, int]:
        """Return the newest revision of each room that has changed since its known revision."""
        found: dict[str, int] = {}
        if not known:
            return found
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            for document in self._messages.find(query, {"_id": 0, "room": 1, "revision": 1}).limit(MAX_HINTS):
                found[document["room"]] = max(found.get(document["room"], 0), document["revision"])
        return found


class MessageLog(RoomsLog):
    """Read one room in the messages collection."""

    def get(self, room: str, message_id: str) -> Message:
        """Return the message. Raises `Refused` (`not_found`) if the room has no message with this id."""
        with self._database.bounded():
            return read_message(self._messages, room, message_id)

    def newest_revision(self, room: str) -> int:
        """Return the newest revision of the room; 0 for a room without messages."""
        with self._database.bounded():
            return self._newest_revision(room)

    def find_by_client_id(self, room: str, author_id: str, client_id: str) -> Message | None:
        """Return the message that this author has posted with this client id, or None."""
        with self._database.bounded():
            return read_by_keys(self._messages, room, [(author_id, client_id)]).get((author_id, client_id))

    def changed_after(self, room: str, revision: int, limit: int) -> list[Message]:
        """Return at most `limit` messages that changed after `revision`, in order of revision."""
        return self._page({"room": room, "revision": {"$gt": revision}}, "revision", ASCENDING, limit)

    def newest(self, room: str, limit: int) -> list[Message]:
        """Return the `limit` newest messages, oldest first."""
        return self._page({"room": room}, "sequence", DESCENDING, limit)[::-1]

    def before(self, room: str, sequence: int, limit: int) -> list[Message]:
        """Return the `limit` messages before `sequence`, oldest first."""
        return self._page({"room": room, "sequence": {"$lt": sequence}}, "sequence", DESCENDING, limit)[::-1]

    def since(self, room: str, sequence: int, limit: int) -> list[Message]:
        """Return the `limit` messages from `sequence` on, oldest first."""
        return self._page({"room": room, "sequence": {"$gte": sequence}}, "sequence", ASCENDING, limit)

    def first_since(self, room: str, moment: datetime) -> int:
        """Return the sequence of the first message since a time. This is exact only if the servers' clocks agree."""
        with self._database.bounded():
            low, high = 0, self._newest_revision(room) + 1
            while low < high:
                middle = (low + high) // 2
                query = {"room": room, "sequence": {"$gte": middle}}
                fields = {"_id": 0, "sequence": 1, "sent_at": 1}
                found = self._messages.find_one(query, fields, sort=[("sequence", ASCENDING)])
                if found is None or found["sent_at"] >= moment:
                    high = middle
                else:
                    low = found["sequence"] + 1
            return low

    def by_sequences(self, room: str, sequences: Collection[int]) -> list[Message]:
        """Return the messages with these sequences, oldest first. Missing messages are left out."""
        query = {"room": room, "sequence": {"$in": sorted(sequences)}}
        return self._page(query, "sequence", ASCENDING, len(sequences)) if sequences else []

    def changed_last(self, room: str, revision: int, limit: int) -> list[Message]:
        """Return at most `limit` messages that changed after `revision`, the latest change first."""
        return self._page({"room": room, "revision": {"$gt": revision}}, "revision", DESCENDING, limit)

    def pinned(self, room: str) -> list[Message]:
        """Return the pinned messages, in the order in which they were pinned."""
        return self._page({"room": room, "pinned_at": {"$type": "date"}}, "pinned_at", ASCENDING, MOST_PINS)

    def count_older(self, room: str, moment: datetime, *, after: int) -> int:
        """Count undeleted messages that were sent before `moment`, with sequences above `after`; at most 10,000."""
        place = {"$gt": after, "$lt": self.first_since(room, moment)}
        query = {"room": room, "sequence": place, "deleted_at": None}
        with self._database.bounded():
            return self._messages.count_documents(query, limit=MOST_COUNTED, hint="room_sequence")

    def _page(self, query: Document, order: str, direction: int, limit: int) -> list[Message]:
        with self._database.bounded():
            # `batch_size` keeps the read to one round trip.
            cursor = self._messages.find(query, SHOWN).sort(order, direction).limit(limit).batch_size(limit + 1)
            return [message for document in cursor if (message := find_message(document)) is not None]

    def _newest_revision(self, room: str) -> int:
        document = self._messages.find_one(
            {"room": room}, {"_id": 0, "revision": 1}, sort=[("room", DESCENDING), ("revision", DESCENDING)]
        )
        return document["revision"] if document else 0


def read_message(messages: PymongoCollection[Document], room: str, message_id: str) -> Message:
    """Return the message. Raises `Refused` (`not_found`) if the room has no message with this id."""
    try:
        document = messages.find_one({"_id": ObjectId(message_id), "room": room}, SHOWN)
    except InvalidId:
        document = None
    if document is None:
        raise Refused("not_found", "There is no such message in this room.")
    return get_message(document)


def read_by_keys(messages: PymongoCollection[Document], room: str, keys: Sequence[Key]) -> dict[Key, Message]:
    """Return the stored messages with these keys."""
    found = {}
    wanted = set(keys)
    authors, client_ids = map(list, zip(*keys, strict=True))
    query = {"room": room, "client_id": {"$in": client_ids}, "author.id": {"$in": authors}}
    for document in messages.find(query, SHOWN):
        message = get_message(document)
        key = message.author.id, message.client_id
        if key in wanted:
            found[key] = message
    return found


def _with_rooms(documents: Iterable[Document]) -> list[tuple[Message, str]]:
    return [(message, document["room"]) for document in documents if (message := find_message(document)) is not None]


def newest_of(messages: PymongoCollection[Document], rooms: Collection[str]) -> dict[str, int]:
    """Return the newest revision of each room that has messages. Only the index is read."""
    pipeline: list[Document] = [
        {"$match": {"room": {"$in": list(rooms)}}},
        {"$sort": {"room": DESCENDING, "revision": DESCENDING}},
        {"$group": {"_id": "$room", "revision": {"$first": "$revision"}}},
    ]
    return {document["_id"]: document["revision"] for document in messages.aggregate(pipeline)}


def last_of(messages: PymongoCollection[Document], rooms: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return the sequence and the id of the last message of each room that has messages."""
    pipeline: list[Document] = [
        {"$match": {"room": {"$in": list(rooms)}}},
        {"$sort": {"room": DESCENDING, "sequence": DESCENDING}},
        {"$group": {"_id": "$room", "sequence": {"$first": "$sequence"}, "last": {"$first": "$_id"}}},
    ]
    return {document["_id"]: (document["sequence"], str(document["last"])) for document in messages.aggregate(pipeline)}
