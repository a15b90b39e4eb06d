"""The open connections of one process, in total and by user."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from chatroom.base.access import Access
from chatroom.base.models import Room

REASON_BYTES = 123
"""The maximum length of the reason in a close frame."""


class Connection(Protocol):
    """The interface of a connection for the engine."""

    user_id: str
    session_id: str
    is_by_cookie: bool
    """Whether a browser connected, and not a program with an access token."""
    expires_at: datetime
    was_active: bool
    """Whether the user has posted or changed a message on this connection since `expires_at` was set."""

    def prolong(self, expires_at: datetime) -> None: ...
    def end(self, code: int, reason: str) -> None: ...
    def tell(self, frame: bytes) -> None: ...
    def see_room(self, room: Room) -> bool: ...
    def accesses(self) -> Iterable[Access]: ...
    def forget_access(self, room_id: str | None = None, *, why: str = "removed") -> None: ...


class Connections(set[Connection]):
    """A set of connections. `of` returns the connections of a user."""

    def __init__(self) -> None:
        super().__init__()
        self._by_user: dict[str, set[Connection]] = {}

    def add(self, connection: Connection) -> None:
        super().add(connection)
        self._by_user.setdefault(connection.user_id, set()).add(connection)

    def discard(self, connection: Connection) -> None:  # type: ignore[override]  # only a connection
        super().discard(connection)
        theirs = self._by_user.get(connection.user_id, set())
        theirs.discard(connection)
        if not theirs:
            self._by_user.pop(connection.user_id, None)

    def user_ids(self) -> list[str]:
        return list(self._by_user)

    def of(self, user_id: str | None) -> Collection[Connection]:
        return list(self._by_user.get(user_id or "", ()))


def shut_out(connection: Connection, reason: str) -> None:
    """End the connection of a user who may not log in. The client shows the reason."""
    connection.end(4403, reason.encode()[:REASON_BYTES].decode(errors="ignore"))
