"""Invites: codes that let somebody register, found by their hash, used so many times and no more."""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import IndexModel

from chatroom.store.database import Database

INDEXES = [IndexModel("expires_at", expireAfterSeconds=0)]


class InviteStore:
    """The invites collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._invites = database.invites
        self._clock = clock

    def add(self, invite_id: str, *, uses: int, expires_at: datetime) -> None:
        """Store an invite under the hash of its code."""
        document = {"_id": invite_id, "uses_left": uses, "created_at": self._clock(), "expires_at": expires_at}
        with self._database.bounded():
            self._invites.insert_one(document)

    def take(self, invite_id: str) -> bool:
        """Use an invite once; False when there is none, or it is used up, or too old."""
        query = {"_id": invite_id, "uses_left": {"$gt": 0}, "expires_at": {"$gt": self._clock()}}
        with self._database.bounded():
            return self._invites.update_one(query, {"$inc": {"uses_left": -1}}).modified_count > 0

    def give_back(self, invite_id: str) -> None:
        """Undo a `take` that came to nothing."""
        with self._database.bounded():
            self._invites.update_one({"_id": invite_id}, {"$inc": {"uses_left": 1}})
