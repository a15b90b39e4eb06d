"""The people who are typing in a room, through this process and through other processes.

The server sends a frame at most once a second. A frame has at most four names, even if more people are typing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chatroom.base.models import Person
from chatroom.live import protocol

LASTS = timedelta(seconds=6)
MOST_SHOWN = 4
"""The maximum number of names in a frame. For more than three, clients show only that several people are typing."""


class TypingPeople:
    """The people who are typing in one room."""

    def __init__(self, slug: str) -> None:
        self.version = 0
        """0 while nobody types, so that a new reader gets no frame."""
        self._slug = slug
        self._typed: dict[str, tuple[Person, datetime]] = {}
        self._elsewhere: dict[str, tuple[Person, datetime]] = {}
        self._said: dict[str, datetime] = {}
        self._fresh: dict[str, bool] = {}
        self._shown: list[Person] = []
        self._count = 0
        self._frame = b""

    def type(self, person: Person, at: datetime) -> None:
        """Note that a person types in this process."""
        self._fresh[person.id] = True
        self._typed[person.id] = (person, at)

    def rest(self, user_id: str, at: datetime) -> None:
        """Note that a person has stopped typing in this process, without a post."""
        self.stop(user_id, at)
        self._fresh[user_id] = False

    def see_elsewhere(self, typed: Iterable[tuple[Person, datetime]]) -> None:
        """Replace the people who type in other processes. The second value is the time at which they typed."""
        self._elsewhere = {person.id: (person, at) for person, at in typed}

    def stop(self, user_id: str, at: datetime) -> None:
        """Note that a user has posted. Typing before the post no longer counts."""
        self._said[user_id] = at
        self._typed.pop(user_id, None)
        self._fresh.pop(user_id, None)

    def take_fresh(self) -> dict[str, bool]:
        """For each user who typed (True) or stopped (False) in this process since the previous call, what came last.

        Users who have posted after typing are missing: other processes learn of the post.
        """
        fresh, self._fresh = self._fresh, {}
        return fresh

    def publish(self, now: datetime) -> bool:
        """Make a new version with the changes since the previous call. Return False if nothing changed."""
        self._typed = {id: (person, at) for id, (person, at) in self._typed.items() if at > now - LASTS}
        self._said = {id: at for id, at in self._said.items() if at > now - LASTS}
        elsewhere = {id: (person, at) for id, (person, at) in self._elsewhere.items() if self._counts(id, at, now)}
        shown = [person for person, _ in (self._typed | elsewhere).values()][:MOST_SHOWN]
        if shown == self._shown:
            return False
        self._shown = shown
        self._count += 1
        self.version = self._count if shown else 0
        self._frame = protocol.typing(self._slug, shown)
        return True

    def frame(self, _: int) -> bytes:
        """The frame for a reader. It does not depend on the version that the reader has seen."""
        return self._frame

    def _counts(self, user_id: str, at: datetime, now: datetime) -> bool:
        return at > now - LASTS and at > self._said.get(user_id, now - LASTS)
