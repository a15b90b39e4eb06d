"""Who may come in: whether accounts can be made, and the invites.

What is set here wins over `REGISTRATION` in the environment, until it is set back.
"""

import time
from collections.abc import Callable
from typing import Any, Literal, get_args

from chatroom.audit import SITE, Audit
from chatroom.errors import Refused, Unavailable
from chatroom.invites import Invites
from chatroom.moderation import By, author_of
from chatroom.store.invites import Invite
from chatroom.store.site import SiteStore

Registration = Literal["open", "invite", "closed"]
KEPT_SECONDS = 2.0
"""How long a process may go on by what it read last."""
MOST_USES, MOST_DAYS = 10_000, 3650


class Admission:
    """Ask and set who may come in."""

    def __init__(
        self,
        store: SiteStore,
        invites: Invites,
        audit: Audit,
        default: Registration,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._invites = invites
        self._audit = audit
        self.default = default
        self._seconds = seconds
        self._read: dict[str, Any] = {}
        self._read_at = -KEPT_SECONDS

    @property
    def chosen(self) -> str:
        """What was set while the site runs; empty: nothing."""
        if self._seconds() - self._read_at >= KEPT_SECONDS:
            self._read = self._store.read()
            self._read_at = self._seconds()
        return str(self._read.get("registration", ""))

    def registration(self) -> str:
        """Whether accounts can be made now: `open`, `invite` or `closed`."""
        return self.chosen or self.default

    def shown_registration(self) -> str:
        """The same for what a page offers: also while the database is away."""
        try:
            return self.registration()
        except Unavailable:
            return self.default

    def set_registration(self, by: By, mode: str) -> None:
        """Open or close the site for new accounts; an empty mode: as the environment says."""
        _check_administrator(by)
        if mode and mode not in get_args(Registration):
            raise Refused("invalid", "Registration is open, by invite, or closed.")
        self._store.set("registration", mode or None)
        self._read_at = self._seconds() - KEPT_SECONDS
        self._audit.record(author_of(by), "set_registration", SITE, details={"registration": mode or "as set up"})

    def make_invite(self, by: By, *, uses: int, days: int) -> str:
        """Make an invite, and return its code, which is shown only now."""
        _check_administrator(by)
        if not (1 <= uses <= MOST_USES and 1 <= days <= MOST_DAYS):
            raise Refused("invalid", f"An invite is for 1 to {MOST_USES:,} people, and good for 1 to {MOST_DAYS} days.")
        code = self._invites.create(uses=uses, days=days, made_by=author_of(by).name)
        self._audit.record(author_of(by), "make_invite", SITE, details={"uses": uses, "days": days})
        return code

    def list_invites(self) -> list[Invite]:
        """The invites that are good, the first to end first."""
        return self._invites.list_good()

    def revoke_invite(self, by: By, invite_id: str) -> None:
        """Make an invite worthless; raise `Refused` when there is none such."""
        _check_administrator(by)
        if not self._invites.revoke(invite_id):
            raise Refused("not_found", "This invite is used up, too old, or was revoked already.")
        self._audit.record(author_of(by), "revoke_invite", SITE, details={"invite": invite_id[:8]})


def _check_administrator(by: By) -> None:
    if by is not None and by.role != "administrator":
        raise Refused("forbidden", "Only administrators do this.")
