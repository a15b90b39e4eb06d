"""Read the current rights of many people at once, to check the rights that connections have cached.

The check does not rely on notices, which may be lost.
"""

from collections.abc import Collection, Mapping

import msgspec

from chatroom.base.access import POWERS, Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Room
from chatroom.people.sessions_store import SessionStore
from chatroom.rooms.access_store import AccessStore, Rights
from chatroom.rooms.fields import values_of
from chatroom.rooms.rooms_store import RoomStore


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The current state: rights by user, rooms by id, and the valid sessions."""

    rights: Mapping[str, Rights]
    rooms: Mapping[str, Room]
    sessions: Collection[str]

    def allows(self, access: Access) -> bool:
        """Whether the user of a cached access still has all its rights and the same mute."""
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
        """The current room, if it differs from the known one."""
        room = self.rooms.get(known.id)
        return room if room is not None and _rules(room) != _rules(known) else None


class RightsNow:
    """Read the current rights, rooms and sessions."""

    def __init__(
        self,
        store: AccessStore,
        room_store: RoomStore,
        session_store: SessionStore,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._room_store = room_store
        self._session_store = session_store
        self._clock = clock

    def read(self, user_ids: Collection[str], room_ids: Collection[str], session_ids: Collection[str]) -> Now:
        """The current state of these users, rooms and sessions."""
        rights = self._store.rights_of(user_ids)
        return Now(
            rights=rights,
            rooms=self._room_store.find_all(room_ids),
            sessions=[
                session_id
                for session_id, user_id, version in self._session_store.list_going_on(session_ids)
                if user_id in rights and self._is_valid(rights[user_id], version)
            ],
        )

    def _is_valid(self, rights: Rights, version: int) -> bool:
        is_banned = rights.banned_until is not None and rights.banned_until > self._clock()
        return rights.password_version == version and not is_banned


def _rules(room: Room) -> tuple[object, ...]:
    values = values_of(room)
    if room.kind == "direct":  # each member sees the names of the others as its title
        del values["title"]
    return room.archived_at, room.cleared_sequence, *values.values()
