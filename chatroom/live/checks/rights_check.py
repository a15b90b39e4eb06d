"""Read the rights of all connections again, whether or not a notice announced a change.

Each minute covers everybody once: some people each second, in one query.
"""

import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from chatroom.live.connections import Connection, Connections
from chatroom.rooms.current_rights import Now

ROUND_TICKS = 60
"""Seconds in which everybody has a turn; who comes just after a round began waits for the next: two minutes at most."""

ReadRights = Callable[[Collection[str], Collection[str], Collection[str]], Now]
"""Given the ids of users, rooms and sessions; called in a thread."""


class SecondLook:
    """One process's."""

    def __init__(self, connections: Connections, run: Callable[..., Awaitable[Any]], read: ReadRights) -> None:
        self._connections = connections
        self._run = run
        self._read = read
        self._waiting: list[str] = []
        self._share = 0

    async def take(self, tick: int) -> None:
        """Look again at those whose turn it is."""
        if tick % ROUND_TICKS == 1:
            self._waiting = self._connections.user_ids()
            self._share = math.ceil(len(self._waiting) / ROUND_TICKS)
        now, self._waiting = self._waiting[: self._share], self._waiting[self._share :]
        connections = [connection for user_id in now for connection in self._connections.of(user_id)]
        if connections:
            await self._look_at(connections)

    async def _look_at(self, connections: Sequence[Connection]) -> None:
        users = {connection.user_id for connection in connections}
        sessions = {connection.session_id for connection in connections}
        rooms = {access.room.id for connection in connections for access in connection.accesses()}
        now: Now = await self._run(self._read, users, rooms, sessions)
        for connection in connections:
            # Not one that came meanwhile under the same name: its session was not asked for.
            if connection.session_id not in now.sessions:
                connection.end(4401, "the session ended")
            else:
                _correct(connection, now)


def _correct(connection: Connection, now: Now) -> None:
    for access in connection.accesses():
        if not now.allows(access):
            connection.forget_access(access.room.id)
        elif (room := now.changed_room(access.room)) is not None:
            connection.see_room(room)
