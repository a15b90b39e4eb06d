"""Publish who is present in this process as leases in the database, and read the leases of others.

Leases are written at most once a second, however many people come and go in between.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.base.models import Person
from chatroom.live.presence.presence import Presence
from chatroom.live.presence.presences_store import PresenceStore

ELSEWHERE_TICKS = 3
"""The others' leases are read this often."""

Run = Callable[..., Awaitable[Any]]


class PresenceLeases:
    """This process's leases, one for each person in each room."""

    def __init__(self, store: PresenceStore, run: Run, *, renew_ticks: int) -> None:
        self._store = store
        self._run = run
        self._renew_ticks = renew_ticks
        self._taken: dict[tuple[str, str], Person] = {}
        self._ended: set[tuple[str, str]] = set()

    def take(self, room_id: str, person: Person) -> None:
        """Note that a person came."""
        self._ended.discard((room_id, person.id))
        self._taken[room_id, person.id] = person

    def end(self, room_id: str, person: Person) -> None:
        """Note that a person left."""
        self._taken.pop((room_id, person.id), None)
        self._ended.add((room_id, person.id))

    async def keep(self, tick: int, rooms: Mapping[str, Presence]) -> None:
        """Write what was noted, prolong what lasts, and see who is elsewhere; raise `Unavailable`, and lose nothing."""
        taken, self._taken = self._taken, {}
        ended, self._ended = self._ended, set()
        try:
            await self._run(self._store.end, ended)
            await self._run(self._store.take, [(room_id, person) for (room_id, _), person in taken.items()])
        except Unavailable:
            # Who left meanwhile must not be taken in again: nobody would ever end that lease.
            missing = {key: person for key, person in taken.items() if key not in self._ended}
            self._taken = missing | self._taken
            self._ended |= ended - set(self._taken)
            raise
        if rooms and tick % self._renew_ticks == 0:
            await self._renew(rooms)
        if rooms and tick % ELSEWHERE_TICKS == 0:
            for room_id, people in (await self._run(self._store.elsewhere, list(rooms))).items():
                rooms[room_id].see_elsewhere(people)

    async def give_back(self) -> None:
        """End every lease: the process stops."""
        await self._run(self._store.end_all)

    async def _renew(self, rooms: Mapping[str, Presence]) -> None:
        leases = [(room_id, person) for room_id, presence in rooms.items() for person in presence.local()]
        if await self._run(self._store.renew) < len(leases):
            # Some ran out while this process slept, or were lost with a primary.
            await self._run(self._store.take, leases)
