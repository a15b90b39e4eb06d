"""Memberships: the role and the mute of each member of a room.

The membership of a removed user stays, so that a public room does not admit the user again. A user who left may
return. Leaving does not end a mute.
"""

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection as Documents

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Membership, Role, Room
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import write_or_find
from chatroom.site.acts_store import INDEX, Note, noted, noting, taking_back

INDEXES = [
    IndexModel([("user", ASCENDING), ("room", ASCENDING)], unique=True),
    IndexModel([("room", ASCENDING), ("user", ASCENDING)]),
    # Contains only members with a role.
    IndexModel(
        [("room", ASCENDING), ("role", ASCENDING)],
        partialFilterExpression={"role": {"$exists": True}},
        name="room_role",
    ),
    INDEX,
]
EARLIEST = datetime.min.replace(tzinfo=UTC)
BACK = {"removed_at": "", "left_at": ""}
"""The fields to unset when a user who left or was removed becomes a member again."""

OWN = {"notify": "", "paused_until": "", "is_starred": "", "hidden_to": ""}
"""The fields to unset when a user leaves: how the user listed the room, and what notified the user."""


class MembershipStore:
    """Read and write single memberships."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._memberships = database["memberships"]
        self._messages = database["messages"]
        self._users = database["users"]
        self._clock = clock

    def find_role(self, user_id: str, room: Room) -> Role | None:
        """Return the role of a user in a room. Return None if the user is not a member."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room.id, "removed_at": None}, {"role": 1})
        return found.get("role", "member") if found else None

    def was_removed(self, user_id: str, room: Room) -> bool:
        """Return whether a moderator has removed the user from the room."""
        removed = {"user": user_id, "room": room.id, "removed_at": {"$gt": EARLIEST}, "left_at": None}
        return self._database.has("memberships", removed)

    def has_left(self, user_id: str, room: Room) -> bool:
        """Return whether the user has left the room, and was not removed."""
        return self._database.has("memberships", {"user": user_id, "room": room.id, "left_at": {"$gt": EARLIEST}})

    def was_ever_in(self, user_id: str, room: Room) -> bool:
        """Return whether the user is, or was, a member of the room."""
        return self._database.has("memberships", {"user": user_id, "room": room.id})

    def admit(self, user_id: str, room: Room, note: Note | None = None) -> None:
        """Make a user a member, with the read position at the end of the room. For a member, do nothing."""
        member = {"user": user_id, "room": room.id}
        with self._database.bounded():
            known = self._memberships.find_one(member, {"left_at": 1})
            if known is not None and known.get("left_at") is None:
                return
            newest = self._messages.find_one(
                {"room": room.id}, {"sequence": 1}, sort=[("room", DESCENDING), ("sequence", DESCENDING)]
            )
            fields = {
                "joined_at": self._clock(),
                "read_sequence": newest["sequence"] if newest else 0,
                **notify_of_new_room(self._users, user_id),
            }
            if known is not None:
                self._memberships.update_one({**member, "left_at": known["left_at"]}, {"$set": fields, "$unset": BACK})
                return
            # A duplicate key means that another request has admitted the same user at the same moment.
            write_or_find(
                self._database,
                lambda: self._memberships.update_one(member, {"$setOnInsert": noted(fields, note)}, upsert=True),
                lambda: self._memberships.find_one(member),
            )

    def set_role(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> bool:
        """Give a member another role. Return False if the user is not in the room."""
        member = {"user": user_id, "room": room.id, "removed_at": None}
        return self._update(member, noting({"$set": {"role": role}}, note))

    def remove(self, user_id: str, room: Room, note: Note | None = None, *, but: Collection[Role] = ()) -> bool:
        """Remove a member, or a user who has just left. Afterwards, only a moderator can add the user again.

        Returns False if the user was removed already, or has a role in `but`.
        """
        gone = {"$set": {"removed_at": self._clock()}, "$unset": {"role": "", "left_at": ""}}
        there = [{"removed_at": None}, {"left_at": {"$gt": EARLIEST}}]
        member = {"user": user_id, "room": room.id, "role": {"$nin": list(but)}, "$or": there}
        return self._update(member, noting(gone, note))

    def forgive(self, user_id: str, room: Room, note: Note | None = None) -> bool:
        """Restore the membership of a former member. Return False if the user never was a member."""
        return self._update({"user": user_id, "room": room.id}, noting({"$unset": BACK}, note))

    def leave(self, user_id: str, room: Room) -> None:
        """End the membership of a user who leaves. The mute and the slow-mode turn stay."""
        now = self._clock()
        gone = {"$set": {"removed_at": now, "left_at": now}, "$unset": {"role": "", **OWN}}
        self._update({"user": user_id, "room": room.id, "removed_at": None}, gone)

    def take_back(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> None:
        """Undo a removal: restore the membership and the role."""
        back = {"$set": {"role": role}, "$unset": BACK}
        self._update({"user": user_id, "room": room.id}, taking_back(back, note))

    def set_mute(
        self, user_id: str, room_id: str, until: datetime | None, reason: str, note: Note | None = None
    ) -> None:
        """Mute a present or former member of a room. None as `until` ends the mute."""
        fields = {"muted_until": until, "mute_reason": reason}
        update = {"$set": fields} if until else {"$unset": fields}
        self._update({"user": user_id, "room": room_id}, noting(update, note))

    def mute_of(self, user_id: str, room_id: str) -> tuple[datetime | None, str]:
        """Return the end and the reason of a user's mute in a room. Return None and "" if there is no mute."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room_id}, {"muted_until": 1, "mute_reason": 1})
        return (found or {}).get("muted_until"), (found or {}).get("mute_reason", "")

    def forget(self, user_id: str) -> None:
        """Delete every membership of a deleted account."""
        with self._database.bounded():
            self._memberships.delete_many({"user": user_id})

    def _update(self, member: Document, update: Document) -> bool:
        """Update a membership. Return False if no membership matches."""
        with self._database.bounded():
            return self._memberships.update_one(member, update).matched_count > 0


def membership_of(document: Document, now: datetime) -> Membership:
    """Make a membership, with the notification setting that holds now."""
    ids = {"user_id": document["user"], "room_id": document["room"]}
    return msgspec.convert({**document, **ids, **notifying(document, now)}, Membership)


def notify_of_new_room(users: Documents[Document], user_id: str) -> Document:
    """Return the field of a new membership that says what notifies the user, if the user chose it for new rooms."""
    found = users.find_one({"_id": user_id}, {"new_rooms_notify": 1}) or {}
    return {"notify": found["new_rooms_notify"]} if "new_rooms_notify" in found else {}


def notifying(document: Document, now: datetime) -> Document:
    """Return the notification setting of a stored membership. A pause holds until its end."""
    chosen, until = document.get("notify", "mentions"), document.get("paused_until")
    is_paused = until is not None and until > now
    return {"notify": "none" if is_paused else chosen, "chosen": chosen, "paused_until": until if is_paused else None}
