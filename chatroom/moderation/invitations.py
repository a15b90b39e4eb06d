"""Room links for people without an account: one link admits a person to the site and to the room.

On a site by invite, a link admits only while its creator may moderate the room and is not banned. On a closed site, the
creator must also be an administrator of the site.
"""

import msgspec

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Room, User
from chatroom.moderation.admission import Admission
from chatroom.people.accounts import Accounts, Registration
from chatroom.rooms.access import RoomAccess
from chatroom.rooms.links import RoomLinks
from chatroom.rooms.membership import RoomMembership


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A valid room link: who invites to which room, and whether a person without an account may register by it."""

    room: Room
    created_by: str
    admits_strangers: bool


class Invitations:
    """Read room links as invitations, and register people by them."""

    def __init__(
        self,
        links: RoomLinks,
        access: RoomAccess,
        membership: RoomMembership,
        accounts: Accounts,
        admission: Admission,
    ) -> None:
        self._links = links
        self._access = access
        self._membership = membership
        self._accounts = accounts
        self._admission = admission

    def get(self, secret: str) -> Invitation:
        """Return the invitation of a link. Raises `Refused` (`not_found`) if the link is not valid."""
        code, room = self._links.get(secret)
        access = self._access.find_for(str(code.about["created_by_id"]), room.slug)
        return Invitation(
            room=room,
            created_by=access.name if access else str(code.about["created_by"]),
            admits_strangers=self.may_admit_strangers(access),
        )

    def find(self, secret: str) -> Invitation | None:
        """Return the invitation of a link, or None if the link is not valid."""
        try:
            return self.get(secret)
        except Refused:
            return None

    def may_admit_strangers(self, access: Access | None) -> bool:
        """Return whether people can register now by a link of this member of the room."""
        mode = self._admission.registration()
        if mode == "open":
            return True
        if access is None or not access.may_moderate or (mode == "closed" and access.site_role != "administrator"):
            return False
        return self._accounts.find_exclusion(access.user_id) is None

    def register(self, secret: str, wanted: Registration, address: str) -> tuple[User, Room]:
        """Create an account by a link, and make its user a member of the room. This is one use of the link."""
        invitation = self.get(secret)
        if not invitation.admits_strangers:
            raise Refused("forbidden", "This link admits only people who have an account.")
        wanted = msgspec.structs.replace(wanted, invite=secret)
        user = self._accounts.register(wanted, address, self._links.codes)
        self._membership.let_in(user.person.author, invitation.room)
        return user, invitation.room
