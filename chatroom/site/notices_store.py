"""Notices in the database: short-lived hints from one process to all others.

MongoDB removes a notice after `KEPT_SECONDS`.
"""

from datetime import datetime

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from chatroom.base.models import Notice
from chatroom.mongo.database import Database

KEPT_SECONDS = 120
INDEXES = [IndexModel("at", expireAfterSeconds=KEPT_SECONDS)]


class Told(msgspec.Struct, frozen=True):
    """A stored notice."""

    id: str
    at: datetime
    notice: Notice


class NoticeStore:
    """The notices collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notices = database["notices"]

    def new_id(self) -> str:
        """Return an id for a new notice."""
        return str(ObjectId())

    def add(self, notice_id: str, notice: Notice) -> None:
        """Store a notice. A repetition with the same id changes nothing."""
        fields = msgspec.structs.asdict(notice)
        with self._database.bounded():
            # The database sets the time, because all processes share its clock.
            self._notices.update_one(
                {"_id": ObjectId(notice_id)}, {"$setOnInsert": fields, "$currentDate": {"at": True}}, upsert=True
            )

    def told_since(self, moment: datetime) -> list[Told]:
        """Return the notices after `moment`, ordered by time. A notice may become visible later than a newer notice."""
        with self._database.bounded():
            found = list(self._notices.find({"at": {"$gt": moment}}).sort("at", ASCENDING))
        return [
            Told(
                str(document["_id"]),
                document["at"],
                Notice(kind=document["kind"], user=document["user"], room=document["room"], data=document["data"]),
            )
            for document in found
        ]
