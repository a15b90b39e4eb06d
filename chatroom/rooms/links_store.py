"""Links that let people into a room, found by the hash of their code, used so many times and no more."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, IndexModel

from chatroom.base.models import Room
from chatroom.mongo.database import Database, Document
from chatroom.site.acts_store import INDEX, Note, noted, noting

INDEXES = [
    IndexModel("expires_at", expireAfterSeconds=0),
    IndexModel([("room", ASCENDING), ("created_at", ASCENDING)]),
    INDEX,
]
MOST = 50


class RoomInvite(msgspec.Struct, frozen=True, kw_only=True):
    """A link into a room; `id` is the SHA-256 of its code."""

    id: str
    room_id: str
    created_by: str
    created_by_id: str = ""
    uses_left: int
    created_at: datetime
    expires_at: datetime


class RoomInviteStore:
    """The room_invites collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._invites = database["room_invites"]
        self._clock = clock

    def add(self, invite: RoomInvite, note: Note | None = None) -> None:
        """Store an invite under the hash of its code."""
        document = msgspec.structs.asdict(invite)
        document["_id"], document["room"] = document.pop("id"), document.pop("room_id")
        with self._database.bounded():
            self._invites.insert_one(noted(document, note))

    def find(self, invite_id: str) -> RoomInvite | None:
        """The invite, unless it is used up or too old."""
        with self._database.bounded():
            document = self._invites.find_one(self._open({"_id": invite_id}))
        return _invite(document) if document else None

    def list_for(self, room: Room) -> list[RoomInvite]:
        """A room's invites that can still be used, the oldest first; at most 50."""
        with self._database.bounded():
            found = self._invites.find(self._open({"room": room.id})).sort("created_at", ASCENDING).limit(MOST)
            return [_invite(document) for document in found]

    def take(self, invite_id: str) -> bool:
        """Use an invite once; False when there is none, or it is used up, or too old."""
        with self._database.bounded():
            result = self._invites.update_one(self._open({"_id": invite_id}), {"$inc": {"uses_left": -1}})
        return result.modified_count > 0

    def end(self, invite_id: str, room: Room, note: Note) -> bool:
        """Let nobody in with it any more; False when there is none such. It goes with the note."""
        query = self._open({"_id": invite_id, "room": room.id})
        with self._database.bounded():
            return self._invites.update_one(query, noting({"$set": {"uses_left": 0}}, note)).modified_count > 0

    def forget(self, user_id: str) -> None:
        """End the invites that a user made."""
        with self._database.bounded():
            self._invites.delete_many({"created_by_id": user_id})

    def _open(self, query: Document) -> Document:
        return {**query, "uses_left": {"$gt": 0}, "expires_at": {"$gt": self._clock()}}


def _invite(document: Document) -> RoomInvite:
    return RoomInvite(
        id=document["_id"],
        room_id=document["room"],
        created_by=document["created_by"],
        created_by_id=document.get("created_by_id", ""),
        uses_left=document["uses_left"],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
    )
