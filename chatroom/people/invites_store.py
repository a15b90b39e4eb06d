"""Invites: codes that let somebody register, found by their hash, used so many times and no more."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, IndexModel

from chatroom.base.models import Author
from chatroom.mongo.database import Database, Document
from chatroom.site.acts_store import INDEX, Note, noted, noting

INDEXES = [IndexModel("expires_at", expireAfterSeconds=0), INDEX]


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invite, without its code, which nobody knows any more but those who were given it."""

    id: str
    uses_left: int
    created_at: datetime
    expires_at: datetime
    made_by: str


class InviteStore:
    """The invites collection."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._invites = database["invites"]
        self._clock = clock

    def add(
        self, invite_id: str, *, uses: int, expires_at: datetime, made_by: Author, note: Note | None = None
    ) -> None:
        """Store an invite under the hash of its code."""
        document = {
            "_id": invite_id,
            "uses_left": uses,
            "created_at": self._clock(),
            "expires_at": expires_at,
            "made_by": made_by.name,
            "made_by_id": made_by.id,
        }
        with self._database.bounded():
            self._invites.insert_one(noted(document, note))

    def take(self, invite_id: str) -> bool:
        """Use an invite once; False when there is none, or it is used up, or too old."""
        query = {"_id": invite_id, "uses_left": {"$gt": 0}, "expires_at": {"$gt": self._clock()}}
        with self._database.bounded():
            return self._invites.update_one(query, {"$inc": {"uses_left": -1}}).modified_count > 0

    def list_good(self, limit: int) -> list[Invite]:
        """The invites that are neither used up nor too old, the first to end first."""
        query = {"expires_at": {"$gt": self._clock()}, "uses_left": {"$gt": 0}}
        with self._database.bounded():
            return [_invite(each) for each in self._invites.find(query).sort("expires_at", ASCENDING).limit(limit)]

    def end(self, invite_id: str, note: Note) -> bool:
        """Let nobody register with it any more; False when there is none such. It goes with the note."""
        query = {"_id": invite_id, "is_ended": None}
        with self._database.bounded():
            update = noting({"$set": {"uses_left": 0, "is_ended": True}}, note)
            return self._invites.update_one(query, update).modified_count > 0

    def forget(self, user_id: str) -> None:
        """Remove the invites that a user made."""
        with self._database.bounded():
            self._invites.delete_many({"made_by_id": user_id})

    def give_back(self, invite_id: str) -> None:
        """Undo a `take` that came to nothing."""
        with self._database.bounded():
            self._invites.update_one({"_id": invite_id, "is_ended": None}, {"$inc": {"uses_left": 1}})


def _invite(document: Document) -> Invite:
    return Invite(
        id=document["_id"],
        uses_left=document["uses_left"],
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        made_by=document.get("made_by", ""),
    )
