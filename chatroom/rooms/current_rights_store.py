"""Read the current rights of many people at once, to check the rights that connections have cached.

The check does not rely on notices, which may be lost.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec

from chatroom.base.access import POWERS, Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Role, Room
from chatroom.mongo.database import Database
from chatroom.rooms.fields import values_of
from chatroom.rooms.rooms_store import room_of

OF_USER = dict.fromkeys(("role", "muted_until", "banned_until", "password_version"), 1)
OF_MEMBERSHIP = {"_id": 0} | dict.fromkeys(("user", "room", "role", "muted_until"), 1)


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """The current rights of an account. `memberships` maps each room id to the role and the mute in this room."""

    site_role: Role
    muted_until: datetime | None
    memberships: Mapping[str, tuple[Role, datetime | None]]


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The current state: rights by user, rooms by id, and the valid sessions."""

    rights: Mapping[str, Rights]
    rooms: Mapping[str, Room]
    sessions: Collection[str]

    def allows(self, access: Access) -> bool:
        """Return whether the user still has all rights of a cached access, and the same mute."""
        rights = self.rights.get(access.user_id)
        if rights is None or access.room.id not in rights.memberships:
            return False
        role, muted_until = rights.memberships[access.room.id]
        mutes = [moment for moment in (muted_until, rights.muted_until) if moment is not None]
        return (
            POWERS[access.membership.role] <= POWERS[role]
            and POWERS[access.site_role] <= POWERS[rights.site_role]
            and access.muted_until == max(mutes, default=None)
        )

    def changed_room(self, known: Room) -> Room | None:
        """Return the current room, if it differs from `known`."""
        room = self.rooms.get(known.id)
        return room if room is not None and _rules(room) != _rules(known) else None


class CurrentRightsStore:
    """Read the users, memberships, rooms and sessions collections together."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    def read(self, user_ids: Collection[str], room_ids: Collection[str], session_ids: Collection[str]) -> Now:
        """Return the current state of these users, rooms and sessions, without deleted accounts."""
        database, now = self._database, self._clock()
        with database.bounded():
            users = list(database["users"].find({"_id": {"$in": list(user_ids)}, "deleted_at": None}, OF_USER))
            joined = {"user": {"$in": [user["_id"] for user in users]}, "removed_at": None}
            memberships = list(database["memberships"].find(joined, OF_MEMBERSHIP))
            rooms = [room_of(document) for document in database["rooms"].find({"_id": {"$in": list(room_ids)}})]
            going_on = {"_id": {"$in": list(session_ids)}, "ended_at": None}
            sessions = list(database["sessions"].find(going_on, {"user_id": 1, "password_version": 1}))
        theirs: dict[str, dict[str, tuple[Role, datetime | None]]] = {user["_id"]: {} for user in users}
        for each in memberships:
            theirs[each["user"]][each["room"]] = (each.get("role", "member"), each.get("muted_until"))
        admitted = {user["_id"]: user["password_version"] for user in users if (user.get("banned_until") or now) <= now}
        return Now(
            rights={
                user["_id"]: Rights(
                    site_role=user["role"], muted_until=user.get("muted_until"), memberships=theirs[user["_id"]]
                )
                for user in users
            },
            rooms={room.id: room for room in rooms},
            sessions=[each["_id"] for each in sessions if admitted.get(each["user_id"]) == each["password_version"]],
        )


def _rules(room: Room) -> tuple[object, ...]:
    values = values_of(room)
    if room.kind == "direct":  # each member sees a different title
        del values["title"]
    return room.archived_at, room.cleared_sequence, *values.values()
