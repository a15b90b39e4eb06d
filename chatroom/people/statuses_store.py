"""What users say about the present: their statuses, and when they do not want to be disturbed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from chatroom.base.models import Quiet, Status
from chatroom.mongo.database import Database
from chatroom.people.users_store import HERE


class StatusStore:
    """The fields `status` and `quiet` of the users collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]

    def put(self, user_id: str, field: Literal["status", "quiet"], value: Status | Quiet | None) -> None:
        """Store a value, or remove it (None, or a value that says nothing)."""
        document = msgspec.to_builtins(value, builtin_types=(datetime,)) if value else {}
        update = {"$set": {field: document}} if document else {"$unset": {field: ""}}
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, update)

    def quiet_of(self, user_ids: Collection[str]) -> Mapping[str, Quiet]:
        """Return when these users do not want to be disturbed, for those who have said so."""
        query = {"_id": {"$in": list(user_ids)}, "quiet": {"$exists": True}}
        with self._database.bounded():
            return {
                each["_id"]: msgspec.convert(each["quiet"], Quiet) for each in self._users.find(query, {"quiet": 1})
            }
