"""Cache the rights of one user in each room.

Notices remove outdated rights from the cache. `chatroom.live.checks` compares the cache with the database.
"""

from collections.abc import Awaitable, Callable, Iterator

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Room
from chatroom.live.sockets.visitor import Visitor


class Accesses:
    """The cached rights of one connection. `ask` looks up the rights in a room. `put` calls `when_learned`."""

    __slots__ = "_ask", "_grant", "_known", "_when_learned", "author", "forgotten", "person"

    def __init__(
        self, visitor: Visitor, ask: Callable[[str], Awaitable[Access]], when_learned: Callable[[], None]
    ) -> None:
        self._ask = ask
        self._when_learned = when_learned
        self._grant = visitor.grant
        self._known: dict[str, Access] = {}
        self.person = visitor.person
        """The current public data of the user."""
        self.author = visitor.person.author
        self.forgotten = 0
        """The number of calls of `forget`. If it grows during `ask`, the result of `ask` is not cached."""

    def __contains__(self, slug: str) -> bool:
        return slug in self._known

    def __iter__(self) -> Iterator[Access]:
        """Iterate over a copy, because `forget` may be called during the iteration."""
        return iter(list(self._known.values()))

    async def get(self, slug: str) -> Access:
        """The rights in a room. Raises the errors that `ask` raises."""
        while (access := self._known.get(slug)) is None:
            forgotten = self.forgotten
            found = await self._ask(slug)
            if forgotten == self.forgotten:
                self.put(slug, found)
        return access

    def put(self, slug: str, access: Access) -> None:
        """Cache rights that were just read, restricted to the scopes of the user's token."""
        if access.person.name and access.person != self.person:
            self.person, self.author = access.person, access.person.author
        self._when_learned()
        self._known[slug] = self._grant.narrow(access)

    def see(self, room: Room) -> None:
        """Replace a cached room by its current state."""
        for slug, access in self._known.items():  # a direct conversation may be cached under two slugs
            if access.room.id == room.id:
                self._known[slug] = msgspec.structs.replace(access, room=room)

    def forget(self, room_id: str | None) -> None:
        """Forget the cached rights in one room, or in all rooms (None)."""
        self.forgotten += 1
        if room_id is None:
            self._known.clear()
        for slug in [slug for slug, access in self._known.items() if access.room.id == room_id]:
            del self._known[slug]
