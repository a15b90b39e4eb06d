"""Held messages: posts of newcomers that wait for a moderator.

Author, room and client id identify a held message. It is decided once, and is not in the room's log.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Author, Held
from chatroom.mongo.database import Database, Document
from chatroom.mongo.records import record_of
from chatroom.mongo.unique import check_own, write_or_find
from chatroom.site.acts_store import INDEX, Note, noting

KEPT_SECONDS = 30 * 24 * 3600
"""The time for which the outcome is kept."""

INDEXES = [
    IndexModel([("room", ASCENDING), ("client_id", ASCENDING), ("author.id", ASCENDING)], unique=True),
    # Each author has a fixed number of places. So simultaneous posts cannot exceed the limit.
    IndexModel("place", unique=True, sparse=True),
    IndexModel([("state", ASCENDING), ("held_at", ASCENDING)]),
    IndexModel("is_unfinished", sparse=True),
    IndexModel([("author.id", ASCENDING), ("room", ASCENDING)]),
    IndexModel("decided_at", expireAfterSeconds=KEPT_SECONDS),
    INDEX,
]


class HeldStore:
    """The held collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._held = database["held"]
        self._clock = clock

    def add(self, held: Held, most: int) -> Held | None:
        """Store a new message, or find a repeated one. Return it, or None if its author has `most` held messages."""
        author = held.author.id
        with self._database.bounded():
            taken = {each["place"] for each in self._held.find({"author.id": author, "place": {"$gt": ""}})}
            for place in (f"{author}:{number}" for number in range(most)):
                if place in taken:
                    continue
                if (holder := self._insert(held, place)) is None:
                    return held
                if (found := self.find(held.room_id, author, held.client_id)) is not None:  # sent twice
                    return found
                check_own(holder, place=place)  # another post of the same author has taken this place
        return self.find(held.room_id, author, held.client_id)

    def find(self, room_id: str, author_id: str, client_id: str) -> Held | None:
        """Find the held message of this room, author and client id."""
        with self._database.bounded():
            document = self._held.find_one({"room": room_id, "client_id": client_id, "author.id": author_id})
        return _held(document) if document else None

    def find_by_id(self, held_id: str) -> Held | None:
        """Find the held message with this id."""
        if not ObjectId.is_valid(held_id):
            return None
        with self._database.bounded():
            document = self._held.find_one({"_id": ObjectId(held_id)})
        return _held(document) if document else None

    def list_waiting(self, rooms: Collection[str] | None, *, is_public: bool, limit: int) -> list[Held]:
        """Return waiting messages in `rooms` (None: all rooms), also in public rooms if `is_public`; oldest first."""
        query = _waiting_in(rooms, is_public=is_public)
        with self._database.bounded():
            return [_held(each) for each in self._held.find(query).sort("held_at", ASCENDING).limit(limit)]

    def count_waiting(self, rooms: Collection[str] | None, *, is_public: bool, limit: int) -> int:
        """Count the messages that `list_waiting` returns; stop at `limit`."""
        with self._database.bounded():
            return self._held.count_documents(_waiting_in(rooms, is_public=is_public), limit=limit)

    def list_of(self, author_id: str, room_id: str | None = None) -> list[Held]:
        """Return an author's waiting and rejected messages, the oldest first."""
        query: dict[str, Any] = {"author.id": author_id, "$or": [{"place": {"$gt": ""}}, {"is_shown": True}]}
        if room_id is not None:
            query["room"] = room_id
        with self._database.bounded():
            found = [_held(each) for each in self._held.find(query)]
        return sorted(found, key=lambda held: (held.held_at, held.id))

    def decide(
        self,
        held_id: str,
        state: str,
        by: Author,
        reason: str = "",
        *,
        is_trusting: bool = False,
        note: Note | None = None,
    ) -> bool:
        """Store a decision, to be completed by `finish`; return False if the message was decided already."""
        fields: Document = {"state": state, "decided_at": self._clock(), "reason": reason, "is_trusting": is_trusting}
        fields |= {"decided_by": {"id": by.id, "name": by.name}, "is_unfinished": True}
        query = {"_id": ObjectId(held_id), "state": "waiting"}
        with self._database.bounded():
            return self._held.update_one(query, noting({"$set": fields}, note)).modified_count == 1

    def finish(self, held: Held) -> None:
        """Mark a decision as complete. Erase the text, unless the message was rejected: then `put_away` erases it."""
        update: Document = {"$unset": {"is_unfinished": "", "place": "", "files": ""}}
        if held.state == "rejected":
            update["$set"] = {"is_shown": True}
        else:
            update["$unset"]["text"] = ""
        with self._database.bounded():
            self._held.update_one({"_id": ObjectId(held.id), "is_unfinished": True}, update)

    def put_away(self, held_id: str) -> None:
        """Dismiss a rejected message: hide it from its author, and erase the text."""
        query = {"_id": ObjectId(held_id), "is_shown": True}
        with self._database.bounded():
            self._held.update_one(query, {"$unset": {"is_shown": "", "text": ""}})

    def list_unfinished(self, age: timedelta, limit: int) -> list[Held]:
        """Return the messages with a decision that is older than `age` and not complete."""
        query = {"is_unfinished": True, "decided_at": {"$lt": self._clock() - age}}
        with self._database.bounded():
            return [_held(each) for each in self._held.find(query).limit(limit)]

    def forget(self, user_id: str) -> None:
        """Remove a user's held messages, except approved messages that are not posted yet."""
        done = [{"state": {"$ne": "approved"}}, {"place": None}]
        with self._database.bounded():
            self._held.delete_many({"author.id": user_id, "$or": done})

    def _insert(self, held: Held, place: str) -> Document | None:
        """Store a message and return None. If its place, client id or id is taken, return the document that has it."""
        document = _document(held) | {"place": place}
        same = {"room": held.room_id, "client_id": held.client_id, "author.id": held.author.id}
        return write_or_find(
            self._database,
            lambda: self._held.insert_one(document),
            lambda: self._held.find_one({"$or": [same, {"place": place}, {"_id": document["_id"]}]}),
        )


def make_held_id() -> str:
    """Return an id for a new held message."""
    return str(ObjectId())


def _waiting_in(rooms: Collection[str] | None, *, is_public: bool) -> Document:
    if rooms is None:
        return {"state": "waiting"}
    places: list[Document] = [{"room": {"$in": sorted(rooms)}}]
    return {"state": "waiting", "$or": places + [{"is_public": True}] * is_public}


def _document(held: Held) -> Document:
    fields: Document = {
        "_id": ObjectId(held.id),
        "room": held.room_id,
        "is_public": held.is_public,
        "author": {"id": held.author.id, "name": held.author.name},
        "client_id": held.client_id,
        "text": held.text,
        "held_at": held.held_at,
        "state": held.state,
    }
    if held.reply_to is not None:
        fields["reply_to"] = held.reply_to
    if held.files:
        fields["files"] = [msgspec.structs.asdict(file) for file in held.files]
    return fields


def _held(document: Document) -> Held:
    other = {"room_id": document["room"], "is_done": "place" not in document}
    return record_of({"text": ""} | document | other, Held)
