"""Room links. A link admits a limited number of people to a room, until the link expires."""

from datetime import timedelta

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Room
from chatroom.rooms.membership import RoomMembership
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.acts import Acts
from chatroom.site.audit import about_room
from chatroom.site.codes_store import Code, CodeStore, make_code

MAX_LINKS = 50
MAX_USES = 100
MAX_HOURS = 30 * 24


class RoomLinks:
    """Create, list, use and end the links of a room. `codes` are the links of all rooms."""

    def __init__(
        self,
        codes: CodeStore,
        room_store: RoomStore,
        membership_store: MembershipStore,
        membership: RoomMembership,
        acts: Acts,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self.codes = codes
        self._room_store = room_store
        self._membership_store = membership_store
        self._membership = membership
        self._acts = acts
        self._clock = clock

    def make(self, access: Access, *, uses: int, hours: int) -> str:
        """Create a link, and return its secret, which is shown once."""
        _check(access)
        if not (1 <= uses <= MAX_USES and 1 <= hours <= MAX_HOURS):
            raise Refused("invalid", f"A link admits 1 to {MAX_USES} people, for 30 days at most.")
        if len(self.list_for(access)) >= MAX_LINKS:
            raise Refused("busy", f"This room has {MAX_LINKS} active links, which is the limit. End one first.")
        about = {"room": access.room.id, "created_by": access.name, "created_by_id": access.user_id}
        secret, code = make_code(self._clock(), timedelta(hours=hours), about, uses=uses)
        self._acts.do(
            "room_invites",
            lambda note: self.codes.add(code, note),
            access.author,
            "make_room_link",
            about_room(access.room),
            details={"uses": uses, "hours": hours},
            is_new=True,
        )
        return secret

    def list_for(self, access: Access) -> list[Code]:
        """Return the valid links of a room, the oldest first."""
        _check(access)
        return self.codes.list_valid(MAX_LINKS, order="created_at", room=access.room.id)

    def end(self, access: Access, link_id: str) -> None:
        """End a link. Raises `Refused` (`not_found`) if the link does not exist or has ended."""
        _check(access)
        if not self._acts.do(
            "room_invites",
            lambda note: self.codes.end(link_id, note, room=access.room.id),
            access.author,
            "end_room_link",
            about_room(access.room),
            details={"link": link_id[:8]},
            is_end=True,
        ):
            raise Refused("not_found", "This link does not exist, or has already ended.")

    def get(self, secret: str) -> tuple[Code, Room]:
        """Return a link and its room. Raises `Refused` (`not_found`) if the link is not valid."""
        code = self.codes.find(secret)
        room = self._room_store.find(str(code.about["room"])) if code else None
        if code is None or room is None:
            raise _not_valid()
        return code, room

    def accept(self, author: Author, secret: str) -> Room:
        """Join a room by a link. For a member, this does not count as a use of the link."""
        _, room = self.get(secret)
        if self._membership_store.find_role(author.id, room) is not None:
            return room
        if self._membership_store.was_removed(author.id, room):
            raise Refused("forbidden", "You were removed from this room. Ask one of its moderators to add you.")
        if self.codes.take(secret) is None:
            raise _not_valid()
        self._membership.let_in(author, room)
        return room


def _check(access: Access) -> None:
    if not access.may_moderate:
        raise Refused("forbidden", "Only moderators can invite people to this room.")


def _not_valid() -> Refused:
    return Refused("not_found", "This link has expired or has been used up. Ask for a new one.")
