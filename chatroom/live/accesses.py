"""What one visitor may do, room by room: asked for once, and again when it may have changed.

Whether it has is told by notices, and looked at besides (`chatroom.live.rights_check`).
"""

from collections.abc import Awaitable, Callable, Iterator

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Room


class Accesses:
    """One connection's. `ask` looks one up; `learn` is told of each, and returns it as the visitor has it."""

    __slots__ = "_ask", "_known", "_learn", "forgotten"

    def __init__(self, ask: Callable[[str], Awaitable[Access]], learn: Callable[[Access], Access]) -> None:
        self._ask = ask
        self._learn = learn
        self._known: dict[str, Access] = {}
        self.forgotten = 0
        """How often some were forgotten: what was asked for before is not remembered after."""

    def __contains__(self, slug: str) -> bool:
        return slug in self._known

    def __iter__(self) -> Iterator[Access]:
        """Go through what is remembered as it is now, whatever is forgotten meanwhile."""
        return iter(list(self._known.values()))

    async def get(self, slug: str) -> Access:
        """What may be done in a room; raises what `ask` does."""
        while (access := self._known.get(slug)) is None:
            forgotten = self.forgotten
            found = await self._ask(slug)
            if forgotten == self.forgotten:
                self.put(slug, found)
        return access

    def put(self, slug: str, access: Access) -> None:
        """Remember what was just found."""
        self._known[slug] = self._learn(access)

    def see(self, room: Room) -> None:
        """Remember a room as it is now."""
        for slug, access in self._known.items():  # a direct room may be known by its former address too
            if access.room.id == room.id:
                self._known[slug] = msgspec.structs.replace(access, room=room)

    def forget(self, room_id: str | None) -> None:
        """Ask anew, for a room or for all."""
        self.forgotten += 1
        if room_id is None:
            self._known.clear()
        for slug in [slug for slug, access in self._known.items() if access.room.id == room_id]:
            del self._known[slug]
