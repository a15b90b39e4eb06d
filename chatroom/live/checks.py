"""Compare the cached sessions and rights of connections with the database: sessions every second, rights every minute.

A revoked right ends within two minutes, even if a notice is lost.
"""

import asyncio
import math
import zlib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Unavailable
from chatroom.base.threads import RunInThread
from chatroom.live.connections import Connection, Connections, shut_out
from chatroom.rooms.current_rights_store import Now

PROLONG_TICKS = 20
START_OVERLAP = timedelta(hours=1)  # this process's clock may be ahead of the database's clock
OVERLAP = timedelta(seconds=10)
ROUND_TICKS = 60
"""The length of a round in seconds. A round checks every user who was connected at its start."""

ReadRights = Callable[[Collection[str], Collection[str], Collection[str]], Now]
"""A function that takes user ids, room ids and session ids, and reads their current state. Called in a thread."""


class EndedSessions:
    """Read which sessions ended recently, in any process."""

    def __init__(self, ended_since: Callable[[datetime], list[tuple[str, datetime]]]) -> None:
        self._ended_since = ended_since
        self._moment = utc_now() - START_OVERLAP

    def __call__(self) -> set[str]:
        """The ids of recently ended sessions. Two calls may return the same id."""
        found = self._ended_since(self._moment)
        if found:
            self._moment = max(self._moment, found[-1][1] - OVERLAP)
        return {session_id for session_id, _ in found}


class SessionEnd:
    """Ends connections whose session has ended, with the reason if the user may not log in again.

    `find_exclusion` takes a user id and returns this reason. It is called in a thread.
    """

    def __init__(self, run: RunInThread, find_exclusion: Callable[[str], str | None]) -> None:
        self._run = run
        self._find_exclusion = find_exclusion

    async def __call__(self, connections: Collection[Connection]) -> None:
        """End these connections. If the database does not answer, end them without the reason."""
        reasons: dict[str, str | None] = {}
        for user_id in {connection.user_id for connection in connections}:
            with suppress(Unavailable):
                reasons[user_id] = await self._run(self._find_exclusion, user_id)
        for connection in connections:
            if reason := reasons.get(connection.user_id):
                shut_out(connection, reason)
            else:
                connection.end(4401, "the session ended")


class SessionCheck:
    """End the connections of ended sessions, and prolong the sessions of active users.

    `ended` returns the ids of ended sessions. `prolong` takes a session id and `is_active`, and prolongs an active
    session. It returns the session's expiry, or None if the session has ended. Both are called in a thread.
    """

    def __init__(
        self,
        connections: Connections,
        run: RunInThread,
        end: SessionEnd,
        *,
        ended: Callable[[], set[str]],
        prolong: Callable[..., datetime | None],
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._run = run
        self._end = end
        self._ended = ended
        self._prolong = prolong
        self._clock = clock

    async def take(self, tick: int) -> None:
        """End the connections of ended sessions. Look up expired sessions, and active sessions whose turn it is."""
        if not self._connections:
            return
        ended = await self._run(self._ended)
        now = self._clock()
        due: dict[str, list[Connection]] = {}
        over: list[Connection] = []
        for connection in self._connections:
            if connection.session_id in ended:
                over.append(connection)
            elif connection.expires_at <= now or (connection.was_active and _is_turn_of(connection.session_id, tick)):
                due.setdefault(connection.session_id, []).append(connection)
        await self._end(over)
        await asyncio.gather(*(self._look_up(*each) for each in due.items()))

    async def _look_up(self, session_id: str, connections: Sequence[Connection]) -> None:
        """Prolong a session if it is active, and read its expiry. If the session has ended, end its connections."""
        is_active = any(connection.was_active for connection in connections)
        expires_at: datetime | None = await self._run(partial(self._prolong, session_id, is_active=is_active))
        if expires_at is None:
            await self._end(connections)
            return
        for connection in connections:
            connection.prolong(expires_at)


def _is_turn_of(session_id: str, tick: int) -> bool:
    """Whether a session may be prolonged at this tick. Each session has its turn every `PROLONG_TICKS` ticks."""
    return zlib.crc32(session_id.encode()) % PROLONG_TICKS == tick % PROLONG_TICKS


class RightsCheck:
    """Check the cached rights of all connections once a minute: in each second, those of some users."""

    def __init__(self, connections: Connections, run: RunInThread, end: SessionEnd, read: ReadRights) -> None:
        self._connections = connections
        self._run = run
        self._end = end
        self._read = read
        self._waiting: list[str] = []
        self._share = 0

    async def take(self, tick: int) -> None:
        """Check the users whose turn it is."""
        if tick % ROUND_TICKS == 1:
            self._waiting = self._connections.user_ids()
            self._share = math.ceil(len(self._waiting) / ROUND_TICKS)
        now, self._waiting = self._waiting[: self._share], self._waiting[self._share :]
        connections = [connection for user_id in now for connection in self._connections.of(user_id)]
        if connections:
            await self._check(connections)

    async def _check(self, connections: Sequence[Connection]) -> None:
        users = {connection.user_id for connection in connections}
        sessions = {connection.session_id for connection in connections}
        rooms = {access.room.id for connection in connections for access in connection.accesses()}
        now: Now = await self._run(self._read, users, rooms, sessions)
        # Each session in this list was in the query, so a missing session has ended.
        await self._end([connection for connection in connections if connection.session_id not in now.sessions])
        for connection in connections:
            for access in connection.accesses():
                if not now.allows(access):
                    connection.forget_access(access.room.id)
                elif (room := now.changed_room(access.room)) is not None:
                    connection.see_room(room)
