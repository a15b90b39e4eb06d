"""Delete an account: end all access at once, then remove the name, or all messages, from the rooms.

The remaining work is stored in the account, so that any process can finish it.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Notice, User
from chatroom.erasure.departed import DepartedMessages
from chatroom.moderation.moderation import Moderation
from chatroom.people.wiring import PeopleParts
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import about_user
from chatroom.site.audit_store import Act
from chatroom.site.authority import GONE, By, author_of, check_power
from chatroom.site.background import BackgroundThread, Lease, Report
from chatroom.site.leases_store import LeaseStore

log = logging.getLogger(__name__)

LEASE = "account_deletion"
LEASE_SECONDS = 30.0
SETTLING = timedelta(minutes=1)
"""The time from the deletion to the last pass. Until then, running requests may still store data of the user."""


class AccountDeletion:
    """Deletes accounts; finishes interrupted deletions. Each function in `ties` removes one kind of a user's data."""

    def __init__(
        self,
        people: PeopleParts,
        moderation: Moderation,
        acts: Acts,
        messages: DepartedMessages,
        leases: LeaseStore,
        *,
        ties: Sequence[Callable[[str], object]],
        clock: Clock = utc_now,
    ) -> None:
        self._accounts = people.accounts
        self._user_store = people.users
        self._states = people.states
        self._moderation = moderation
        self._acts = acts
        self._departed_messages = messages
        self._ties = ties
        self._clock = clock
        self._passed: set[str] = set()
        """The ids of users who wait for the last pass."""
        self.thread = BackgroundThread(LEASE, self.finish, lease=Lease(leases, LEASE, LEASE_SECONDS))
        """The thread that finishes deletions that any process began."""

    def is_last_administrator(self, user: User) -> bool:
        """Return whether this user is the site's only administrator, whose account cannot be deleted."""
        return user.role == "administrator" and not self._user_store.has_administrator(but=user.id)

    def delete_own(self, user: User, password: str, address: str, *, is_erased: bool) -> None:
        """Delete the user's own account; raise `Refused` if `authenticate` does so, or for the last administrator."""
        self._accounts.authenticate(user.username, password, address)
        self._begin(user, user, "", is_erased=is_erased)
        self._finish_unless_running(user)

    def delete(self, by: By, user: User, reason: str, *, is_erased: bool) -> None:
        """Delete another account; raise `Refused` unless the actor is an administrator, or the console."""
        self.begin(by, user, reason, is_erased=is_erased)
        self._finish_unless_running(user)

    def begin(self, by: By, user: User, reason: str, *, is_erased: bool) -> None:
        """Delete another account. Its messages stay until `finish` changes them."""
        self.check(by, user)
        self._begin(by, user, reason, is_erased=is_erased)

    def check(self, by: By, user: User) -> None:
        """Raise `Refused` (`forbidden`) unless `by` may delete this account of another person."""
        if by is not None and by.role != "administrator":
            raise Refused("forbidden", "Only administrators can delete other people's accounts.")
        check_power(by, user)

    def complete(self, act: Act) -> None:
        """Complete the deletion of an administrator, if it was interrupted after the role was removed."""
        self._states.make_former(act.subject.id, is_erased=act.details["messages"] == "erased")

    def finish(self, report: Report = lambda *_: None) -> None:
        """Remove deleted users from the rooms that still contain them."""
        for former in self._states.list_leaving():
            is_last_pass = self._clock() >= former.deleted_at + SETTLING
            if is_last_pass or former.id not in self._passed:
                self._end_ties(former.id)  # again, because running requests may have created data
                if not self._departed_messages.erase(former, self.thread.may_go_on, report):
                    return
                self._passed.add(former.id)
            if is_last_pass:
                self._states.end_leaving(former.id)
                self._passed.discard(former.id)

    def _begin(self, by: By, user: User, reason: str, *, is_erased: bool) -> None:
        details = {"messages": "erased" if is_erased else "kept"}

        def end(note: Note) -> bool:
            if user.role != "administrator":
                return self._states.make_former(user.id, is_erased=is_erased, note=note)
            self._moderation.resign(user, "member", note)  # from now on, `complete` finishes an interrupted act
            return self._states.make_former(user.id, is_erased=is_erased)

        gone = Notice(kind="user", user=user.id, data={"end": True, "message": GONE})
        about = about_user(user)
        if not self._acts.do(
            "users", end, author_of(by), "delete_account", about, reason=reason, details=details, tell=[gone]
        ) and not self._acts.finish_in("users", "delete_account", user.id):
            raise Refused("not_found", "This account does not exist.")
        log.info("an account was deleted", extra={"user": user.id})
        self._try_to(lambda: self._end_ties(user.id), user)

    def _finish_unless_running(self, user: User) -> None:
        if not self.thread.is_started:
            self._try_to(self.finish, user)

    def _try_to(self, deed: Callable[[], object], user: User) -> None:
        try:
            deed()
        except ChatroomError:  # the account is deleted; the thread does the rest when the database answers again
            log.warning("the sessions and rights of a deleted account are not ended yet", extra={"user": user.id})

    def _end_ties(self, user_id: str) -> None:
        for end in self._ties:
            end(user_id)
