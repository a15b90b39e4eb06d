"""Administrators of the site see figures of rooms, archive rooms, and appoint administrators of rooms.

They see the size of a private room but not its messages, and do not become members.
"""

from chatroom.base.errors import Refused
from chatroom.base.models import Author, User, access_notice
from chatroom.messages.writer import Writer
from chatroom.moderation.figures_store import SiteRoom, SiteRoomStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.settings import RoomSettings
from chatroom.site.acts import Acts
from chatroom.site.audit import about_room, about_user, checked

WHY = "Give a reason. The audit log keeps it, and administrators of the room can read it."


class SiteRooms:
    """Lists and archives rooms, and appoints an administrator of a room that has none."""

    def __init__(
        self,
        store: SiteRoomStore,
        membership_store: MembershipStore,
        member_store: MemberStore,
        *,
        settings: RoomSettings,
        writer: Writer,
        acts: Acts,
    ) -> None:
        self._store = store
        self._membership_store = membership_store
        self._member_store = member_store
        self._settings = settings
        self._writer = writer
        self._acts = acts

    def get(self, slug: str) -> SiteRoom:
        """Return a public or private room; raise `Refused` (`not_found`) if there is none."""
        found = self._store.find(slug)
        if found is None:
            raise Refused("not_found", "There is no such room.")
        return found

    def archive(self, slug: str, author: Author, *, is_archived: bool, reason: str) -> SiteRoom:
        """Archive or reopen a room."""
        found = self.get(slug)
        self._settings.set_archived(found.room, author, is_archived=is_archived, reason=checked(reason, WHY))
        return found

    def appoint(self, slug: str, author: Author, user: User, reason: str) -> SiteRoom:
        """Appoint a member as administrator of a room that has none.

        The user must be a member. Otherwise administrators of the site could appoint themselves in private rooms.
        """
        found = self.get(slug)
        role = self._membership_store.find_role(user.id, found.room)
        if self._member_store.has_another_administrator("", found.room):
            if role == "administrator" and self._acts.finish_in("memberships", "appoint", user.id):
                return found
            raise Refused("forbidden", "This room has an administrator, who can appoint others in its list of members.")
        reason = checked(reason, WHY)
        if role is None or not self._acts.do(
            "memberships",
            lambda note: self._membership_store.set_role(user.id, found.room, "administrator", note),
            author,
            "appoint",
            about_user(user),
            reason=reason,
            room=about_room(found.room),
            tell=[access_notice(user.id, found.room)],
        ):
            raise Refused("not_found", "Only a member of the room can become its administrator.")
        said = f"appointed {user.display_name} as an administrator of this room"
        self._writer.note(found.room, author, said, user.id)
        return found
