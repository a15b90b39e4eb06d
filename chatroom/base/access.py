"""A room as one of its members sees it: what every check of a right asks.

It is made anew for each request; a connection keeps it until it hears that something changed.
"""

from datetime import datetime

import msgspec

from chatroom.base.durations import FOREVER, until
from chatroom.base.errors import Refused
from chatroom.base.models import ApprovalState, Author, Membership, Person, Role, Room

POWERS: dict[Role, int] = {"member": 0, "moderator": 1, "administrator": 2}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who is in which room, and with which rights. `site_role` counts in public rooms alone.

    `person` is who it is as others see them now; `muted_until` the later of what the room and the site say.
    """

    room: Room
    membership: Membership
    person: Person
    site_role: Role = "member"
    muted_until: datetime | None = None
    mute_reason: str = ""
    approval_state: ApprovalState = ApprovalState()

    @property
    def user_id(self) -> str:
        """Whose access it is."""
        return self.membership.user_id

    @property
    def name(self) -> str:
        """Their display name as it is now."""
        return self.person.name

    @property
    def role(self) -> Role:
        """The greater of the room's own role and, in a public room, the site's."""
        roles = [self.membership.role, self.site_role if self.room.kind == "public" else "member"]
        return max(roles, key=lambda role: POWERS[role])

    @property
    def may_moderate(self) -> bool:
        """Whether they may delete others' messages and name everybody."""
        return self.room.kind != "direct" and POWERS[self.role] >= POWERS["moderator"]

    def outranks(self, role: Role, site_role: Role) -> bool:
        """Whether they may act here on somebody with these roles: nobody does on somebody as powerful as they are.

        In a public room, those who keep order on the site are above everybody who does not.
        """
        if self.room.kind != "public":
            return POWERS[self.membership.role] > POWERS[role]
        if site_role != "member":
            return POWERS[self.site_role] > POWERS[site_role]
        return self.site_role != "member" or POWERS[self.role] > POWERS[role]

    @property
    def may_pin(self) -> bool:
        """Whether they may pin messages: in a direct room, which nobody moderates, everybody."""
        return self.room.kind == "direct" or self.may_moderate

    @property
    def may_export(self) -> bool:
        """Whether they may take the room away with them; of what is between a few people, each of them."""
        return self.room.kind == "direct" or self.may_moderate

    @property
    def may_manage(self) -> bool:
        """Whether they may change the room itself, and who is what in it."""
        return self.room.kind != "direct" and self.role == "administrator"

    @property
    def author(self) -> Author:
        """As the author of what they do here."""
        return self.person.author

    @property
    def slow_seconds(self) -> int:
        """How long they wait between two posts; moderators do not."""
        return 0 if self.room.slow_seconds and self.may_moderate else self.room.slow_seconds

    def check_posting(self, now: datetime) -> None:
        """Raise `Refused` (`archived`, `read_only`, `muted`) unless they may say something now."""
        self.check_open()
        if self.room.is_read_only and not self.may_moderate:
            raise Refused("read_only", "Only moderators can post in this room.")
        self._check_mute(now)

    def check_reacting(self, now: datetime) -> None:
        """Raise `Refused` (`archived`, `muted`) unless they may react now: to what is announced, everybody may."""
        self.check_open()
        self._check_mute(now)

    def _check_mute(self, now: datetime) -> None:
        if self.muted_until is not None and self.muted_until > now:
            wait = None if self.muted_until >= FOREVER else (self.muted_until - now).total_seconds()
            words = f"You are muted here {until(self.muted_until)}: {self.mute_reason}"
            raise Refused("muted", words, retry_after=wait)

    def check_open(self) -> None:
        """Raise `Refused` (`archived`) where nothing changes any more."""
        if self.room.archived_at is not None:
            raise Refused("archived", "This room is archived: you can read it, but nobody can post.")
