"""Send changes of presence and typing to the readers of this process, and publish them to other processes.

Other processes read the leases in the database. Leases are written at most once a second.
"""

from collections.abc import Mapping

from chatroom.base.clock import Clock
from chatroom.base.errors import Unavailable
from chatroom.base.models import Person, Room
from chatroom.base.threads import RunInThread
from chatroom.live.presence import typing
from chatroom.live.presence.presence import Presence
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.rooms import LiveRoom, LiveRooms

ELSEWHERE_TICKS, TYPING_TICKS = 3, 2
"""The ticks between two reads of the leases of other processes: for presence, and for typing."""


class PresenceUpdates:
    """All methods are called on the event loop. `keep` and `keep_typing` are called once a second."""

    def __init__(
        self, rooms: LiveRooms, store: PresenceStore, run: RunInThread, *, renew_ticks: int, clock: Clock
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._run = run
        self._renew_ticks = renew_ticks
        self._clock = clock
        self._taken: dict[tuple[str, str], Person] = {}
        """The leases to write at the next tick, by room and user."""
        self._ended: set[tuple[str, str]] = set()

    def enter(self, live: LiveRoom, person: Person) -> None:
        """Count a connection of a person."""
        if live.presence.enter(person):
            self._take(live, person)

    def leave(self, live: LiveRoom, person: Person) -> None:
        """Remove a connection of a person."""
        if live.presence.leave(person):
            self._taken.pop((live.room.id, person.id), None)
            self._ended.add((live.room.id, person.id))
            live.typing.stop(person.id, self._clock())

    def update(self, live: LiveRoom, person: Person) -> None:
        """Update the name and picture of a present person."""
        if live.presence.update(person):
            self._take(live, person)

    def type(self, room: Room, person: Person, *, is_typing: bool) -> None:
        """Show that a person types in a room or has stopped, if the room has followers in this process."""
        live = self._rooms.find(room.id)
        if live is not None and is_typing:
            live.typing.type(person, self._clock())
        elif live is not None:
            live.typing.rest(person.id, self._clock())

    async def keep(self, tick: int) -> None:
        """Write and renew the leases of this process, and send each room's presence to its readers."""
        try:
            watched = {live.room.id: live.presence for live in self._rooms if live.presence.is_watched}
            await self._write()
            if watched and tick % self._renew_ticks == 0:
                await self._renew(watched)
            if watched and tick % ELSEWHERE_TICKS == 0:
                for room_id, people in (await self._run(self._store.elsewhere, list(watched))).items():
                    watched[room_id].see_elsewhere(people)
        finally:
            for live in self._rooms:
                if not live.presence.is_watched:
                    live.presence.forget()
                elif live.presence.publish():
                    live.tail.wake()

    async def keep_typing(self, tick: int) -> None:
        """Publish the people who type in this process, and send each room's typing people to its readers."""
        watched = {live.room.id: live for live in self._rooms if live.presence.is_watched}
        try:
            fresh: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
            for room_id, live in watched.items():
                for user_id, is_typing in live.typing.take_fresh().items():
                    fresh[is_typing].append((room_id, user_id))
            for is_typing, people in fresh.items():
                if people:
                    await self._run(self._store.mark_typing, people, self._clock() if is_typing else None)
            if watched and tick % TYPING_TICKS == 0:
                found = await self._run(self._store.typing_elsewhere, list(watched), typing.LASTS)
                for room_id, live in watched.items():
                    live.typing.see_elsewhere(found[room_id])
        finally:
            for live in watched.values():
                if live.typing.publish(self._clock()):
                    live.tail.wake()

    async def give_back(self) -> None:
        """End all leases when the process stops."""
        await self._run(self._store.end_all)

    def _take(self, live: LiveRoom, person: Person) -> None:
        self._ended.discard((live.room.id, person.id))
        self._taken[live.room.id, person.id] = person

    async def _write(self) -> None:
        """Write the leases that changed since the previous call. After `Unavailable`, write them at the next call."""
        taken, self._taken = self._taken, {}
        ended, self._ended = self._ended, set()
        try:
            await self._run(self._store.end, ended)
            await self._run(self._store.take, [(room_id, person) for (room_id, _), person in taken.items()])
        except Unavailable:
            # Do not write a lease for a person who has left meanwhile, because nothing would end this lease.
            missing = {key: person for key, person in taken.items() if key not in self._ended}
            self._taken = missing | self._taken
            self._ended |= ended - set(self._taken)
            raise

    async def _renew(self, rooms: Mapping[str, Presence]) -> None:
        leases = [(room_id, person) for room_id, presence in rooms.items() for person in presence.local()]
        if await self._run(self._store.renew) < len(leases):
            # Some leases expired while this process was suspended, or were lost with a failed primary.
            await self._run(self._store.take, leases)
