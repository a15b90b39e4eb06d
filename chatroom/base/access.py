"""The rights of a member in a room.

Each request reads the rights from the database. A connection caches them until it is notified of a change.
"""

from datetime import datetime

import msgspec

from chatroom.base.models import ApprovalState, Author, Membership, Person, Role, Room

POWERS: dict[Role, int] = {"member": 0, "moderator": 1, "administrator": 2}


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """A user in a room, with the user's rights. `site_role` counts only in public rooms.

    The user may have a mute in the room and a mute on the site. `muted_until` is the later end.
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
        return self.membership.user_id

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def role(self) -> Role:
        """The role in the room. In a public room, a higher role on the site replaces it."""
        roles = [self.membership.role, self.site_role if self.room.kind == "public" else "member"]
        return max(roles, key=lambda role: POWERS[role])

    @property
    def may_moderate(self) -> bool:
        """Whether this user may delete the messages of others."""
        return self.room.kind != "direct" and POWERS[self.role] >= POWERS["moderator"]

    @property
    def may_mention_all(self) -> bool:
        """Whether `@room` and `@here` of this user mention everybody. In a direct conversation, nobody needs them."""
        return self.may_moderate or (self.room.kind != "direct" and self.room.members_mention_all)

    def outranks(self, role: Role, site_role: Role) -> bool:
        """Return whether this user has a higher role in this room than a user with these roles.

        In a public room, moderators and administrators of the site rank above every role in the room.
        """
        if self.room.kind != "public":
            return POWERS[self.membership.role] > POWERS[role]
        if site_role != "member":
            return POWERS[self.site_role] > POWERS[site_role]
        return self.site_role != "member" or POWERS[self.role] > POWERS[role]

    @property
    def may_pin(self) -> bool:
        """Whether this user may pin messages. In a direct conversation, everybody may."""
        return self.room.kind == "direct" or self.may_moderate

    @property
    def may_export(self) -> bool:
        """Whether this user may export the room. In a direct conversation, everybody may."""
        return self.room.kind == "direct" or self.may_moderate

    @property
    def may_manage(self) -> bool:
        """Whether this user may change the room, and the roles in it."""
        return self.room.kind != "direct" and self.role == "administrator"

    @property
    def author(self) -> Author:
        return Author(self.user_id, self.name)
