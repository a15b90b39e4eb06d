"""Rooms and who is in them.

A room is found through its member, so that the query is the permission.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from chatroom.models import Room
from chatroom.store.database import Database, Document

INDEXES = [IndexModel("slug", unique=True)]
MEMBERSHIP_INDEXES = [
    IndexModel([("user", ASCENDING), ("room", ASCENDING)], unique=True),
    IndexModel([("room", ASCENDING), ("user", ASCENDING)]),
]


class RoomStore:
    """The rooms and memberships collections."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._rooms = database.rooms
        self._memberships = database.memberships
        self._clock = clock

    def ensure(self, room: Room, *, is_open: bool) -> None:
        """Create a room unless it is there; an open one admits everybody who is signed in."""
        fields = {"slug": room.slug, "title": room.title, "is_open": is_open, "created_at": self._clock()}
        with self._database.bounded():
            try:
                self._rooms.update_one({"_id": room.id}, {"$setOnInsert": fields}, upsert=True)
            except DuplicateKeyError:
                return  # another process made it at the same moment

    def find_for(self, user_id: str, slug: str) -> Room | None:
        """Find the room of that name among those that the user is a member of."""
        with self._database.bounded():
            room = self._rooms.find_one({"slug": slug})
            if room is None:
                return None
            membership = self._memberships.find_one({"user": user_id, "room": room["_id"]}, {"_id": 1})
            return _room(room) if membership else None

    def find_open(self, slug: str) -> Room | None:
        """Find a room that everybody may enter."""
        with self._database.bounded():
            room = self._rooms.find_one({"slug": slug, "is_open": True})
        return _room(room) if room else None

    def admit(self, user_id: str, room: Room) -> None:
        """Make a user a member; one who is already stays one."""
        fields = {"joined_at": self._clock()}
        with self._database.bounded():
            try:
                self._memberships.update_one({"user": user_id, "room": room.id}, {"$setOnInsert": fields}, upsert=True)
            except DuplicateKeyError:
                return  # admitted by another request at the same moment


def _room(document: Document) -> Room:
    return Room(id=document["_id"], slug=document["slug"], title=document["title"])
