"""Links that let people into a room: a code that is shown once, of which only the hash is kept."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Room
from chatroom.rooms.links_store import MOST, RoomInvite, RoomInviteStore
from chatroom.rooms.membership import RoomMembership
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.acts import Acts
from chatroom.site.audit import about_room

MAX_USES = 100
MAX_HOURS = 30 * 24


class RoomInvites:
    """Make, show, use and end a room's links."""

    def __init__(
        self,
        store: RoomInviteStore,
        room_store: RoomStore,
        membership_store: MembershipStore,
        membership: RoomMembership,
        acts: Acts,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._room_store = room_store
        self._membership_store = membership_store
        self._membership = membership
        self._acts = acts
        self._clock = clock

    def create(self, access: Access, *, uses: int, hours: int) -> str:
        """Make a link; answers with its code, which nobody can read again."""
        _check(access)
        if not (1 <= uses <= MAX_USES and 1 <= hours <= MAX_HOURS):
            raise Refused("invalid", f"A link admits 1 to {MAX_USES} people, for 30 days at most.")
        if len(self._store.list_for(access.room)) >= MOST:
            raise Refused("busy", f"This room has {MOST} active links, which is the limit. End one first.")
        code = secrets.token_urlsafe(24)
        now = self._clock()
        invite = RoomInvite(
            id=_hash(code),
            room_id=access.room.id,
            created_by=access.name,
            created_by_id=access.user_id,
            uses_left=uses,
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
        self._acts.do(
            "room_invites",
            lambda note: self._store.add(invite, note),
            access.author,
            "make_room_link",
            about_room(access.room),
            details={"uses": uses, "hours": hours},
            is_new=True,
        )
        return code

    def list_for(self, access: Access) -> list[RoomInvite]:
        """The links that can still be used."""
        _check(access)
        return self._store.list_for(access.room)

    def end(self, access: Access, invite_id: str) -> None:
        """Let nobody in by a link any more."""
        _check(access)
        if not self._acts.do(
            "room_invites",
            lambda note: self._store.end(invite_id, access.room, note),
            access.author,
            "end_room_link",
            about_room(access.room),
            details={"link": invite_id[:8]},
            is_end=True,
        ):
            raise Refused("not_found", "This link does not exist, or has already ended.")

    def get_room(self, code: str) -> Room:
        """The room that a link leads to; raise `Refused` (`not_found`) for one that is no good."""
        invite = self._store.find(_hash(code))
        room = self._room_store.find(invite.room_id) if invite else None
        if room is None:
            raise _no_good()
        return room

    def accept(self, author: Author, code: str) -> Room:
        """Come in by a link; who is in the room already uses nothing up."""
        room = self.get_room(code)
        if self._membership_store.find_role(author.id, room) is not None:
            return room
        if self._membership_store.was_removed(author.id, room):
            raise Refused("forbidden", "You were removed from this room. Ask one of its administrators to add you.")
        if not self._store.take(_hash(code)):
            raise _no_good()
        self._membership.let_in(author, room)
        return room


def _check(access: Access) -> None:
    if not access.may_moderate:
        raise Refused("forbidden", "Only moderators can invite people to this room.")


def _no_good() -> Refused:
    return Refused("not_found", "This link has expired or has been used up. Ask for a new one.")


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
