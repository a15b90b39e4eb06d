"""Moderate: roles, mutes and bans, each recorded in the audit log.

Nobody can act on a user of the same or a higher role. There is always an administrator.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.durations import until
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Notice, Role, User
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.sessions import Sessions
from chatroom.people.users_store import UserStore
from chatroom.rooms.events import access_notice
from chatroom.rooms.membership import RoomMembership, no_member
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_room, about_user, checked
from chatroom.site.audit_store import Act
from chatroom.site.authority import By, author_of, ban_words, check_power

WHY = "Give a reason. The author sees it, and the audit log keeps it."
SAME = timedelta(seconds=15)
"""Whoever sends the same mute or ban once more within this time means the one that is there."""


class Moderation:
    """What moderators and administrators do to people."""

    def __init__(
        self,
        user_store: UserStore,
        state_store: AccountStateStore,
        membership_store: MembershipStore,
        membership: RoomMembership,
        sessions: Sessions,
        *,
        acts: Acts,
        clock: Clock = utc_now,
    ) -> None:
        self._user_store = user_store
        self._state_store = state_store
        self._membership_store = membership_store
        self._membership = membership
        self._sessions = sessions
        self._acts = acts
        self._clock = clock

    def set_role(self, by: By, user: User, role: Role, reason: str = "") -> User:
        """Give somebody another role on the site; raise `Refused` for the last administrator."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can change roles.")
        if user.role == role:
            self._acts.finish_in("users")
            return user

        def give(note: Note) -> None:
            if user.role == "administrator":
                self.resign(user, role, note)
            else:
                self._state_store.set_role(user.id, role, note)

        self._do(by, give, "set_role", user, reason, role=role, before=user.role)
        return self.get(user.id)

    def resign(self, user: User, role: Role, note: Note) -> None:
        """Take an administrator's role away; raise `Refused` (`last_administrator`) where none would be left."""
        if self._user_store.has_administrator(but=user.id):
            self._state_store.set_role(user.id, role, note)
            # Two may have done this to each other at the same moment. Whoever looks last gives the role back,
            # so that there is one again: the look sees every write that was acknowledged before it.
            if self._user_store.has_administrator():
                return
            self._state_store.give_back_role(user.id, user.role, note)
        raise Refused("last_administrator", "This is the last administrator. Make another user an administrator first.")

    def mute(self, by: By, user: User, end: datetime, reason: str) -> None:
        """Mute a user in all rooms until `end`: they can read but not post."""
        check_power(by, user)
        reason = checked(reason, WHY)
        user = self.get(user.id)
        if self._is_same(user.muted_until, user.mute_reason, end, reason):
            self._acts.finish_in("users")
            return
        self._do(
            by,
            lambda note: self._state_store.set_mute(user.id, end, reason, note),
            "mute",
            user,
            reason,
            until=until(end),
        )

    def unmute(self, by: By, user: User, reason: str = "") -> None:
        """Lift a mute."""
        check_power(by, user)
        user = self.get(user.id)
        if user.muted_until is None:
            self._acts.finish_in("users")
            return
        self._do(by, lambda note: self._state_store.set_mute(user.id, None, "", note), "unmute", user, reason)

    def mute_in(self, access: Access, by: User, user: User, end: datetime | None, reason: str) -> None:
        """Mute a member in one room until `end`; None lifts the mute.

        It holds for who has just left as well: they come again as muted as they went.
        """
        room = access.room
        if not self._membership_store.was_ever_in(user.id, room):
            raise no_member()
        self._membership.check_over(access, user.id)
        reason = checked(reason, WHY) if end else reason
        if self._is_same(*self._membership_store.mute_of(user.id, room.id), end, reason):
            self._acts.finish_in("memberships")
            return
        self._acts.do(
            "memberships",
            lambda note: self._membership_store.set_mute(user.id, room.id, end, reason, note),
            author_of(by),
            "mute" if end else "unmute",
            about_user(user),
            reason=reason,
            details={"until": until(end)} if end else {},
            room=about_room(room),
            tell=[access_notice(user.id, room)],
        )

    def ban(self, by: By, user: User, end: datetime, reason: str) -> None:
        """Ban a user until `end`: all their sessions and tokens end at once."""
        check_power(by, user)
        reason = checked(reason, WHY)
        user = self.get(user.id)
        if self._is_same(user.banned_until, user.ban_reason, end, reason):
            self._acts.finish_in("users")
            return
        # Told before the sessions end, which `end_sessions_of` does: whoever hears of both first learns why.
        told = Notice(kind="user", user=user.id, data={"end": True, "message": ban_words(end, reason)})
        self._do(
            by,
            lambda note: self._state_store.set_ban(user.id, end, reason, note),
            "ban",
            user,
            reason,
            tell=[told],
            until=until(end),
        )
        self._end_now(user)

    def unban(self, by: By, user: User, reason: str = "") -> None:
        """Lift a ban."""
        check_power(by, user)
        user = self.get(user.id)
        if user.banned_until is None:
            self._acts.finish_in("users")
            return
        self._do(by, lambda note: self._state_store.set_ban(user.id, None, "", note), "unban", user, reason, tell=[])

    def end_sessions(self, by: By, user: User) -> int:
        """Log somebody out everywhere, and count the sessions and tokens that ended."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can end other people's sessions.")
        count = len(self._sessions.list_for(user))
        self._do(by, lambda note: self._acts.intend(note, user.id), "end_sessions", user, "", tell=[], count=count)
        self._end_now(user)
        return count

    def end_sessions_of(self, act: Act) -> None:
        """What belongs to a ban, to an `end_sessions`, and to a new password by a link.

        It may be done late, and done again: what began after the act goes on.
        """
        self._sessions.end_all(act.subject.id, before=act.at)

    def _end_now(self, user: User) -> None:
        """Whatever the clocks of processes say: one of them may be ahead of this one's."""
        with suppress(Unavailable):  # what began before is at its end already
            self._sessions.end_all(user.id)

    def get(self, user_id: str) -> User:
        """The account with this id; raise `Refused` when there is none."""
        user = self._user_store.find(user_id)
        if user is None:
            is_former = self._state_store.find_former(user_id) is not None
            raise Refused("not_found", "This account was deleted." if is_former else "This account does not exist.")
        return user

    def _is_same(self, is_until: datetime | None, is_because: str, end: datetime | None, reason: str) -> bool:
        """Whether what is to be done was done just now: by a try whose answer was lost, or by two at once."""
        if end is None or is_until is None:
            return end is is_until
        return is_until > self._clock() and is_because == reason and abs(end - is_until) < SAME

    def _do(
        self,
        by: By,
        cut: Callable[[Note], object],
        act: str,
        user: User,
        reason: str,
        *,
        tell: Sequence[Notice] | None = None,
        **details: Any,
    ) -> None:
        told = [Notice(kind="user", user=user.id)] if tell is None else tell
        self._acts.do("users", cut, author_of(by), act, about_user(user), reason=reason, details=details, tell=told)
