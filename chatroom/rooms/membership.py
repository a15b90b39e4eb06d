"""Membership of rooms: join, leave, add, remove, set roles.

Nobody can act on a member of the same or a higher role. A private room always has an administrator.
"""

from typing import Unpack

from chatroom.base.access import POWERS, Access
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Role, Room, access_notice, membership_notices
from chatroom.messages.writer import Writer
from chatroom.rooms.access import LOBBY, RoomAccess
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.site.acts import About, Acts, Write
from chatroom.site.acts_store import Note
from chatroom.site.audit import ActName, about_room
from chatroom.site.audit_store import Subject
from chatroom.site.notices import Notices


class RoomMembership:
    """Join and leave rooms; add members, remove members, and set their roles."""

    def __init__(
        self,
        store: MembershipStore,
        member_store: MemberStore,
        access_store: AccessStore,
        *,
        access: RoomAccess,
        writer: Writer,
        notices: Notices,
        acts: Acts,
    ) -> None:
        self._store = store
        self._member_store = member_store
        self._access_store = access_store
        self._access = access
        self._writer = writer
        self._notices = notices
        self._acts = acts

    def join(self, author: Author, slug: str) -> Room:
        room = self._access.get_public(author.id, slug)
        if self._store.find_role(author.id, room) is None:
            self.let_in(author, room)
        return room

    def let_in(self, author: Author, room: Room) -> None:
        """Make a user a member, and post an event line."""
        self._access.admit(author.id, room)
        self._notices.tell(*membership_notices(author.id, room))
        self._writer.note(room, author, "joined")

    def leave(self, access: Access) -> None:
        """Leave a room. Raises `Refused` (`forbidden`) if the member cannot leave it."""
        room = access.room
        self._check_leaving(access)
        self._store.leave(access.user_id, room)
        if access.may_manage and self._member_store.has_another(access.user_id, room):
            self._keep_managed(room, access.user_id)
        self._notices.tell(*membership_notices(access.user_id, room, why="left"))
        if room.kind == "private":
            self._writer.note(room, access.author, "left")

    def add(self, access: Access, user_id: str, name: str) -> bool:
        """Add a user to a room, also after a removal. Return False if the user is a member already."""
        _check(access.may_moderate)
        room = access.room
        if self._store.find_role(user_id, room) is not None:
            return False

        def add(note: Note) -> None:
            if not self._store.forgive(user_id, room, note):
                self._store.admit(user_id, room, note)

        self._do(access, add, "add_member", user_id, tell=membership_notices(user_id, room))
        self._writer.note(room, access.author, f"added {name}", user_id)
        return True

    def remove(self, access: Access, user_id: str) -> None:
        """Remove a member of a lower role, or a user who has just left.

        A repeated removal notifies the user again, but adds no second entry to the audit log.
        """
        room = access.room
        _check(access.may_moderate)
        if user_id == access.user_id:
            raise Refused("invalid", "You cannot remove yourself. Leave the room instead.")
        if not self._store.was_ever_in(user_id, room):
            raise no_member()
        self.check_over(access, user_id)
        # The write checks the role again, because the role may have changed meanwhile.
        above: list[Role] = [role for role in POWERS if not access.outranks(role, "member")]
        if not self._do(
            access,
            lambda note: self._store.remove(user_id, room, note, but=above),
            "remove_member",
            user_id,
            tell=membership_notices(user_id, room),
        ):
            _check(self._store.was_removed(user_id, room))
            self._acts.finish_in("memberships")

    def set_role(self, access: Access, user_id: str, role: Role) -> None:
        _check(access.may_manage)
        room = access.room
        before = self._store.find_role(user_id, room)
        if before is None:
            raise no_member()
        if before == role:
            self._acts.finish_in("memberships")
            return
        if user_id == access.user_id and not self._member_store.has_another_administrator(user_id, room):
            raise _nobody_else()

        def give(note: Note) -> bool:
            is_given = self._store.set_role(user_id, room, role, note)
            if before == "administrator":
                self._keep_managed(room, user_id, note)
            return is_given

        self._do(access, give, "set_room_role", user_id, details={"role": role}, tell=[access_notice(user_id, room)])
        if POWERS[role] > POWERS[before]:
            made = f"made {self._member_store.name_of(user_id)} {'an' if role == 'administrator' else 'a'} {role}"
            self._writer.note(room, access.author, made, user_id)

    def hand_over(self, access: Access, user_id: str) -> None:
        """Make another member administrator, and this administrator a member."""
        if user_id == access.user_id:
            raise Refused("invalid", "You manage this room already. Choose another member.")
        self.set_role(access, user_id, "administrator")
        self.set_role(access, access.user_id, "member")

    def must_hand_over(self, access: Access) -> bool:
        """Return whether this member cannot leave: nobody else manages the private room, which has other members."""
        room = access.room
        return (
            room.kind == "private"
            and access.may_manage
            and not self._member_store.has_another_administrator(access.user_id, room)
            and self._member_store.has_another(access.user_id, room)
        )

    def has_other(self, access: Access, user_id: str) -> bool:
        """Return whether this user is another member of the room."""
        return user_id != access.user_id and self._store.find_role(user_id, access.room) is not None

    def check_over(self, access: Access, user_id: str) -> None:
        """Raise `Refused` (`forbidden`) unless the acting member outranks this user in this room."""
        _check(access.may_moderate)
        role = self._store.find_role(user_id, access.room) or "member"
        if not access.outranks(role, self._access_store.site_role_of(user_id)):
            raise Refused("forbidden", "You may not do this to a user of the same or a higher role.")

    def _check_leaving(self, access: Access) -> None:
        room = access.room
        if room.id == LOBBY.id:
            raise Refused("forbidden", "Nobody can leave the lobby.")
        if room.kind == "direct":
            raise Refused("forbidden", "You cannot leave a direct conversation. You can turn its notifications off.")
        if self.must_hand_over(access):
            raise _nobody_else()

    def _keep_managed(self, room: Room, user_id: str, note: Note | None = None) -> None:
        """Make the user an administrator again, and raise `Refused`, if a private room has no administrator now.

        This happens if the last two administrators resign at the same time: at least the later request restores a role.
        """
        if room.kind == "private" and not self._member_store.has_another_administrator("", room):
            self._store.take_back(user_id, room, "administrator", note)
            raise _nobody_else()

    def _do(self, access: Access, write: Write, act: ActName, user_id: str, **about: Unpack[About]) -> bool:
        about["room"] = about_room(access.room)
        subject = Subject("user", user_id, self._member_store.username_of(user_id))
        return self._acts.do("memberships", write, access.author, act, subject, **about)


def no_member() -> Refused:
    """Return the refusal for an act on a user who is not in the room."""
    return Refused("not_found", "This user is not a member of this room.")


def _check(is_allowed: bool) -> None:
    if not is_allowed:
        raise Refused("forbidden", "You may not do this in this room.")


def _nobody_else() -> Refused:
    return Refused("forbidden", "Nobody else manages this room. Make another member its administrator first.")
