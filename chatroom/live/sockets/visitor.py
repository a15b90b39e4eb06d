"""The user of a connection, and the services that connections use."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Person
from chatroom.live.sockets.pace import Paces
from chatroom.messages.changes import Changes
from chatroom.messages.history import History
from chatroom.messages.posting import Posting
from chatroom.people.tokens import EVERYTHING, Grant
from chatroom.rooms.access import RoomAccess


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """The logged-in user of a connection."""

    person: Person
    session_id: str
    expires_at: datetime
    address: str
    is_by_cookie: bool
    grant: Grant = EVERYTHING


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits on connections per process, user and address, and on rooms per connection. 0 means no limit."""

    connections: int
    connections_per_user: int
    connections_per_address: int
    rooms_per_connection: int


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """The services that connections use. Functions that use the database are called in threads."""

    rooms: RoomAccess
    posting: Posting
    changes: Changes
    history: History
    mark_read: Callable[[Access, int, int], object]
    limits: ConnectionLimits
    paces: Paces = msgspec.field(default_factory=Paces)

    def enter(self, visitor: Visitor, slug: str) -> Access:
        """Find a room and the visitor's rights in the room. Called in a thread."""
        user_id = visitor.person.id
        return visitor.grant.enter(slug, partial(self.rooms.find_for, user_id), partial(self.rooms.get_for, user_id))
