"""Store the webhooks of rooms. An incoming webhook is found by the hash of its secret.

An outgoing webhook has a `cursor`: messages with a higher `sequence` are not delivered yet.
"""

from typing import Any

import msgspec
from pymongo import ASCENDING, IndexModel

from chatroom.base.models import Hook
from chatroom.mongo.database import Database
from chatroom.mongo.records import record_of
from chatroom.mongo.unique import check_own, write_or_find
from chatroom.site.acts_store import INDEX, Note, noted, noting

INDEXES = [
    IndexModel([("room", ASCENDING), ("created_at", ASCENDING)]),
    IndexModel("secret_hash", unique=True, sparse=True),
    IndexModel([("kind", ASCENDING), ("given_up_at", ASCENDING)]),
    INDEX,
]


class HookStore:
    """The hooks collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hooks = database["hooks"]

    def add(self, hook: Hook, *, secret_hash: str = "", key: str = "", note: Note | None = None) -> None:
        """Store a new webhook, with the hash of its secret or with its signing key."""
        document = msgspec.structs.asdict(hook)
        document["_id"] = document.pop("id")
        document["made_by"] = msgspec.to_builtins(hook.made_by)
        secret = {"secret_hash": secret_hash} if secret_hash else {"key": key}
        with self._database.bounded():
            holder = write_or_find(
                self._database,
                lambda: self._hooks.insert_one(noted(document | secret, note)),
                lambda: self._hooks.find_one({"$or": [{"_id": hook.id}, secret]}),
            )
        check_own(holder, _id=hook.id, room=hook.room, **secret)

    def list_for(self, room_id: str) -> list[Hook]:
        """Return the webhooks of a room, the oldest first."""
        with self._database.bounded():
            found = self._hooks.find({"room": room_id, "is_ended": None}).sort("created_at", ASCENDING)
            return [record_of(document, Hook) for document in found]

    def find_by_secret(self, secret_hash: str) -> Hook | None:
        """Return the incoming webhook whose secret has this hash."""
        with self._database.bounded():
            document = self._hooks.find_one({"secret_hash": secret_hash, "is_ended": None})
        return record_of(document, Hook) if document else None

    def list_outgoing(self) -> list[tuple[Hook, str]]:
        """Return the outgoing webhooks that were neither stopped nor removed, each with its signing key."""
        with self._database.bounded():
            found = list(self._hooks.find({"kind": "outgoing", "given_up_at": None, "is_ended": None}))
        return [(record_of(document, Hook), document["key"]) for document in found]

    def end(self, room_id: str, hook_id: str, note: Note) -> bool:
        """End a webhook; return False if there is none. The document stays until the act is in the audit log."""
        query = {"_id": hook_id, "room": room_id, "is_ended": None}
        with self._database.bounded():
            return self._hooks.update_one(query, noting({"$set": {"is_ended": True}}, note)).modified_count > 0

    def forget(self, user_id: str) -> None:
        """Remove the webhooks that a user created."""
        with self._database.bounded():
            self._hooks.delete_many({"made_by.id": user_id})

    def note(self, hook_id: str, **fields: Any) -> None:
        """Store the outcome of a delivery; `cursor` never moves back."""
        further = {"$max": {"cursor": fields.pop("cursor")}} if "cursor" in fields else {}
        with self._database.bounded():
            self._hooks.update_one({"_id": hook_id}, further | ({"$set": fields} if fields else {}))
