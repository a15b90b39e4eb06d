"""The members of a room: who they are, what they may do, and when they last posted where posting is slow.

Whoever was removed keeps a membership that says so, and is no member: a public room must not take them in again.
Whoever left may come again, and is as muted then as before.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

import msgspec
from pymongo import ASCENDING

from chatroom.base.models import Person, Role, Room
from chatroom.mongo.database import Database, Document
from chatroom.people.fields import SHOWN, person_of
from chatroom.site.acts_store import Note, noting, taking_back

MOST_MEMBERS = 500
OF_RIGHTS = dict.fromkeys(("role", "muted_until", "banned_until", "password_version"), 1)
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is in a room, with their role there."""

    person: Person
    role: Role
    site_role: Role = "member"


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do at a moment: `memberships` has its role and mute in each room that it is in."""

    site_role: Role
    muted_until: datetime | None
    banned_until: datetime | None
    password_version: int
    memberships: Mapping[str, tuple[Role, datetime | None]]


class MemberStore:
    """The memberships collection, by room."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._memberships = database["memberships"]
        self._users = database["users"]
        self._clock = clock

    def list_in(self, room: Room) -> list[Member]:
        """Who is in a room, by name; at most 500."""
        with self._database.bounded():
            found = self._memberships.find({"room": room.id, "removed_at": None}).limit(MOST_MEMBERS)
            roles = {document["user"]: document.get("role", "member") for document in found}
            here = {"_id": {"$in": list(roles)}, "deleted_at": None}
            users = list(self._users.find(here, SHOWN | {"role": 1}))
        members = [
            Member(person=person_of(user), role=roles[user["_id"]], site_role=user.get("role", "member"))
            for user in users
        ]
        return sorted(members, key=lambda member: member.person.name.casefold())

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
        query = {"user": user_id, "room": room.id, "removed_at": {"$gt": EARLIEST}, "left_at": None}
        with self._database.bounded():
            return self._memberships.find_one(query, {"_id": 1}) is not None

    def has_left(self, user_id: str, room: Room) -> bool:
        """Whether the user was in the room, and left it by themselves."""
        query = {"user": user_id, "room": room.id, "left_at": {"$gt": EARLIEST}}
        with self._database.bounded():
            return self._memberships.find_one(query, {"_id": 1}) is not None

    def was_ever_in(self, user_id: str, room: Room) -> bool:
        """Whether the user is, or was, a member of the room."""
        with self._database.bounded():
            return self._memberships.find_one({"user": user_id, "room": room.id}, {"_id": 1}) is not None

    def site_role_of(self, user_id: str) -> Role:
        """An account's role on the site; a member's when there is none such."""
        with self._database.bounded():
            found = self._users.find_one({"_id": user_id, "deleted_at": None}, {"role": 1}) or {}
        role: Role = found.get("role", "member")
        return role

    def rights_of(self, user_ids: Collection[str]) -> dict[str, Rights]:
        """What each of these accounts may do now; those that were deleted are left out."""
        with self._database.bounded():
            users = list(self._users.find({"_id": {"$in": list(user_ids)}, "deleted_at": None}, OF_RIGHTS))
            member = {"user": {"$in": [user["_id"] for user in users]}, "removed_at": None}
            found = list(self._memberships.find(member, {"_id": 0, "user": 1, "room": 1, "role": 1, "muted_until": 1}))
        theirs: dict[str, dict[str, tuple[Role, datetime | None]]] = {user["_id"]: {} for user in users}
        for each in found:
            theirs[each["user"]][each["room"]] = (each.get("role", "member"), each.get("muted_until"))
        return {user["_id"]: _rights(user, theirs[user["_id"]]) for user in users}

    def set_role(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> bool:
        """Give a member another role; False for who is not in the room."""
        member = {"user": user_id, "room": room.id, "removed_at": None}
        with self._database.bounded():
            return self._memberships.update_one(member, noting({"$set": {"role": role}}, note)).matched_count > 0

    def remove(self, user_id: str, room: Room, note: Note | None = None, *, but: Collection[Role] = ()) -> bool:
        """Take somebody out of a room, for good: only who may add members lets them in again.

        Also who has just left. False for who was removed already, or who has one of the roles `but` by now.
        """
        gone = {"$set": {"removed_at": self._clock()}, "$unset": {"role": "", "left_at": ""}}
        there = [{"removed_at": None}, {"left_at": {"$gt": EARLIEST}}]
        member = {"user": user_id, "room": room.id, "role": {"$nin": list(but)}, "$or": there}
        with self._database.bounded():
            return self._memberships.update_one(member, noting(gone, note)).matched_count > 0

    def forgive(self, user_id: str, room: Room, note: Note | None = None) -> bool:
        """Forget that somebody left or was removed: they are a member again; False for who never was one."""
        back = {"$unset": {"removed_at": "", "left_at": ""}}
        with self._database.bounded():
            return (
                self._memberships.update_one({"user": user_id, "room": room.id}, noting(back, note)).matched_count > 0
            )

    def leave(self, user_id: str, room: Room) -> None:
        """Let a member go, who may come again; a mute and their turn in a slow room wait for them."""
        now = self._clock()
        gone = {"$set": {"removed_at": now, "left_at": now}, "$unset": {"role": "", "notify": ""}}
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room.id, "removed_at": None}, gone)

    def take_back(self, user_id: str, room: Room, role: Role, note: Note | None = None) -> None:
        """Make somebody who is just being taken out what they were."""
        back = {"$set": {"role": role}, "$unset": {"removed_at": "", "left_at": ""}}
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room.id}, taking_back(back, note))

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


def _rights(user: Document, memberships: Mapping[str, tuple[Role, datetime | None]]) -> Rights:
    return Rights(
        site_role=user["role"],
        muted_until=user.get("muted_until"),
        banned_until=user.get("banned_until"),
        password_version=user["password_version"],
        memberships=memberships,
    )
