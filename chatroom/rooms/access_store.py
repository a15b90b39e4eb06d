"""Read the rights of people in rooms."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Person, Role
from chatroom.mongo.database import Database, Document
from chatroom.people.fields import SHOWN, approval_state_of, person_of
from chatroom.people.users_store import find_people
from chatroom.rooms.listings_store import title_for
from chatroom.rooms.memberships_store import membership_of
from chatroom.rooms.rooms_store import find_named, room_of

USER_FIELDS = SHOWN | dict.fromkeys(("role", "muted_until", "mute_reason", "deleted_at"), 1)
MOST_MODERATORS = 1000
APPROVAL_FIELDS = dict.fromkeys(("created_at", "is_bot", "approved", "is_trusted", "held_at"), 1)


class AccessStore:
    """Read the rooms, memberships and users collections together."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._rooms = database["rooms"]
        self._memberships = database["memberships"]
        self._users = database["users"]

    def find(self, user_id: str, slug: str) -> Access | None:
        """Return a room by its slug, with the user's rights in it. Return None if the user is not a member.

        A direct conversation is also found by its former slug.
        """
        with self._database.bounded():
            room = find_named(self._rooms, slug)
            if room is None:
                return None
            membership = self._memberships.find_one({"user": user_id, "room": room["_id"], "removed_at": None})
            if membership is None:
                return None
            user = self._users.find_one({"_id": user_id}, USER_FIELDS | APPROVAL_FIELDS) or {}
            if user.get("deleted_at"):  # the account was deleted meanwhile
                return None
            access = _access(room, membership, user, self._clock())
            if access.room.kind == "direct":
                title = title_for(user_id, access.room, find_people(self._users, access.room.people))
                return msgspec.structs.replace(access, room=msgspec.structs.replace(access.room, title=title))
        return access

    def find_readable(self, user_id: str, slugs: Collection[str]) -> set[str]:
        """Of the rooms with these slugs, without direct conversations, return those that a user can open."""
        named = {"slug": {"$in": list(slugs)}, "kind": {"$in": ["public", "private"]}}
        with self._database.bounded():
            rooms = list(self._rooms.find(named, {"slug": 1, "kind": 1}))
            if not rooms:
                return set()
            own = {"user": user_id, "room": {"$in": [room["_id"] for room in rooms]}}
            memberships = {each["room"]: each for each in self._memberships.find(own)}
        return {room["slug"] for room in rooms if _can_open(room, memberships.get(room["_id"]))}

    def moderated_by(self, user_id: str) -> list[str]:
        """Return the ids of the rooms in which the user is an administrator or a moderator."""
        query = {"user": user_id, "role": {"$in": ["administrator", "moderator"]}}
        with self._database.bounded():
            return [document["room"] for document in self._memberships.find(query, {"room": 1})]

    def moderators_of(self, room_id: str, *, with_site: bool) -> set[str]:
        """Return the ids of those who moderate a room, or with `with_site` also the site; at most 1,000 of each.

        The moderators of the site also moderate public rooms.
        """
        roles = {"role": {"$in": ["administrator", "moderator"]}}
        with self._database.bounded():
            members = self._memberships.find({"room": room_id, **roles}, {"user": 1}).limit(MOST_MODERATORS)
            found = {member["user"] for member in members}
            if with_site or self._rooms.find_one({"_id": room_id, "kind": "public"}, {"_id": 1}) is not None:
                users = self._users.find({**roles, "deleted_at": None}, {"_id": 1}).limit(MOST_MODERATORS)
                found |= {user["_id"] for user in users}
        return found

    def site_role_of(self, user_id: str) -> Role:
        """Return the role of an account on the site. Return `member` for an unknown account."""
        with self._database.bounded():
            found = self._users.find_one({"_id": user_id, "deleted_at": None}, {"role": 1}) or {}
        role: Role = found.get("role", "member")
        return role


def _can_open(room: Document, membership: Document | None) -> bool:
    """Return whether a user is in a room, or can join it: a public room from which nobody removed the user."""
    if membership is not None and membership.get("removed_at") is None:
        return True
    return room["kind"] == "public" and (membership is None or membership.get("left_at") is not None)


def _access(room: Document, membership: Document, user: Document, now: datetime) -> Access:
    mutes = [document for document in (membership, user) if document.get("muted_until")]
    mute = max(mutes, key=lambda document: document["muted_until"], default={})
    return Access(
        room=room_of(room),
        membership=membership_of(membership, now),
        site_role=user.get("role", "member"),
        person=person_of(user) if user else Person(membership["user"], ""),
        muted_until=mute.get("muted_until"),
        mute_reason=mute.get("mute_reason", ""),
        approval_state=approval_state_of(user, membership.get("role", "member")),
    )
