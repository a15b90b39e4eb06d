"""The members of a room: who they are, what they may do, and when they last posted where posting is slow.

Whoever was removed keeps a membership that says so, and is no member: a public room must not take them in again.
Whoever left may come again, and is as muted then as before.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from pymongo import ASCENDING

from chatroom.models import Role, Room
from chatroom.store.database import Database

MOST_MEMBERS = 500


class RoomMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is in a room."""

    id: str
    name: str
    username: str
    role: Role


class MemberStore:
    """The memberships collection, by room."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._memberships = database.memberships
        self._users = database.users
        self._clock = clock

    def list_in(self, room: Room) -> list[RoomMember]:
        """Who is in a room, by name; at most 500."""
        with self._database.bounded():
            found = self._memberships.find({"room": room.id, "removed_at": None}).limit(MOST_MEMBERS)
            roles = {document["user"]: document.get("role", "member") for document in found}
            here = {"_id": {"$in": list(roles)}, "deleted_at": None}
            users = list(self._users.find(here, {"display_name": 1, "username": 1}))
        members = [
            RoomMember(id=user["_id"], name=user["display_name"], username=user["username"], role=roles[user["_id"]])
            for user in users
        ]
        return sorted(members, key=lambda member: member.name.casefold())

    def username_of(self, user_id: str) -> str:
        """The user name of an account; empty when there is none any more."""
        with self._database.bounded():
            found = self._users.find_one({"_id": user_id}, {"username": 1})
        return found["username"] if found else ""

    def find_role(self, user_id: str, room: Room) -> Role | None:
        """A member's role in a room; None for who is not in it."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room.id, "removed_at": None}, {"role": 1})
        return found.get("role", "member") if found else None

    def has_another_administrator(self, user_id: str, room: Room) -> bool:
        """Whether somebody but this one manages the room."""
        query = {"room": room.id, "role": "administrator", "user": {"$ne": user_id}, "removed_at": None}
        with self._database.bounded():
            return self._memberships.find_one(query, {"_id": 1}) is not None

    def has_others(self, user_id: str, room: Room) -> bool:
        """Whether anybody else is in the room."""
        query = {"room": room.id, "user": {"$ne": user_id}, "removed_at": None}
        with self._database.bounded():
            return self._memberships.find_one(query, {"_id": 1}) is not None

    def was_removed(self, user_id: str, room: Room) -> bool:
        """Whether somebody removed the user from the room."""
        moment = {"$gt": datetime.min.replace(tzinfo=UTC)}
        query = {"user": user_id, "room": room.id, "removed_at": moment, "left_at": None}
        with self._database.bounded():
            return self._memberships.find_one(query, {"_id": 1}) is not None

    def set_role(self, user_id: str, room: Room, role: Role) -> None:
        """Give a member another role."""
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room.id}, {"$set": {"role": role}})

    def remove(self, user_id: str, room: Room) -> None:
        """Take somebody out of a room, for good: only who may add members lets them in again."""
        with self._database.bounded():
            self._memberships.update_one(
                {"user": user_id, "room": room.id}, {"$set": {"removed_at": self._clock()}, "$unset": {"role": ""}}
            )

    def forgive(self, user_id: str, room: Room) -> None:
        """Forget that somebody was removed: they are a member again."""
        with self._database.bounded():
            self._memberships.update_one(
                {"user": user_id, "room": room.id}, {"$unset": {"removed_at": "", "left_at": ""}}
            )

    def leave(self, user_id: str, room: Room) -> None:
        """Let a member go, who may come again; a mute and their turn in a slow room wait for them."""
        now = self._clock()
        gone = {"$set": {"removed_at": now, "left_at": now}, "$unset": {"role": "", "notify": ""}}
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room.id, "removed_at": None}, gone)

    def take_back(self, user_id: str, room: Room, role: Role) -> None:
        """Make somebody who is just being taken out what they were."""
        back = {"$set": {"role": role}, "$unset": {"removed_at": "", "left_at": ""}}
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room.id}, back)

    def list_managed_by(self, user_id: str) -> list[str]:
        """The ids of the rooms of which somebody is an administrator."""
        with self._database.bounded():
            found = self._memberships.find({"user": user_id, "role": "administrator", "removed_at": None}, {"room": 1})
            return [document["room"] for document in found]

    def find_heir(self, user_id: str, room: Room) -> str | None:
        """Who of the others manages a room next: a moderator, or else a member, who has been in it longest; no bot."""
        with self._database.bounded():
            others = {"room": room.id, "user": {"$ne": user_id}, "removed_at": None}
            found = list(self._memberships.find(others).sort("user", ASCENDING).limit(MOST_MEMBERS))
            ids = [document["user"] for document in found]
            query = {"_id": {"$in": ids}, "deleted_at": None, "is_bot": {"$ne": True}}
            people = {document["_id"] for document in self._users.find(query, {"_id": 1})}
        able = [document for document in found if document["user"] in people]
        able.sort(key=lambda document: (document.get("role", "member") == "member", document["joined_at"]))
        return able[0]["user"] if able else None

    def forget(self, user_id: str) -> None:
        """Take somebody out of every room who is nobody here any more."""
        with self._database.bounded():
            self._memberships.delete_many({"user": user_id})

    def take_turn(self, user_id: str, room: Room, client_id: str, seconds: int) -> float:
        """Take the one post that a member has in so many seconds: 0, or how long they wait.

        The same post again is free. One write decides, whichever processes it is tried in.
        """
        now = self._clock()
        latest = now - timedelta(seconds=seconds)
        member = {"user": user_id, "room": room.id}
        turn = {"posted_at": now, "posted_as": client_id}
        free = [{"posted_at": None}, {"posted_at": {"$lte": latest}}, {"posted_at": {"$gt": now}}]
        with self._database.bounded():
            if self._memberships.update_one({**member, "$or": free}, {"$set": turn}).matched_count:
                return 0.0
            found = self._memberships.find_one(member, {"posted_at": 1, "posted_as": 1}) or {}
        if found.get("posted_as") == client_id or found.get("posted_at") is None:
            return 0.0
        waited: timedelta = now - found["posted_at"]
        return max(0.1, seconds - waited.total_seconds())
