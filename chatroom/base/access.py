"""A room as one of its members sees it: the input of every check of rights.

Each request makes a new one; a connection keeps it until it learns of a change.
"""

from datetime import datetime

import msgspec

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
        """Whether they may export the room; in a direct conversation, everybody may."""
        return self.room.kind == "direct" or self.may_moderate

    @property
    def may_manage(self) -> bool:
        """Whether they may change the room itself, and who is what in it."""
        return self.room.kind != "direct" and self.role == "administrator"

    @property
    def author(self) -> Author:
        """As the author of what they do here."""
        return Author(self.user_id, self.name)
