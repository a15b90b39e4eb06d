"""The rights of an access token: its scopes, and perhaps a list of rooms.

A `Grant` only restricts: its holder has no more rights than the account.
"""

from collections.abc import Callable

import msgspec

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Role, Scope, Session
from chatroom.names import LOBBY_SLUG

SCOPES: dict[Scope, str] = {
    "read": "Read the rooms of the account, and follow them live",
    "post": "Post in these rooms, and change messages of the account",
    "rooms": "Create rooms, join public rooms, and leave rooms",
    "moderate": "Use the rights of the account as a moderator or administrator",
}
NOT_IN = "You are not a member of this room, or it does not exist. The scope rooms lets a token join public rooms."
USUAL: tuple[Scope, ...] = ("read", "post")


class Grant(msgspec.Struct, frozen=True):
    """The rights of a token or a browser. `rooms` are slugs; an empty set means every room."""

    scopes: frozenset[Scope] = frozenset(SCOPES)
    rooms: frozenset[str] = frozenset()

    def check(self, scope: Scope, slug: str | None) -> None:
        """Raise `Refused` (`out_of_scope`) unless the scope and the room are granted. `slug` is None outside rooms."""
        if scope not in self.scopes:
            raise Refused("out_of_scope", f"This access token needs the scope {scope}.")
        if self.rooms and slug not in self.rooms:
            raise Refused("out_of_scope", f"This access token is limited to {_listed(self.rooms)}.")

    def site_role(self, role: Role) -> Role:
        """Return `role`, the account's role on the site; return `member` if the token lacks the scope `moderate`."""
        return role if "moderate" in self.scopes else "member"

    def enter(self, slug: str, find: Callable[[str], Access | None], get: Callable[[str], Access]) -> Access:
        """Return the access to a room, restricted by `narrow`. Only `get` can add the account to the lobby.

        If the token has the scope `rooms`, the refusal for a public room says that the account can join it. Without
        this scope, no refusal says whether the room exists.
        """
        access = get(slug) if "rooms" in self.scopes or slug == LOBBY_SLUG else find(slug)
        if access is None:
            raise Refused("not_found", NOT_IN)
        return self.narrow(access)

    def narrow(self, access: Access) -> Access:
        """Return the access. Without the scope `moderate`, reduce it to the rights of an ordinary member."""
        if "moderate" in self.scopes:
            return access
        membership = msgspec.structs.replace(access.membership, role="member")
        return msgspec.structs.replace(access, membership=membership, site_role=self.site_role(access.site_role))


EVERYTHING = Grant()


def grant_of(session: Session) -> Grant:
    """Return the grant of a session: everything for a browser, the granted scopes and rooms for a token."""
    if session.kind == "browser":
        return EVERYTHING
    return Grant(frozenset(session.scopes), frozenset(session.rooms))


def _listed(rooms: frozenset[str]) -> str:
    return ("the room " if len(rooms) == 1 else "the rooms ") + ", ".join(sorted(rooms))
