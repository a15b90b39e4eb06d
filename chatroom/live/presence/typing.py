"""Who is typing in a room, as one process sees it: its own people, and those in the leases of others.

Sent at most once a second, with a few names at most: a crowd costs no more than two people.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chatroom.base.models import Person
from chatroom.live import protocol
from chatroom.live.presence.presences_store import PresenceStore

LASTS = timedelta(seconds=6)
MOST_SHOWN = 4
"""Beyond three, a reader is told that it is several people."""
ELSEWHERE_TICKS = 2
"""How often the other processes' people are looked at, while somebody here is in the room."""


class TypingPeople:
    """The people who are writing in one room."""

    def __init__(self, slug: str) -> None:
        self.version = 0
        """0 while nobody writes, so that who comes is told nothing."""
        self._slug = slug
        self._typed: dict[str, tuple[Person, datetime]] = {}
        self._said: dict[str, datetime] = {}
        self._fresh: set[str] = set()
        self._shown: list[Person] = []
        self._count = 0
        self._frame = b""

    def type(self, person: Person, at: datetime) -> None:
        """Note that somebody here writes."""
        self._fresh.add(person.id)
        self.see(person, at)

    def see(self, person: Person, at: datetime) -> None:
        """Note that somebody, here or elsewhere, wrote at that time."""
        said_at, (_, typed_at) = self._said.get(person.id), self._typed.get(person.id, (person, at))
        if said_at is None or at > said_at:
            self._typed[person.id] = (person, max(at, typed_at))

    def stop(self, user_id: str, at: datetime) -> None:
        """Note that somebody has said it: what they typed before counts no more."""
        self._said[user_id] = at
        self._typed.pop(user_id, None)
        self._fresh.discard(user_id)

    def take_fresh(self) -> set[str]:
        """Who here has typed since this was asked last, and has not said it."""
        fresh, self._fresh = self._fresh, set()
        return fresh

    def publish(self, now: datetime) -> bool:
        """Make what changed since the last time the next version; False when nothing did."""
        self._typed = {id: (person, at) for id, (person, at) in self._typed.items() if at > now - LASTS}
        self._said = {id: at for id, at in self._said.items() if at > now - LASTS}
        shown = [person for person, _ in self._typed.values()][:MOST_SHOWN]
        if shown == self._shown:
            return False
        self._shown = shown
        self._count += 1
        self.version = self._count if shown else 0
        self._frame = protocol.typing(self._slug, shown)
        return True

    def frame(self, _: int) -> bytes:
        """The frame for a reader, independent of their version."""
        return self._frame


async def keep(
    store: PresenceStore,
    run: Callable[..., Awaitable[Any]],
    rooms: Mapping[str, TypingPeople],
    tick: int,
    now: datetime,
) -> None:
    """Exchange with other processes who is typing."""
    fresh = [(room_id, user_id) for room_id, typing in rooms.items() for user_id in typing.take_fresh()]
    if fresh:
        await run(store.mark_typing, fresh, now)
    if rooms and tick % ELSEWHERE_TICKS == 0:
        _see(rooms, await run(store.typing_elsewhere, list(rooms), LASTS))


def _see(rooms: Mapping[str, TypingPeople], found: Iterable[tuple[str, Person, datetime]]) -> None:
    for room_id, person, at in found:
        rooms[room_id].see(person, at)
