"""Memberships: who is in a room, with which role, and who is muted there.

A removal is stored in the membership, so that a public room does not admit the user again. A user who left may return,
and is still muted if they were before.
"""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Membership, Role, Room
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import write_or_find
from chatroom.site.acts_store import INDEX, Note, noted, noting, taking_back

INDEXES = [
    IndexModel([("user", ASCENDING), ("room", ASCENDING)], unique=True),
    IndexModel([("room", ASCENDING), ("user", ASCENDING)]),
    # Only members with a role are in it.
    IndexModel(
        [("room", ASCENDING), ("role", ASCENDING)],
        partialFilterExpression={"role": {"$exists": True}},
        name="room_role",
    ),
    INDEX,
]
EARLIEST = datetime.min.replace(tzinfo=UTC)
BACK = {"removed_at": "", "left_at": ""}
"""What is unset when a user who left or was removed is a member again."""


class MembershipStore:
    """The memberships collection, one membership at a time."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._memberships = database["memberships"]
        self._messages = database["messages"]
        self._clock = clock

    def find_role(self, user_id: str, room: Room) -> Role | None:
        """A member's role in a room; None for anybody else."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room.id, "removed_at": None}, {"role": 1})
        return found.get("role", "member") if found else None

    def was_removed(self, user_id: str, room: Room) -> bool:
        """Whether somebody removed the user from the room."""
        removed = {"user": user_id, "room": room.id, "removed_at": {"$gt": EARLIEST}, "left_at": None}
        return self._database.has("memberships", removed)

    def has_left(self, user_id: str, room: Room) -> bool:
        """Whether the user has left the room, rather than been removed."""
        return self._database.has("memberships", {"user": user_id, "room": room.id, "left_at": {"$gt": EARLIEST}})

    def was_ever_in(self, user_id: str, room: Room) -> bool:
        """Whether the user is, or was, a member of the room."""
        return self._database.has("memberships", {"user": user_id, "room": room.id})

    def admit(self, user_id: str, room: Room, note: Note | None = None) -> None:
        """Make a user a member, who begins to read at the end of the room. A member stays one."""
        member = {"user": user_id, "room": room.id}
        with self._database.bounded():
            known = self._memberships.find_one(member, {"left_at": 1})
            if known is not None and known.get("left_at") is None:
                return
            newest = self._messages.find_one(
                {"room": room.id}, {"sequence": 1}, sort=[("room", DESCENDING), ("sequence", DESCENDING)]
            )
            fields = {"joined_at": self._clock(), "read_sequence": newest["sequence"] if newest else 0}
            if known is not None:
                self._memberships.update_one({**member, "left_at": known["left_at"]}, {"$set": fields, "$unset": BACK})
                return
            # A duplicate key is this membership: another request has admitted the same user at the same moment.
            write_or_find(
                self._database,
                lambda: self._memberships.update_one(member, {"$setOnInsert": noted(fields, note)}, upsert=True),
                lambda: self._memberships.find_one(member),
            )

    def set_role(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> bool:
        """Give a member another role; False if the user is not in the room."""
        member = {"user": user_id, "room": room.id, "removed_at": None}
        return self._update(member, noting({"$set": {"role": role}}, note))

    def remove(self, user_id: str, room: Room, note: Note | None = None, *, but: Collection[Role] = ()) -> bool:
        """Remove a member, or a user who has just left. Only a user who may add members can let them in again.

        False if they were removed already, or have one of the roles `but` by now.
        """
        gone = {"$set": {"removed_at": self._clock()}, "$unset": {"role": "", "left_at": ""}}
        there = [{"removed_at": None}, {"left_at": {"$gt": EARLIEST}}]
        member = {"user": user_id, "room": room.id, "role": {"$nin": list(but)}, "$or": there}
        return self._update(member, noting(gone, note))

    def forgive(self, user_id: str, room: Room, note: Note | None = None) -> bool:
        """Make a user a member again who left or was removed; False if they never were a member."""
        return self._update({"user": user_id, "room": room.id}, noting({"$unset": BACK}, note))

    def leave(self, user_id: str, room: Room) -> None:
        """End a membership whose member leaves. A mute and the turn in a slow room are kept for their return."""
        now = self._clock()
        gone = {"$set": {"removed_at": now, "left_at": now}, "$unset": {"role": "", "notify": ""}}
        self._update({"user": user_id, "room": room.id, "removed_at": None}, gone)

    def take_back(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> None:
        """Undo a removal that has just been stored: restore the membership and the role."""
        back = {"$set": {"role": role}, "$unset": BACK}
        self._update({"user": user_id, "room": room.id}, taking_back(back, note))

    def set_mute(
        self, user_id: str, room_id: str, until: datetime | None, reason: str, note: Note | None = None
    ) -> None:
        """Mute a present or former member of a room until a moment; None ends the mute."""
        fields = {"muted_until": until, "mute_reason": reason}
        update = {"$set": fields} if until else {"$unset": fields}
        self._update({"user": user_id, "room": room_id}, noting(update, note))

    def mute_of(self, user_id: str, room_id: str) -> tuple[datetime | None, str]:
        """Until when a user is muted in a room, and why."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room_id}, {"muted_until": 1, "mute_reason": 1})
        return (found or {}).get("muted_until"), (found or {}).get("mute_reason", "")

    def forget(self, user_id: str) -> None:
        """Delete every membership of a deleted account."""
        with self._database.bounded():
            self._memberships.delete_many({"user": user_id})

    def _update(self, member: Document, update: Document) -> bool:
        """Update a membership; False if there is none like this."""
        with self._database.bounded():
            return self._memberships.update_one(member, update).matched_count > 0


def membership_of(document: Document) -> Membership:
    return msgspec.convert({**document, "user_id": document["user"], "room_id": document["room"]}, Membership)
