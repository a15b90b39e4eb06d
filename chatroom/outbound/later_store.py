"""Saved messages: which messages a user saved for later, and when the user wants a reminder.

The text is not copied: a saved message that was deleted, or cannot be read any more, has no text here either.
"""

from datetime import datetime

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import write_or_find

INDEXES = [
    IndexModel([("user", ASCENDING), ("message", ASCENDING)], unique=True),
    IndexModel([("user", ASCENDING), ("_id", ASCENDING)]),
    IndexModel([("user", ASCENDING), ("remind_at", ASCENDING)]),
    IndexModel([("waits_to", ASCENDING)], sparse=True),
]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a user saved. A later `id` means: saved later."""

    id: str
    user_id: str
    room_id: str
    message_id: str
    saved_at: datetime
    remind_at: datetime | None = None


class SavedStore:
    """The saved collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._saved = database["saved"]
        self._clock = clock

    def put(self, user_id: str, room_id: str, message_id: str) -> Saved:
        """Save a message. A message that is saved already keeps its place and its reminder."""
        key = {"user": user_id, "message": message_id}
        document = {"_id": ObjectId(), **key, "room": room_id, "saved_at": self._clock()}
        with self._database.bounded():
            found = self._saved.find_one(key) or write_or_find(
                self._database, lambda: self._saved.insert_one(document), lambda: self._saved.find_one(key)
            )
        return _saved_of(found or document)

    def has(self, user_id: str, message_id: str) -> bool:
        """Return whether the user has saved this message."""
        with self._database.bounded():
            return self._saved.find_one({"user": user_id, "message": message_id}, {"_id": 1}) is not None

    def count(self, user_id: str, most: int) -> int:
        """Return the number of saved messages of a user, at most `most`."""
        with self._database.bounded():
            return int(self._saved.count_documents({"user": user_id}, limit=most))

    def count_due(self, user_id: str, most: int) -> int:
        """Return the number of due reminders of a user, at most `most`."""
        with self._database.bounded():
            return int(self._saved.count_documents(self._due(user_id), limit=most))

    def find(self, user_id: str, id: str) -> Saved | None:
        """Return a saved message of this user."""
        with self._database.bounded():
            found = self._saved.find_one({"_id": ObjectId(id), "user": user_id})
        return None if found is None else _saved_of(found)

    def list_due(self, user_id: str, limit: int) -> list[Saved]:
        """Return the saved messages with a due reminder, the latest reminder first."""
        with self._database.bounded():
            found = list(self._saved.find(self._due(user_id)).sort("remind_at", DESCENDING).limit(limit))
        return [_saved_of(each) for each in found]

    def list_others(self, user_id: str, before: str | None, limit: int) -> list[Saved]:
        """Return the saved messages without a due reminder, the latest first. `before` is the last id of a page."""
        query: Document = {"user": user_id, "$or": [{"remind_at": None}, {"remind_at": {"$gt": self._clock()}}]}
        if before is not None:
            query["_id"] = {"$lt": ObjectId(before)}
        with self._database.bounded():
            found = list(self._saved.find(query).sort("_id", DESCENDING).limit(limit))
        return [_saved_of(each) for each in found]

    def list_all(self, user_id: str) -> list[Saved]:
        """Return all saved messages of a user."""
        with self._database.bounded():
            return [_saved_of(each) for each in self._saved.find({"user": user_id}).sort("_id", ASCENDING)]

    def ids(self, user_id: str, room_id: str | None = None) -> dict[str, str]:
        """Return the id in the list of each message that a user saved, in all rooms or in one."""
        query = {"user": user_id} if room_id is None else {"user": user_id, "room": room_id}
        with self._database.bounded():
            return {each["message"]: str(each["_id"]) for each in self._saved.find(query, {"message": 1})}

    def remind(self, user_id: str, id: str, moment: datetime | None) -> bool:
        """Set the time of a reminder, or remove it. Return False if the user has no such saved message."""
        names = ("remind_at", "waits_to")
        update = {"$set": dict.fromkeys(names, moment)} if moment else {"$unset": dict.fromkeys(names, "")}
        with self._database.bounded():
            return self._saved.update_one({"_id": ObjectId(id), "user": user_id}, update).matched_count > 0

    def drop(self, user_id: str, id: str) -> bool:
        """Remove a saved message. Return False if there is none."""
        with self._database.bounded():
            return self._saved.delete_one({"_id": ObjectId(id), "user": user_id}).deleted_count > 0

    def take_waiting(self) -> Saved | None:
        """Return the next reminder whose time has come, only once: the caller announces it."""
        with self._database.bounded():
            found = self._saved.find_one_and_update(
                {"waits_to": {"$lte": self._clock()}}, {"$unset": {"waits_to": ""}}, sort=[("waits_to", ASCENDING)]
            )
        return None if found is None else _saved_of(found)

    def forget(self, user_id: str) -> None:
        """Remove all saved messages of a user."""
        with self._database.bounded():
            self._saved.delete_many({"user": user_id})

    def _due(self, user_id: str) -> Document:
        return {"user": user_id, "remind_at": {"$lte": self._clock()}}


def _saved_of(document: Document) -> Saved:
    return Saved(
        id=str(document["_id"]),
        user_id=document["user"],
        room_id=document["room"],
        message_id=document["message"],
        saved_at=document["saved_at"],
        remind_at=document.get("remind_at"),
    )
