"""Avatars: at most one for each user. Each is small enough for one document."""

from pymongo import DESCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.mongo.database import Database

INDEXES = [IndexModel([("changed_at", DESCENDING)])]


class AvatarStore:
    """The avatars collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._avatars = database["avatars"]
        self._clock = clock

    def put(self, user_id: str, version: str, *, small: bytes, large: bytes) -> None:
        """Store the avatar of a user; it replaces an earlier avatar."""
        document = {"_id": user_id, "version": version, "small": small, "large": large, "changed_at": self._clock()}
        with self._database.bounded():
            self._avatars.replace_one({"_id": user_id}, document, upsert=True)

    def remove(self, user_id: str) -> None:
        with self._database.bounded():
            self._avatars.delete_one({"_id": user_id})

    def find(self, user_id: str, version: str, *, is_large: bool) -> bytes | None:
        """Return this version of a user's avatar, or None."""
        name = "large" if is_large else "small"
        with self._database.bounded():
            document = self._avatars.find_one({"_id": user_id, "version": version}, {name: 1})
        return bytes(document[name]) if document else None

    def has(self, user_id: str) -> bool:
        """Return whether a user has an avatar."""
        with self._database.bounded():
            return self._avatars.find_one({"_id": user_id}, {"_id": 1}) is not None

    def newest(self, limit: int) -> list[tuple[str, str]]:
        """Return pairs of a user id and an avatar version, the latest change first."""
        with self._database.bounded():
            found = self._avatars.find({}, {"version": 1}).sort("changed_at", DESCENDING).limit(limit)
            return [(document["_id"], document["version"]) for document in found]
