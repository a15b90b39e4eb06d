"""Reports in the database.

An open report has a copy of the messages. A user can report a message once.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from pymongo import ASCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Author, RoomName
from chatroom.mongo.database import Database
from chatroom.mongo.records import record_of
from chatroom.mongo.unique import check_own, write_or_find
from chatroom.site.acts_store import INDEX, Note, noting

KEPT_SECONDS = 90 * 24 * 3600
"""The time for which a closed report is kept, without its copy of the messages."""

INDEXES = [
    IndexModel([("is_open", ASCENDING), ("created_at", ASCENDING)]),
    IndexModel([("is_open", ASCENDING), ("room.id", ASCENDING), ("created_at", ASCENDING)]),
    IndexModel([("message", ASCENDING), ("is_open", ASCENDING)]),
    IndexModel("closed_at", expireAfterSeconds=KEPT_SECONDS),
    INDEX,
]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the reporter saw it."""

    sequence: int
    author: Author
    text: str
    sent_at: datetime
    is_deleted: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An open report; `said` is the message with its neighbours, oldest first."""

    id: str
    room: RoomName
    message: str
    sequence: int
    author: Author
    reporter: Author
    reason: str
    created_at: datetime
    said: tuple[Said, ...]


class ReportStore:
    """The reports collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._reports = database["reports"]
        self._clock = clock

    def add(self, report: Report) -> None:
        """Store a report, unless the same user has reported this message before."""
        document = {**msgspec.to_builtins(report, builtin_types=(datetime,)), "is_open": True}
        document["_id"] = document.pop("id")
        with self._database.bounded():
            holder = write_or_find(
                self._database,
                lambda: self._reports.insert_one(document),
                lambda: self._reports.find_one({"_id": report.id}),
            )
        if holder is not None:  # sent twice
            check_own(holder, message=report.message, reporter=document["reporter"])

    def has(self, report_id: str) -> bool:
        """Return whether there is a report with this id, open or closed."""
        with self._database.bounded():
            return self._reports.find_one({"_id": report_id}, {"_id": 1}) is not None

    def find_open(self, report_id: str) -> Report | None:
        """Find the open report with this id."""
        with self._database.bounded():
            document = self._reports.find_one({"_id": report_id, "is_open": True})
        return record_of(document, Report) if document else None

    def list_open(self, rooms: Collection[str] | None, limit: int) -> list[Report]:
        """Return the open reports from these rooms (None: from all), the oldest first."""
        with self._database.bounded():
            found = self._reports.find(_open_in(rooms)).sort("created_at", ASCENDING).limit(limit)
            return [record_of(each, Report) for each in found]

    def count_open_in(self, rooms: Collection[str] | None, but_by: str, limit: int) -> int:
        """Count the open reports from these rooms (None: from all), without reports about this author."""
        with self._database.bounded():
            return self._reports.count_documents(_open_in(rooms) | {"author.id": {"$ne": but_by}}, limit=limit)

    def count_open(self, message: str) -> int:
        """Count the open reports of a message."""
        with self._database.bounded():
            return self._reports.count_documents({"message": message, "is_open": True})

    def close_all(self, message: str, outcome: Sequence[str], by: Author, note: Note | None = None) -> int:
        """Close all open reports of a message, delete their copies of messages, and return the number of reports."""
        decided = {"closed_at": self._clock(), "outcome": list(outcome), "closed_by": {"id": by.id, "name": by.name}}
        update = {"$set": decided, "$unset": {"is_open": "", "said": ""}}
        with self._database.bounded():
            return self._reports.update_many({"message": message, "is_open": True}, noting(update, note)).modified_count


def _open_in(rooms: Collection[str] | None) -> dict[str, Any]:
    return {"is_open": True} if rooms is None else {"is_open": True, "room.id": {"$in": sorted(rooms)}}
