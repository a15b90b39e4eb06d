"""The people in a room, from the connections of this process and the leases of other processes.

The list of people has a version. A reader that has missed a version gets the whole list, instead of the changes.
"""

from collections import Counter
from collections.abc import Iterable

from chatroom.base.models import Person
from chatroom.live import protocol


class Presence:
    """The people of one room."""

    def __init__(self, slug: str) -> None:
        self.version = 0
        self._slug = slug
        self._connections: Counter[str] = Counter()
        self._people: dict[str, Person] = {}
        self._elsewhere: dict[str, Person] = {}
        self._shown: dict[str, Person] = {}
        self._last_change = b""
        self._whole = b""

    def enter(self, person: Person) -> bool:
        """Count a connection. Return True if no other connection in this process shows the person in this room."""
        self._connections[person.id] += 1
        self._people[person.id] = person
        return self._connections[person.id] == 1

    def leave(self, person: Person) -> bool:
        """Remove a connection. Return True if no other connection in this process shows the person in this room."""
        self._connections[person.id] -= 1
        if self._connections[person.id] > 0:
            return False
        del self._connections[person.id]
        del self._people[person.id]
        return True

    def update(self, person: Person) -> bool:
        """Update the name and picture of a person who is connected to this process. Return False if nothing changed."""
        if self._people.get(person.id, person) == person:
            return False
        self._people[person.id] = person
        return True

    @property
    def is_watched(self) -> bool:
        """Whether a connection of this process receives the presence of the room."""
        return bool(self._connections)

    def see_elsewhere(self, people: Iterable[Person]) -> None:
        """Replace the list of people who are connected to other processes."""
        self._elsewhere = {person.id: person for person in people}

    def publish(self) -> bool:
        """Make a new version with the changes since the previous call. Return False if nothing changed."""
        people = self._elsewhere | self._people
        if people == self._shown and self.version:
            return False
        came = [person for id, person in people.items() if self._shown.get(id) != person]
        left = [id for id in self._shown if id not in people]
        self._shown = people
        self.version += 1
        self._last_change = protocol.presence_changed(self._slug, came, left)
        self._whole = b""
        return True

    def forget(self) -> None:
        """Drop the versions while the room has no readers. The next reader gets the whole list."""
        self._shown = {}
        self._whole = b""
        self.version = 0

    def frame(self, seen: int) -> bytes:
        """The frame for a reader that has seen version `seen` (0: no version)."""
        if seen and seen == self.version - 1:
            return self._last_change
        if not self._whole:
            people = sorted(self._shown.values(), key=lambda person: person.name.casefold())
            self._whole = protocol.here(self._slug, people)
        return self._whole

    def local(self) -> list[Person]:
        """The people with a connection to this process."""
        return list(self._people.values())
