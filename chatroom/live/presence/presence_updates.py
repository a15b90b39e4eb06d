"""People who come, leave and type in the rooms of one process: sent to readers, and published to other processes."""

from collections.abc import Awaitable, Callable
from typing import Any

from chatroom.base.clock import Clock
from chatroom.base.models import Person, Room
from chatroom.live.presence import typing
from chatroom.live.presence.presence_leases import PresenceLeases
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.rooms import LiveRoom, LiveRooms


class PresenceUpdates:
    """Called on the event loop; `keep` and `keep_typing` once a second."""

    def __init__(
        self,
        rooms: LiveRooms,
        store: PresenceStore,
        run: Callable[..., Awaitable[Any]],
        *,
        renew_ticks: int,
        clock: Clock,
    ) -> None:
        self._rooms = rooms
        self._store = store
        self._run = run
        self._clock = clock
        self._leases = PresenceLeases(store, run, renew_ticks=renew_ticks)

    def enter(self, live: LiveRoom, person: Person) -> None:
        """Count a person's connection in."""
        if live.presence.enter(person):
            self._leases.take(live.room.id, person)

    def leave(self, live: LiveRoom, person: Person) -> None:
        """Count a person's connection out."""
        if live.presence.leave(person):
            self._leases.end(live.room.id, person)

    def update(self, live: LiveRoom, person: Person) -> None:
        """Update a present person, such as after a new name."""
        if live.presence.update(person):
            self._leases.take(live.room.id, person)

    def type(self, room: Room, person: Person) -> None:
        """Show that somebody writes in a room; nothing happens where nobody looks."""
        live = self._rooms.find(room.id)
        if live is not None:
            live.typing.type(person, self._clock())

    async def keep(self, tick: int) -> None:
        """Renew the leases of who is here, and show who is in each room."""
        try:
            watched = {live.room.id: live.presence for live in self._rooms if live.presence.is_watched}
            await self._leases.keep(tick, watched)
        finally:
            for live in self._rooms:
                if not live.presence.is_watched:
                    live.presence.forget()
                elif live.presence.publish():
                    live.tail.wake()

    async def keep_typing(self, tick: int) -> None:
        """Publish who types in this process, and send who types in each room."""
        watched = [live for live in self._rooms if live.presence.is_watched]
        try:
            rooms = {live.room.id: live.typing for live in watched}
            await typing.keep(self._store, self._run, rooms, tick, self._clock())
        finally:
            for live in watched:
                if live.typing.publish(self._clock()):
                    live.tail.wake()

    async def give_back(self) -> None:
        """End every lease: the process stops."""
        await self._leases.give_back()
