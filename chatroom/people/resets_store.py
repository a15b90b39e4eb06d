"""Reset links: one-time secrets with which somebody sets a new password, found by their hash.

One that is used or replaced is marked and good for nothing: it may have a note of an act, and goes when it expires.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel

from chatroom.mongo.database import Database, Document
from chatroom.site.acts_store import INDEX, Note, noted

INDEXES = [IndexModel([("user", ASCENDING)]), IndexModel("expires_at", expireAfterSeconds=0), INDEX]

OVER = {"$set": {"is_over": True}}


class ResetStore:
    """The resets collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._resets = database["resets"]
        self._clock = clock

    def add(
        self, reset_id: str, user_id: str, expires_at: datetime, *, password_version: int, note: Note | None = None
    ) -> None:
        """Store a link under the hash of its secret, in place of the user's earlier ones."""
        with self._database.bounded():
            self._resets.delete_many({"user": user_id, "acts": None})
            self._resets.update_many({"user": user_id}, OVER)
            link = {"_id": reset_id, "user": user_id, "expires_at": expires_at, "password_version": password_version}
            self._resets.insert_one(noted(link, note))

    def forget(self, user_id: str) -> None:
        """Make a user's links worthless."""
        with self._database.bounded():
            self._resets.delete_many({"user": user_id})

    def find_user(self, reset_id: str) -> tuple[str, int] | None:
        """Whose link it is, while it is good, and of which of their passwords it is the end."""
        with self._database.bounded():
            return _owner(self._resets.find_one(self._good(reset_id)))

    def take(self, reset_id: str) -> tuple[str, int] | None:
        """Use a link up; whose it was, or None when it is not good, or no longer. Of two at once, one gets it."""
        with self._database.bounded():
            return _owner(self._resets.find_one_and_update(self._good(reset_id), OVER))

    def _good(self, reset_id: str) -> Document:
        return {"_id": reset_id, "is_over": None, "expires_at": {"$gt": self._clock()}}


def _owner(document: Document | None) -> tuple[str, int] | None:
    return (document["user"], document.get("password_version", 0)) if document else None
