"""Roles, mutes and bans. Each act is recorded in the audit log.

Nobody can act on a user of the same or a higher role. The site always has an administrator.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.durations import until
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Notice, Role, User, access_notice
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.sessions import Sessions
from chatroom.people.users_store import UserStore
from chatroom.rooms.membership import RoomMembership, no_member
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note, Place
from chatroom.site.audit import ActName, about_room, about_user, checked
from chatroom.site.audit_store import Act
from chatroom.site.authority import GONE, By, author_of, ban_words, check_power

WHY = "Give a reason. The author sees it, and the audit log keeps it."
SAME = timedelta(seconds=15)
"""If the ends of two equal mutes or bans differ by less than this, the second one is a repetition."""


class Moderation:
    """Changes the roles of users, mutes them, bans them, and ends their sessions."""

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
        """Change a user's role on the site; raise `Refused` for the last administrator."""
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

        self._do(by, give, "set_role", user, reason, details={"role": role, "before": user.role})
        return self.get(user.id)

    def resign(self, user: User, role: Role, note: Note) -> None:
        """Replace an administrator's role; raise `Refused` (`last_administrator`) if no administrator would be left."""
        if self._user_store.has_administrator(but=user.id):
            self._state_store.set_role(user.id, role, note)
            # Two administrators may resign at the same moment. Each call reads after its own write is acknowledged. So
            # the last call to read finds no administrator, and gives the role back.
            if self._user_store.has_administrator():
                return
            self._state_store.give_back_role(user.id, user.role, note)
        raise Refused("last_administrator", "This is the last administrator. Make another user an administrator first.")

    def mute(self, by: By, user: User, end: datetime | None, reason: str = "") -> None:
        """Mute a user in all rooms until `end`; if `end` is None, lift the mute."""
        check_power(by, user)
        reason = checked(reason, WHY) if end else reason
        user = self.get(user.id)
        if self._is_repeated("users", user.muted_until, user.mute_reason, end, reason):
            return
        self._do(
            by,
            lambda note: self._state_store.set_mute(user.id, end, reason, note),
            "mute" if end else "unmute",
            user,
            reason,
            details=_until(end),
        )

    def mute_in(self, access: Access, by: User, user: User, end: datetime | None, reason: str) -> None:
        """Mute a member in one room until `end`; if `end` is None, lift the mute.

        A user who has left the room can be muted too. The mute applies when the user joins again.
        """
        room = access.room
        if not self._membership_store.was_ever_in(user.id, room):
            raise no_member()
        self._membership.check_over(access, user.id)
        reason = checked(reason, WHY) if end else reason
        if self._is_repeated("memberships", *self._membership_store.mute_of(user.id, room.id), end, reason):
            return
        self._acts.do(
            "memberships",
            lambda note: self._membership_store.set_mute(user.id, room.id, end, reason, note),
            author_of(by),
            "mute" if end else "unmute",
            about_user(user),
            reason=reason,
            details=_until(end),
            room=about_room(room),
            tell=[access_notice(user.id, room)],
        )

    def ban(self, by: By, user: User, end: datetime | None, reason: str = "") -> None:
        """Ban a user until `end`, and end their sessions and tokens; if `end` is None, lift the ban."""
        check_power(by, user)
        reason = checked(reason, WHY) if end else reason
        user = self.get(user.id)
        if self._is_repeated("users", user.banned_until, user.ban_reason, end, reason):
            return
        tell = []
        if end:  # open pages get the reason before `end_sessions_of` ends the sessions
            tell = [Notice(kind="user", user=user.id, data={"end": True, "message": ban_words(end, reason)})]
        self._do(
            by,
            lambda note: self._state_store.set_ban(user.id, end, reason, note),
            "ban" if end else "unban",
            user,
            reason,
            details=_until(end),
            tell=tell,
        )
        if end:
            self._end_now(user)

    def end_sessions(self, by: By, user: User) -> int:
        """Log a user out everywhere; return the number of ended sessions and tokens."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can end the sessions of other people.")
        count = len(self._sessions.list_for(user))
        note_it = partial(self._acts.intend, document_id=user.id)
        self._do(by, note_it, "end_sessions", user, "", details={"count": count}, tell=[])
        self._end_now(user)
        return count

    def end_sessions_of(self, act: Act) -> None:
        """Complete a ban, an `end_sessions` or a password reset: end the sessions that began before the act.

        Late and repeated calls are safe, because sessions that began after the act stay valid.
        """
        self._sessions.end_all(act.subject.id, before=act.at)

    def _end_now(self, user: User) -> None:
        """End all sessions, also those that began after the act by the clock of another process."""
        with suppress(Unavailable):  # sessions that began before the act have ended already
            self._sessions.end_all(user.id)

    def get(self, user_id: str) -> User:
        """Return the account with this id; raise `Refused` if there is none."""
        user = self._user_store.find(user_id)
        if user is None:
            is_former = self._state_store.find_former(user_id) is not None
            raise Refused("not_found", GONE if is_former else "This account does not exist.")
        return user

    def _is_repeated(
        self, place: Place, is_until: datetime | None, is_because: str, end: datetime | None, reason: str
    ) -> bool:
        """Return whether the same mute or ban exists already. If so, complete its act."""
        if end is None or is_until is None:
            is_same = end is is_until
        else:
            is_same = is_until > self._clock() and is_because == reason and abs(end - is_until) < SAME
        if is_same:
            self._acts.finish_in(place)
        return is_same

    def _do(
        self,
        by: By,
        write: Callable[[Note], object],
        act: ActName,
        user: User,
        reason: str,
        *,
        details: Mapping[str, Any],
        tell: Sequence[Notice] | None = None,
    ) -> None:
        told = [Notice(kind="user", user=user.id)] if tell is None else tell
        self._acts.do("users", write, author_of(by), act, about_user(user), reason=reason, details=details, tell=told)


def _until(end: datetime | None) -> dict[str, str]:
    return {"until": until(end)} if end else {}
