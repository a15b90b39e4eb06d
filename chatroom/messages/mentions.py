"""Find the mentions in a text: `@username` mentions a member, and `@room` by a moderator mentions everybody.

The database is queried before a draft is queued, and only if the text contains an `@`.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from chatroom.base.access import Access
from chatroom.base.models import Message, Person, Room
from chatroom.messages.markdown.rendering import names_in
from chatroom.names import fold

MOST = 20
MOST_NAMES = 200
"""A word without spaces, such as Chinese, can begin with many names."""
EVERYBODY = Person(id="room", username="room", name="room")
KEPT_SECONDS = 15.0
MOST_KEPT = 10_000
NOTIFIED_FOR = timedelta(days=1)
"""An edit of an older message notifies nobody."""
MOST_NOTIFIED = 200
"""The edits of one message notify at most so many people."""

FindPeople = Callable[[Room, Collection[str]], list[Person]]
"""A function that finds the people with these folded user names who can read the room."""


def mentions_after(message: Message, people: Sequence[Person], now: datetime) -> dict[str, list[str]]:
    """Return the changed fields for the people whom an edited text mentions. A message notifies nobody twice."""
    mentions = [person.id for person in people]
    if mentions == list(message.mentions) and not message.new_mentions:
        return {}
    past = list(dict.fromkeys((*message.past_mentions, *message.new_mentions, *message.mentions)))[:MOST_NOTIFIED]
    may_notify = now - message.sent_at <= NOTIFIED_FOR and len(past) < MOST_NOTIFIED and EVERYBODY.id not in past
    new = [each for each in mentions if may_notify and each not in past and each != message.author.id]
    return {"mentions": mentions, "new_mentions": new, "past_mentions": past}


class Mentions:
    """Find the people whom a text mentions. Results are cached for 15 seconds."""

    def __init__(self, find_people: FindPeople, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find_people = find_people
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Person | None]] = {}

    def find(self, access: Access, text: str) -> tuple[Person, ...]:
        """Return the first 20 people that the text mentions outside code and links."""
        if "@" not in text:
            return ()
        words = [[fold(name) for name in possible] for possible in names_in(text)]
        names = list(dict.fromkeys(name for possible in words for name in possible))[:MOST_NAMES]
        found = self._look_up(access.room, [name for name in names if name != EVERYBODY.id])
        if access.may_moderate:
            found[EVERYBODY.id] = EVERYBODY
        longest = (next((found[name] for name in possible if name in found), None) for possible in words)
        return tuple(dict.fromkeys(person for person in longest if person))[:MOST]

    def _look_up(self, room: Room, names: Sequence[str]) -> dict[str, Person]:
        now = self._clock()
        kept = {name: known for name in names if (known := self._kept.get((room.id, name))) and known[0] > now}
        unknown = [name for name in names if name not in kept]
        if unknown:
            found = {fold(person.username): person for person in self._find_people(room, unknown)}
            if len(self._kept) + len(unknown) > MOST_KEPT:
                self._kept.clear()
            for name in unknown:
                kept[name] = self._kept[room.id, name] = (now + KEPT_SECONDS, found.get(name))
        return {name: person for name, (_, person) in kept.items() if person}
