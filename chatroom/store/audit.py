"""The audit log: who did what to whom, when and why.

Entries are only ever added. Their ids ascend with time, and are what pages are cut by.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from chatroom.models import Author
from chatroom.store.database import Database, Document

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
    """What an act was done to: its kind, its id, and what it was called then."""

    kind: SubjectKind
    id: str
    name: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `actor.id` is empty for the person at the console; `room` is where it was done, if in one room."""

    id: str
    at: datetime
    actor: Author
    act: str
    subject: Subject
    room: Subject | None = None
    reason: str = ""
    details: Mapping[str, Any] = {}


class AuditStore:
    """The audit collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._entries = database.audit
        self._clock = clock

    def add(
        self,
        actor: Author,
        act: str,
        subject: Subject,
        reason: str,
        details: Mapping[str, Any],
        *,
        room: Subject | None,
    ) -> None:
        """Store an entry."""
        document: Document = {
            "at": self._clock(),
            "actor": {"id": actor.id, "name": actor.name},
            "act": act,
            "subject": {"kind": subject.kind, "id": subject.id, "name": subject.name},
            "reason": reason,
            "details": dict(details),
        }
        if room is not None:
            document["room"] = {"id": room.id, "name": room.name}
        with self._database.bounded():
            self._entries.insert_one(document)

    def list_before(self, before: str, limit: int, filters: Mapping[str, str]) -> list[Entry]:
        """Entries older than the one with the id `before` (or the newest), whose fields are as `filters` say."""
        query: dict[str, Any] = dict(filters)
        if ObjectId.is_valid(before):
            query["_id"] = {"$lt": ObjectId(before)}
        with self._database.bounded():
            return [_entry(document) for document in self._entries.find(query).sort("_id", DESCENDING).limit(limit)]


def _entry(document: Document) -> Entry:
    room = document.get("room")
    return Entry(
        id=str(document["_id"]),
        at=document["at"],
        actor=Author(**document["actor"]),
        act=document["act"],
        subject=Subject(**document["subject"]),
        room=Subject("room", **room) if room else None,
        reason=document["reason"],
        details=document["details"],
    )
