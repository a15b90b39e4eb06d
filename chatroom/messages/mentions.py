"""Find the mentions in a text: `@username` mentions a member, `@room` everybody, and `@here` who is in the room now.

The database is queried before a draft is queued, and only if the text contains an `@`.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Message, Person, Room
from chatroom.messages.markdown.rendering import names_in
from chatroom.names import fold

MOST = 20
MOST_NAMES = 200
"""A word without spaces, such as Chinese, can begin with many names."""
EVERYBODY = Person(id="room", username="room", name="room")
HERE = Person(id="here", username="here", name="here")
"""The message also mentions the people who are there, each by id: `@here` reaches nobody who comes later."""
GROUPS = {group.id: group for group in (EVERYBODY, HERE)}
MOST_HERE = 100
"""With more people in the room, `@here` notifies nobody: the message would carry all their ids."""
KEPT_SECONDS = 15.0
MOST_KEPT = 10_000
NOTIFIED_FOR = timedelta(days=1)
"""An edit of an older message notifies nobody."""
MOST_NOTIFIED = 200
"""The edits of one message notify at most so many people."""


class Addressee(msgspec.Struct, frozen=True):
    """Somebody who is mentioned in a room, a member or not. A moderator may add those who `may_be_added`."""

    person: Person
    is_in: bool = True
    may_be_added: bool = False


class Unreached(msgspec.Struct, frozen=True, omit_defaults=True):
    """A mention that reaches nobody: the name after the `@`, and the sentence that its author reads.

    `may_add` says whether the author may add this person to the room.
    """

    name: str
    message: str
    may_add: bool = False


FindPeople = Callable[[Room, Collection[str]], list[Addressee]]
"""A function that finds the people with these folded user names, in the room or not."""


def mentions_after(message: Message, people: Sequence[Person], now: datetime) -> dict[str, list[str]]:
    """Return the changed fields for the people whom an edited text mentions. A message notifies nobody twice."""
    mentions = _keep_here(message, [person.id for person in people])
    if mentions == list(message.mentions) and not message.new_mentions:
        return {}
    past = list(dict.fromkeys((*message.past_mentions, *message.new_mentions, *message.mentions)))[:MOST_NOTIFIED]
    may_notify = now - message.sent_at <= NOTIFIED_FOR and len(past) < MOST_NOTIFIED and EVERYBODY.id not in past
    new = [each for each in mentions if may_notify and each not in past and each != message.author.id]
    return {"mentions": mentions, "new_mentions": new, "past_mentions": past}


def _keep_here(message: Message, mentions: list[str]) -> list[str]:
    """Return the mentions of an edited text. If the earlier text has `@here`, the people whom it reached stay."""
    if HERE.id not in mentions or HERE.id not in message.mentions:
        return mentions
    before = message.mentions[message.mentions.index(HERE.id) :]
    named = mentions[: mentions.index(HERE.id)]
    return [*named, *(each for each in before if each not in named)]


class Mentions:
    """Find the people whom a text mentions. Results are cached for 15 seconds."""

    def __init__(
        self,
        find_people: FindPeople,
        find_here: Callable[[str], Sequence[Person]] = lambda _room_id: (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_people = find_people
        self._find_here = find_here
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Addressee | None]] = {}

    def find(self, access: Access, text: str) -> tuple[Person, ...]:
        """Return the first 20 people whom the text mentions outside code and links, and who can read the room.

        The people whom `@here` mentions follow `HERE`, which is last of the 20.
        """
        if "@" not in text:
            return ()
        here = self._find_others_here(access)
        found = [each.person for each in self._addressed(access, text, here) if _can_read(access.room, each)][:MOST]
        if HERE not in found:
            return tuple(found)
        named = [person for person in found if person != HERE]
        return (*named, HERE, *(person for person in here() if person not in named))

    def find_unreached(self, access: Access, text: str) -> tuple[Unreached, ...]:
        """Return the first 20 mentions in a text that notify nobody, for the author of the text."""
        if "@" not in text:
            return ()
        here = self._find_others_here(access)
        absent = (each for each in self._addressed(access, text, here) if not each.is_in)
        return tuple(_describe(access, each, here) for each in absent)[:MOST]

    def _find_others_here(self, access: Access) -> Callable[[], list[Person]]:
        """Return a function that finds the other people in the room, at most one more than `@here` may mention."""

        @cache
        def find() -> list[Person]:
            people = [person for person in self._find_here(access.room.id) if person.id != access.user_id]
            return people[: MOST_HERE + 1]

        return find

    def _addressed(self, access: Access, text: str, here: Callable[[], list[Person]]) -> Iterable[Addressee]:
        """Return everybody whom the text mentions, in its order. Of several names, one of a reader comes first."""
        words = [[fold(name) for name in possible] for possible in names_in(text)]
        names = list(dict.fromkeys(name for possible in words for name in possible))[:MOST_NAMES]
        found = self._look_up(access.room, [name for name in names if name not in GROUPS])
        if EVERYBODY.id in names:
            found[EVERYBODY.id] = Addressee(EVERYBODY, is_in=access.may_mention_all)
        if HERE.id in names:
            found[HERE.id] = Addressee(HERE, is_in=access.may_mention_all and 0 < len(here()) <= MOST_HERE)
        readers = {name for name, each in found.items() if _can_read(access.room, each)}
        longest = (
            next((found[name] for names in (readers, found) for name in possible if name in names), None)
            for possible in words
        )
        return dict.fromkeys(each for each in longest if each)

    def _look_up(self, room: Room, names: Sequence[str]) -> dict[str, Addressee]:
        """Find people. Those who are not in the room are not cached, because a moderator may add them now."""
        now = self._clock()
        kept = {name: known for name in names if (known := self._kept.get((room.id, name))) and known[0] > now}
        unknown = [name for name in names if name not in kept]
        if unknown:
            found = {fold(each.person.username): each for each in self._find_people(room, unknown)}
            if len(self._kept) + len(unknown) > MOST_KEPT:
                self._kept.clear()
            for name in unknown:
                kept[name] = now + KEPT_SECONDS, found.get(name)
                if name not in found or found[name].is_in:
                    self._kept[room.id, name] = kept[name]
        return {name: each for name, (_, each) in kept.items() if each}


def _can_read(room: Room, addressee: Addressee) -> bool:
    return addressee.is_in or (room.kind == "public" and addressee.person.id not in GROUPS)


def _describe(access: Access, absent: Addressee, here: Callable[[], list[Person]]) -> Unreached:
    person, room = absent.person, access.room
    if person.id in GROUPS:
        return Unreached(person.id, f"{_why_no_group(access, here)}: @{person.id} notified nobody.")
    outcome = "is not notified" if room.kind == "public" else "will not see this"
    where = "conversation" if room.kind == "direct" else "room"
    may_add = absent.may_be_added and access.may_moderate
    return Unreached(person.username, f"{person.name} is not in this {where} and {outcome}.", may_add)


def _why_no_group(access: Access, here: Callable[[], list[Person]]) -> str:
    if access.room.kind == "direct":
        return "Everybody in this conversation is notified of every message"
    if not access.may_mention_all:
        return "Only moderators can mention everybody"
    return f"More than {MOST_HERE} people are here" if here() else "Nobody else is here now"
