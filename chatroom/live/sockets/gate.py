"""Count open connections by process, address and user, and refuse connections beyond a limit."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import msgspec

from chatroom.asgi.budget import counted
from chatroom.base.addresses import network_of
from chatroom.base.errors import Refused

RETRY_SECONDS = 5


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most connections of a process, a user and an address, and the most rooms of a connection; 0 is no limit."""

    connections: int
    connections_per_user: int
    connections_per_address: int
    rooms_per_connection: int


class Gate:
    """Counts a connection by address before its authentication, and by user after it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = 0
        self._by_user: Counter[str] = Counter()
        self._by_network: Counter[str] = Counter()

    @contextmanager
    def address(self, address: str) -> Iterator[None]:
        """Count a connection for the network of its address; raise `Refused` (`too_many_connections`) at the limit."""
        if 0 < self._limits.connections <= self._total:
            raise _too_many_connections()
        self._total += 1
        try:
            with _counted(self._by_network, network_of(address), self._limits.connections_per_address):
                yield
        finally:
            self._total -= 1

    def user(self, user_id: str) -> AbstractContextManager[None]:
        """Count a connection for its user; raise `Refused` (`too_many_connections`) at the limit."""
        return _counted(self._by_user, user_id, self._limits.connections_per_user)


def _counted(counter: Counter[str], key: str, most: int) -> AbstractContextManager[None]:
    if 0 < most <= counter[key]:
        raise _too_many_connections()
    return counted(counter, key)


def _too_many_connections() -> Refused:
    return Refused("too_many_connections", "There are too many connections.", retry_after=RETRY_SECONDS)
