"""The audit log in the database. Entries are only added, and their ids ascend with time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from chatroom.base.models import Author
from chatroom.mongo.database import Database, Document
from chatroom.mongo.records import record_of

SubjectKind = Literal["user", "room", "message", "site"]

INDEXES = [
    IndexModel([("act", DESCENDING), ("_id", DESCENDING)]),
    IndexModel([("actor.id", DESCENDING), ("_id", DESCENDING)]),
    IndexModel([("subject.id", DESCENDING), ("_id", DESCENDING)]),
    IndexModel(
        [("room.id", DESCENDING), ("_id", DESCENDING)],
        partialFilterExpression={"room.id": {"$exists": True}},
        name="room_id",
    ),
]


class Subject(msgspec.Struct, frozen=True):
    """The object of an act: its kind, its id, and its name at the time of the act."""

    kind: SubjectKind
    id: str
    name: str


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `actor.id` is empty for the person at the console; `room` is set for an act in one room."""

    at: datetime
    actor: Author
    act: str
    subject: Subject
    room: Subject | None = None
    reason: str = ""
    details: Mapping[str, Any] = {}


class Entry(Act, frozen=True, kw_only=True):
    """An act in the log."""

    id: str


class AuditStore:
    """The audit collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries = database["audit"]

    def add(self, entry_id: str, act: Act) -> None:
        """Store an entry; a repetition with the same id changes nothing."""
        with self._database.bounded():
            self._entries.update_one({"_id": ObjectId(entry_id)}, {"$setOnInsert": document_of(act)}, upsert=True)

    def list_before(self, before: str, limit: int, filters: Mapping[str, str]) -> list[Entry]:
        """Return the newest entries that match `filters` and, if `before` is an id, are older than that entry."""
        query: dict[str, Any] = dict(filters)
        if ObjectId.is_valid(before):
            query["_id"] = {"$lt": ObjectId(before)}
        with self._database.bounded():
            return [
                record_of(_with_kind(document), Entry)
                for document in self._entries.find(query).sort("_id", DESCENDING).limit(limit)
            ]


def document_of(act: Act) -> Document:
    """Convert an act to its stored form."""
    document: Document = {
        "at": act.at,
        "actor": {"id": act.actor.id, "name": act.actor.name},
        "act": act.act,
        "subject": {"kind": act.subject.kind, "id": act.subject.id, "name": act.subject.name},
        "reason": act.reason,
        "details": dict(act.details),
    }
    if act.room is not None:
        document["room"] = {"id": act.room.id, "name": act.room.name}
    return document


def act_of(document: Document) -> Act:
    """Convert a stored document to an act."""
    return msgspec.convert(_with_kind(document), Act, builtin_types=(datetime,))


def _with_kind(document: Document) -> Document:
    return document | {"room": {"kind": "room", **document["room"]}} if "room" in document else document
