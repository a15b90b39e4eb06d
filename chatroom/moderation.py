"""Keep order: roles, mutes and bans, each noted in the audit log.

Nobody acts on somebody who is as powerful as they are. There is always an administrator.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chatroom.access import POWERS, Access
from chatroom.audit import CONSOLE, Audit, about_room, about_user, checked
from chatroom.durations import until
from chatroom.errors import Refused
from chatroom.models import Author, Notice, Role, User
from chatroom.notices import Notices
from chatroom.sessions import Sessions
from chatroom.store.rooms import RoomStore
from chatroom.store.users import UserStore

WHY = "Say why: they are told, and it is noted."

By = User | None
"""Who does it: an account, or (None) the person at the console, who may do everything."""


class Moderation:
    """What moderators and administrators do to people."""

    def __init__(
        self,
        users: UserStore,
        rooms: RoomStore,
        sessions: Sessions,
        notices: Notices,
        audit: Audit,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._users = users
        self._rooms = rooms
        self._sessions = sessions
        self._notices = notices
        self._audit = audit
        self._clock = clock

    def set_role(self, by: By, user: User, role: Role, reason: str = "") -> User:
        """Give somebody another role on the site; raise `Refused` for the last administrator."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators give roles.")
        if user.role == role:
            return user
        if user.role == "administrator":
            self.resign(user, role)
        else:
            self._users.set_role(user.id, role)
        self._note(by, "set_role", user, reason, role=role, before=user.role)
        self._tell(user)
        return self.get(user.id)

    def resign(self, user: User, role: Role) -> None:
        """Take an administrator's role away; raise `Refused` (`last_administrator`) where none would be left."""
        if self._users.has_administrator(but=user.id):
            self._users.set_role(user.id, role)
            # Two may have done this to each other at the same moment. Whoever looks last gives the role back,
            # so that there is one again: the look sees every write that was acknowledged before it.
            if self._users.has_administrator():
                return
            self._users.set_role(user.id, user.role)
        raise Refused("last_administrator", "This is the last administrator. Make somebody else one first.")

    def mute(self, by: By, user: User, end: datetime, reason: str) -> None:
        """Let somebody read and not post, in all rooms, until `end`."""
        self.check_power(by, user)
        reason = checked(reason, WHY)
        self._users.set_mute(user.id, end, reason)
        self._note(by, "mute", user, reason, until=until(end))
        self._tell(user)

    def unmute(self, by: By, user: User, reason: str = "") -> None:
        """Let somebody post again."""
        self.check_power(by, user)
        self._users.set_mute(user.id, None, "")
        self._note(by, "unmute", user, reason)
        self._tell(user)

    def mute_in(self, access: Access, by: User, user: User, end: datetime | None, reason: str) -> None:
        """Let a member of one room read and not post there until `end`; with None, let them post again."""
        theirs = self._rooms.find_access(user.id, access.room.slug)
        if theirs is None:
            raise Refused("not_found", "They are not a member of this room.")
        if not access.may_moderate or POWERS[theirs.role] >= POWERS[access.role]:
            raise Refused("forbidden", "You may not do this to them in this room.")
        reason = checked(reason, WHY) if end else reason
        self._rooms.set_mute(user.id, access.room.id, end, reason)
        details = {"until": until(end)} if end else {}
        where = about_room(access.room)
        self._audit.record(author_of(by), "mute" if end else "unmute", about_user(user), reason, details, room=where)
        self._notices.tell(Notice(kind="access", user=user.id, room=access.room.id))

    def ban(self, by: By, user: User, end: datetime, reason: str) -> None:
        """Let somebody in no more until `end`: all their sessions and tokens are over at once."""
        self.check_power(by, user)
        reason = checked(reason, WHY)
        self._users.set_ban(user.id, end, reason)
        # Told before the sessions end: whoever hears of both first learns why.
        self._tell(user, end=True, message=ban_words(end, reason))
        self._sessions.end_all(user.id)
        self._note(by, "ban", user, reason, until=until(end))

    def unban(self, by: By, user: User, reason: str = "") -> None:
        """Let somebody in again."""
        self.check_power(by, user)
        self._users.set_ban(user.id, None, "")
        self._note(by, "unban", user, reason)

    def end_sessions(self, by: By, user: User) -> int:
        """Log somebody out everywhere, and count the sessions and tokens that ended."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators end others' sessions.")
        count = self._sessions.end_all(user.id)
        self._note(by, "end_sessions", user, "", count=count)
        return count

    def has_power(self, by: By, user: User) -> bool:
        """Whether they may mute and ban this person."""
        return by is None or (by.role != "member" and POWERS[by.role] > POWERS[user.role])

    def check_power(self, by: By, user: User) -> None:
        """Raise `Refused` (`forbidden`) unless they may mute and ban this person."""
        if not self.has_power(by, user):
            raise Refused("forbidden", "You may not do this to them. An administrator has to lose that role first.")

    def get(self, user_id: str) -> User:
        """The account with this id; raise `Refused` when there is none."""
        user = self._users.find(user_id)
        if user is None:
            is_former = self._users.find_former(user_id) is not None
            raise Refused("not_found", "This account was deleted." if is_former else "There is no such account.")
        return user

    def _note(self, by: By, act: str, user: User, reason: str, **details: Any) -> None:
        self._audit.record(author_of(by), act, about_user(user), reason, details)

    def _tell(self, user: User, **data: Any) -> None:
        self._notices.tell(Notice(kind="user", user=user.id, data=data))


def author_of(by: By) -> Author:
    """Who does it, as the audit log names them."""
    return CONSOLE if by is None else Author(by.id, by.display_name)


def ban_words(end: datetime, reason: str) -> str:
    """What the banned person is told."""
    return f"You are banned {until(end)}: {reason}"
