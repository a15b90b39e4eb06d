"""Reset links: one-time secrets with which somebody sets a new password, found by their hash."""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from chatroom.store.database import Database

INDEXES = [IndexModel([("user", ASCENDING)]), IndexModel("expires_at", expireAfterSeconds=0)]


class ResetStore:
    """The resets collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._resets = database.resets
        self._clock = clock

    def add(self, reset_id: str, user_id: str, expires_at: datetime) -> None:
        """Store a link under the hash of its secret, in place of the user's earlier ones."""
        with self._database.bounded():
            self._resets.delete_many({"user": user_id})
            self._resets.insert_one({"_id": reset_id, "user": user_id, "expires_at": expires_at})

    def forget(self, user_id: str) -> None:
        """Make a user's links worthless."""
        with self._database.bounded():
            self._resets.delete_many({"user": user_id})

    def find_user(self, reset_id: str) -> str | None:
        """Whose link it is, while it is good."""
        with self._database.bounded():
            document = self._resets.find_one({"_id": reset_id, "expires_at": {"$gt": self._clock()}})
        return document["user"] if document else None

    def take(self, reset_id: str) -> str | None:
        """Use a link up; whose it was, or None when it is not good, or no longer. Of two at once, one gets it."""
        with self._database.bounded():
            document = self._resets.find_one_and_delete({"_id": reset_id, "expires_at": {"$gt": self._clock()}})
        return document["user"] if document else None
