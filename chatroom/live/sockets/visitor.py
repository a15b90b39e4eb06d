"""Who is at the other end of a connection, and what may be done on it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Draft, Held, Person
from chatroom.live.sockets.pace import Paces
from chatroom.people.tokens import EVERYTHING, Grant


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is logged in, at the other end of a connection."""

    person: Person
    session_id: str
    expires_at: datetime
    address: str
    is_by_cookie: bool
    grant: Grant = EVERYTHING


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection may do. All but `check_posting` and `may_be_held` are called in a thread.

    `get_access` refuses who is no member, and lets people into public rooms; `find_access` only looks.
    """

    get_access: Callable[[str, str], Access]
    find_access: Callable[[str, str], Access | None]
    check_posting: Callable[[str, str], None]
    mark_read: Callable[[Access, int], None]
    take_turn: Callable[[Access, str], None]
    max_rooms: int
    may_be_held: Callable[[Access], bool]
    hold: Callable[[Access, Draft, Sequence[str]], Held | None]
    paces: Paces = msgspec.field(default_factory=Paces)

    def enter(self, visitor: Visitor, slug: str) -> Access:
        """The room as a visitor may see it; called in a thread."""
        user_id = visitor.person.id
        return visitor.grant.enter(slug, partial(self.find_access, user_id), partial(self.get_access, user_id))
