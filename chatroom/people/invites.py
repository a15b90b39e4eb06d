"""Invites: codes by which people may register when registration is by invitation.

Only the hash of a code is kept; a code is shown once, when it is made.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Refused
from chatroom.base.models import Author
from chatroom.people.invites_store import Invite, InviteStore
from chatroom.site.acts_store import Note
from chatroom.site.audit import CONSOLE

CODE_BYTES = 12
SHOWN = 100


class Invites:
    """Make and use invites."""

    def __init__(self, store: InviteStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock

    def create(self, *, uses: int = 1, days: int = 7) -> str:
        """Make an invite, and return its code."""
        code = self.new_code()
        self.add(code, uses=uses, days=days, made_by=CONSOLE)
        return code

    def new_code(self) -> str:
        """A code for an invite that is not yet made."""
        return secrets.token_urlsafe(CODE_BYTES)

    def add(self, code: str, *, uses: int, days: int, made_by: Author, note: Note | None = None) -> None:
        """Make the invite of a code."""
        ends = self._clock() + timedelta(days=days)
        self._store.add(_id_of(code), uses=uses, expires_at=ends, made_by=made_by, note=note)

    def take(self, code: str) -> None:
        """Use an invite once; raise `Refused` (`forbidden`) when it is not, or no longer, good."""
        if not self._store.take(_id_of(code)):
            raise Refused("forbidden", "This invite has expired or has been used up. Please ask for a new one.")

    def list_good(self) -> list[Invite]:
        """The invites by which somebody may still register, the first to end first."""
        return self._store.list_good(SHOWN)

    def revoke(self, invite_id: str, note: Note) -> bool:
        """Make an invite worthless; False when there is none such."""
        return self._store.end(invite_id, note)

    def give_back(self, code: str) -> None:
        """Undo a `take` that came to nothing."""
        self._store.give_back(_id_of(code))


def _id_of(code: str) -> str:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest()
