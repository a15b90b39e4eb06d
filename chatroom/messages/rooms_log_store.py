"""Read the logs of several rooms in one query: what has changed, and the newest revision of each room."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from bson import ObjectId
from pymongo import DESCENDING
from pymongo.collection import Collection as PymongoCollection

from chatroom.base.models import Message
from chatroom.messages.documents_store import find_message
from chatroom.mongo.database import Database, Document

MAX_HINTS = 10_000
"""Entries that one query for newer revisions reads. The next query reads the rest."""


class RoomsLog:
    """Reads of the messages collection across rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._messages = database["messages"]

    def find_all(self, ids: Sequence[str], rooms: Collection[str]) -> list[tuple[Message, str]]:
        """The messages among these that are in one of these rooms, each with its room, the newest first."""
        query = {"_id": {"$in": [ObjectId(id) for id in ids]}, "room": {"$in": list(rooms)}}
        with self._database.bounded():
            found = list(self._messages.find(query))
        return _with_rooms(sorted(found, key=lambda document: document["_id"], reverse=True))

    def changed_beyond(self, known: Mapping[str, int], limit: int) -> list[tuple[Message, str]]:
        """At most `limit` messages that changed after the known revision of their room, in no order."""
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            return _with_rooms(self._messages.find(query).limit(limit).batch_size(limit + 1)) if known else []

    def newest_of(self, rooms: Collection[str]) -> dict[str, int]:
        """The newest revision of each room in which something was posted; one index lookup for each room."""
        with self._database.bounded():
            return newest_of(self._messages, rooms)

    def newest_revisions(self, known: Mapping[str, int]) -> dict[str, int]:
        """The rooms with revisions after the known ones, and their newest revisions."""
        found: dict[str, int] = {}
        if not known:
            return found
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            for document in self._messages.find(query, {"_id": 0, "room": 1, "revision": 1}).limit(MAX_HINTS):
                found[document["room"]] = max(found.get(document["room"], 0), document["revision"])
        return found


def _with_rooms(documents: Iterable[Document]) -> list[tuple[Message, str]]:
    return [(message, document["room"]) for document in documents if (message := find_message(document)) is not None]


def newest_of(messages: PymongoCollection[Document], rooms: Collection[str]) -> dict[str, int]:
    """The newest revision of each room, from the index alone."""
    pipeline: list[Document] = [
        {"$match": {"room": {"$in": list(rooms)}}},
        {"$sort": {"room": DESCENDING, "revision": DESCENDING}},
        {"$group": {"_id": "$room", "revision": {"$first": "$revision"}}},
    ]
    return {document["_id"]: document["revision"] for document in messages.aggregate(pipeline)}
