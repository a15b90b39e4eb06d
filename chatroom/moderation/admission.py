"""Who may come in: whether accounts can be made, and the invites.

What is set here wins over `REGISTRATION` in the environment, until it is set back.
"""

from typing import Literal, get_args

from chatroom.base.errors import Refused, Unavailable
from chatroom.people.invites import Invites
from chatroom.people.invites_store import Invite
from chatroom.site.acts import Acts
from chatroom.site.audit import SITE
from chatroom.site.authority import By, author_of
from chatroom.site.settings import Site

Registration = Literal["open", "invite", "closed"]
MOST_USES, MOST_DAYS = 10_000, 3650


class Admission:
    """Ask and set who may come in."""

    def __init__(
        self,
        site: Site,
        invites: Invites,
        acts: Acts,
        default: Registration,
    ) -> None:
        self._site = site
        self._invites = invites
        self._acts = acts
        self.default = default

    @property
    def chosen(self) -> str:
        """What was set while the site runs; empty: nothing."""
        return str(self._site.get("registration", ""))

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
        check_administrator(by)
        if mode and mode not in get_args(Registration):
            raise Refused("invalid", "Registration must be open, invite or closed.")
        self._acts.do(
            "site",
            lambda note: self._site.set("registration", mode or None, note),
            author_of(by),
            "set_registration",
            SITE,
            details={"registration": mode or "as set up"},
        )

    def make_invite(self, by: By, *, uses: int, days: int) -> str:
        """Make an invite, and return its code, which is shown only now."""
        check_administrator(by)
        if not (1 <= uses <= MOST_USES and 1 <= days <= MOST_DAYS):
            raise Refused("invalid", f"An invite is for 1 to {MOST_USES:,} people, for 1 to {MOST_DAYS} days.")
        code = self._invites.new_code()
        self._acts.do(
            "invites",
            lambda note: self._invites.add(code, uses=uses, days=days, made_by=author_of(by), note=note),
            author_of(by),
            "make_invite",
            SITE,
            details={"uses": uses, "days": days},
            is_new=True,
        )
        return code

    def list_invites(self) -> list[Invite]:
        """The invites that are good, the first to end first."""
        return self._invites.list_good()

    def revoke_invite(self, by: By, invite_id: str) -> None:
        """Make an invite worthless; raise `Refused` when there is none such."""
        check_administrator(by)
        if not self._acts.do(
            "invites",
            lambda note: self._invites.revoke(invite_id, note),
            author_of(by),
            "revoke_invite",
            SITE,
            details={"invite": invite_id[:8]},
            is_end=True,
        ):
            raise Refused("not_found", "This invite has been used, has expired, or was revoked.")


def check_administrator(by: By) -> None:
    """Raise `Refused` (`forbidden`) unless they administrate the site."""
    if by is not None and by.role != "administrator":
        raise Refused("forbidden", "Only administrators can do this.")
