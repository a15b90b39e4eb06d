"""Slow rooms: a member posts one message in so many seconds."""

from collections.abc import Callable
from datetime import UTC, datetime

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.rooms.own_memberships_store import OwnMembershipStore


class SlowMode:
    """Give members their turns."""

    def __init__(self, store: OwnMembershipStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock

    def check_posting(self, access: Access, client_id: str) -> None:
        """Raise `Refused` unless somebody may post now: the room's rules, a mute, and in a slow room their turn."""
        access.check_posting(self._clock())
        if access.slow_seconds:
            self.take_turn(access, client_id)

    def take_turn(self, access: Access, client_id: str) -> None:
        """Take a member's turn in a slow room, or raise `Refused` (`too_fast`); the same post again needs no other."""
        wait = self._store.take_turn(access.user_id, access.room, client_id, access.slow_seconds)
        if wait:
            raise Refused(
                "too_fast",
                f"Slow mode allows one message every {access.slow_seconds} seconds. Please wait {wait:.0f} s.",
                retry_after=wait,
            )
