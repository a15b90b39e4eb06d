"""End the connections of sessions that ended in any process, and read until when the others are valid."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from chatroom.base.clock import Clock
from chatroom.live.connections import Connection, Connections

PROLONG_TICKS = 20
START_OVERLAP = timedelta(hours=1)  # between this process's clock and the database's
OVERLAP = timedelta(seconds=10)


class ProlongSession(Protocol):
    """When a session expires, prolonged if its holder was active; None if it has ended."""

    def __call__(self, session_id: str, *, is_active: bool) -> datetime | None: ...


class EndedSessions:
    """Sessions that ended recently, in any process."""

    def __init__(self, ended_since: Callable[[datetime], list[tuple[str, datetime]]]) -> None:
        self._ended_since = ended_since
        self._moment = datetime.now(UTC) - START_OVERLAP

    def __call__(self) -> set[str]:
        """The ids; the last ones come again and again, since ends do not become visible in order."""
        found = self._ended_since(self._moment)
        if found:
            self._moment = max(self._moment, found[-1][1] - OVERLAP)
        return {session_id for session_id, _ in found}


class SessionCheck:
    """One process's. `ended` and `prolong` are called in a thread."""

    def __init__(
        self,
        connections: Connections,
        run: Callable[..., Awaitable[Any]],
        *,
        ended: Callable[[], set[str]],
        prolong: ProlongSession,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._run = run
        self._ended = ended
        self._prolong = prolong
        self._clock = clock

    async def take(self, tick: int) -> None:
        """End the connections of sessions that ended, and look up those that are due."""
        if not self._connections:
            return
        ended = await self._run(self._ended)
        now = self._clock()
        due: dict[str, list[Connection]] = {}
        for connection in self._connections:
            if connection.session_id in ended:
                connection.end(4401, "the session ended")
            elif connection.expires_at <= now or (connection.was_active and _is_turn_of(connection.session_id, tick)):
                due.setdefault(connection.session_id, []).append(connection)
        await asyncio.gather(*(self._look_up(*each) for each in due.items()))

    async def _look_up(self, session_id: str, connections: Sequence[Connection]) -> None:
        """End connections whose time is up, unless another tab has prolonged the session, or a post on one of them."""
        is_active = any(connection.was_active for connection in connections)
        expires_at: datetime | None = await self._run(partial(self._prolong, session_id, is_active=is_active))
        for connection in connections:
            if expires_at is None:
                connection.end(4401, "the session ended")
            else:
                connection.prolong(expires_at)


def _is_turn_of(session_id: str, tick: int) -> bool:
    """Whether a session is prolonged at this tick: each has its own, so that not everybody's come at once."""
    return zlib.crc32(session_id.encode()) % PROLONG_TICKS == tick % PROLONG_TICKS
