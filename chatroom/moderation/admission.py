"""Registration: its mode, and the invites.

A mode that is set on the site overrides `REGISTRATION` in the environment.
"""

from datetime import timedelta
from typing import Literal, get_args

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.site.acts import Acts
from chatroom.site.audit import SITE
from chatroom.site.authority import By, author_of
from chatroom.site.codes_store import SHORT_SECRET_BYTES, Code, CodeStore, make_code
from chatroom.site.settings_store import Site

Registration = Literal["open", "invite", "closed"]
MOST_USES, MOST_DAYS = 10_000, 3650
MOST_SHOWN = 100


class Admission:
    """Reads and changes the registration mode and the invites."""

    def __init__(
        self, site: Site, invites: CodeStore, acts: Acts, default: Registration, *, clock: Clock = utc_now
    ) -> None:
        self._site = site
        self._invites = invites
        self._acts = acts
        self.default = default
        self._clock = clock

    @property
    def chosen(self) -> str:
        """The mode that was set on the site, or ""."""
        return str(self._site.get("registration", ""))

    def registration(self) -> str:
        """Return the present mode: `open`, `invite` or `closed`."""
        return self.chosen or self.default

    def shown_registration(self) -> str:
        """Return the mode for a page, even while the database does not answer."""
        return str(self._site.get_to_show("registration", "")) or self.default

    def set_registration(self, by: By, mode: str) -> None:
        """Set the registration mode. An empty mode restores the mode of the environment."""
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
        """Create an invite; return its secret, which is shown only once."""
        check_administrator(by)
        if not (1 <= uses <= MOST_USES and 1 <= days <= MOST_DAYS):
            raise Refused("invalid", f"An invite is for 1 to {MOST_USES:,} people, for 1 to {MOST_DAYS} days.")
        author = author_of(by)
        about = {"made_by": author.name, "made_by_id": author.id}
        lifetime = timedelta(days=days)
        secret, code = make_code(self._clock(), lifetime, about, uses=uses, secret_bytes=SHORT_SECRET_BYTES)
        self._acts.do(
            "invites",
            lambda note: self._invites.add(code, note),
            author,
            "make_invite",
            SITE,
            details={"uses": uses, "days": days},
            is_new=True,
        )
        return secret

    def list_invites(self) -> list[Code]:
        """Return the valid invites, in the order of their expiry."""
        return self._invites.list_valid(MOST_SHOWN)

    def revoke_invite(self, by: By, invite_id: str) -> None:
        """Revoke an invite; raise `Refused` (`not_found`) if it does not exist or has ended."""
        check_administrator(by)
        if not self._acts.do(
            "invites",
            lambda note: self._invites.end(invite_id, note),
            author_of(by),
            "revoke_invite",
            SITE,
            details={"invite": invite_id[:8]},
            is_end=True,
        ):
            raise Refused("not_found", "This invite has been used, has expired, or was revoked.")


def check_administrator(by: By) -> None:
    """Raise `Refused` (`forbidden`) unless the actor is an administrator of the site, or the console."""
    if by is not None and by.role != "administrator":
        raise Refused("forbidden", "Only administrators can do this.")
