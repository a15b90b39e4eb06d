"""Find messages in the rooms that somebody is in: the newest first, a page at a time.

The index only proposes: a hit is shown when the message as it is now, in a room that the reader is in now, has all
that was asked for. Every step is bounded, and where it stops is said.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from chatroom.errors import Refused
from chatroom.indexer import Indexer, from_word, has_word, searchable, things
from chatroom.models import Message, Room, User
from chatroom.names import fold as fold_name
from chatroom.queries import Query, parse
from chatroom.store.database import Database
from chatroom.store.leases import LeaseStore
from chatroom.store.listings import ListingStore
from chatroom.store.messages import MessageStore
from chatroom.store.rooms import RoomStore
from chatroom.store.search import Beginning, Condition, OneOf, SearchStore, Span, is_id
from chatroom.terms import Key, fold, split

PAGE = 20
SECONDS = 0.1
"""A page that takes longer is given as far as it came, with the place to go on from."""
FIRST_LOOK, MOST_LOOKED_AT = 500, 4000
"""How many messages with the rarest word are looked at in one step: few at first, then more."""
MOST_ENDINGS = 600
"""Of a word that was begun; with more, every message is looked at instead of those with one of them."""
RARE = 200
"""A word with fewer entries is rare enough to begin with: the others are not counted."""
MOST_KEYS = 12
MOST_RANGES = 3000
"""Words times rooms that are read side by side."""
MOST_CAUGHT_UP = 5
"""Batches that a search takes into the index before it looks."""
AROUND_HIT = 80
LONGEST_SNIPPET = 260


class Piece(msgspec.Struct, frozen=True):
    """A part of a snippet; `is_hit` where it is what was looked for."""

    text: str
    is_hit: bool


class Hit(msgspec.Struct, frozen=True):
    """A message that was found, and where in its text."""

    room: Room
    message: Message
    snippet: list[Piece]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A page of hits; `before` is where to go on, None at the end. `is_cut` when time ran out before it was full."""

    hits: list[Hit]
    before: str | None
    is_cut: bool

    @property
    def reached(self) -> int | None:
        """How far back was looked, in Unix seconds: a message's id begins with its time."""
        return int(self.before[:8], 16) if self.before else None


class Search:
    """Search for people."""

    def __init__(
        self,
        store: SearchStore,
        messages: MessageStore,
        indexer: Indexer,
        *,
        rooms_of: Callable[[str], Sequence[Room]],
        find_user: Callable[[str], User | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._messages = messages
        self.indexer = indexer
        self._rooms_of = rooms_of
        self._find_user = find_user
        self._clock = clock

    def find(self, user_id: str, text: str, before: str | None = None, *, limit: int = PAGE) -> Results:
        """The newest hits before the message with the id `before`; raise `Refused` with what to do about the query."""
        query = parse(text)
        if before is not None and not is_id(before):
            raise Refused("invalid", "`before` is not a place in these results. Please search again.")
        rooms = {room.id: room for room in self._rooms(user_id, query)}
        authors = self._authors(user_id, query)
        self._catch_up(list(rooms))
        give_up_at = self._clock() + SECONDS
        conditions = self._conditions(list(rooms), query, authors)
        span = Span(rooms=tuple(rooms), since=query.since, until=query.until, before=before)
        span, lead, rest = self._plan(span, conditions)
        hits: list[Hit] = []
        most = FIRST_LOOK
        while span.rooms:
            ids, end = self._store.look(span, lead, rest, limit=limit + 1 - len(hits), most=most)
            for message, room_id in self._messages.find_all(ids, span.rooms):
                places = _places(message, query, authors)
                if places is not None and message.sequence > rooms[room_id].cleared_sequence:
                    hits.append(Hit(rooms[room_id], message, _snippet(searchable(message), places)))
            if len(hits) > limit:
                return Results(hits=hits[:limit], before=hits[limit - 1].message.id, is_cut=False)
            if end is None:
                break
            if self._clock() > give_up_at:
                return Results(hits=hits, before=end, is_cut=True)
            span = msgspec.structs.replace(span, before=end)
            most = min(2 * most, MOST_LOOKED_AT)
        return Results(hits=hits, before=None, is_cut=False)

    def _rooms(self, user_id: str, query: Query) -> Sequence[Room]:
        rooms = self._rooms_of(user_id)
        if not query.rooms:
            return rooms
        chosen = []
        for name in query.rooms:
            found = [room for room in rooms if fold(name) in {fold(room.slug), fold(room.title)}]
            if not found:
                raise Refused("invalid", f"You are in no room called “{name[:40]}”. Put a room of yours after `in:`.")
            chosen += found
        return chosen

    def _authors(self, user_id: str, query: Query) -> frozenset[str]:
        ids = set()
        for name in query.people:
            user = None if fold_name(name) == "me" else self._find_user(name)
            if user is None and fold_name(name) != "me":
                raise Refused("invalid", f"There is nobody called “{name[:40]}” here. Put a name after `from:`, or me.")
            ids.add(user.id if user else user_id)
        return frozenset(ids)

    def _catch_up(self, rooms: Sequence[str]) -> None:
        """Take what was said just now into the index; when there is much of it, the indexer goes on."""
        left = MOST_CAUGHT_UP
        for room, revision in self.indexer.behind(rooms).items():
            cursor: int | None = revision
            while cursor is not None and left:
                cursor = self.indexer.take_in(room, cursor)
                left -= 1

    def _conditions(self, rooms: Sequence[str], query: Query, authors: frozenset[str]) -> list[Condition]:
        keys = {key for term in query.terms for key in term.index_keys()}
        # Long ones first: they are rarer, and the first rare one is not followed by counting others.
        longest = sorted(keys, key=lambda key: -len(key.text))[:MOST_KEYS]
        conditions = [self._condition(rooms, key) for key in longest]
        conditions += [OneOf((has_word(thing),)) for thing in query.has]
        return conditions + ([OneOf(tuple(map(from_word, sorted(authors))))] if authors else [])

    def _condition(self, rooms: Sequence[str], key: Key) -> Condition:
        if not key.is_beginning:
            return OneOf((key.text,))
        words = self._store.beginning_with(rooms, key.text, MOST_ENDINGS)
        return OneOf(tuple(sorted(words))) if len(words) < MOST_ENDINGS else Beginning(key.text)

    def _plan(self, span: Span, conditions: Sequence[Condition]) -> tuple[Span, OneOf | None, list[Condition]]:
        """Leave out rooms that cannot have it, and choose the rarest words to begin with."""
        lead: OneOf | None = None
        fewest = None
        for condition in conditions:
            if not isinstance(condition, OneOf):
                continue
            if not condition.words:  # nothing begins so
                return msgspec.structs.replace(span, rooms=()), None, []
            if len(span.rooms) > 1 and len(span.rooms) * len(condition.words) <= MOST_RANGES:
                rooms = self._store.rooms_with(span.rooms, condition.words)
                span = msgspec.structs.replace(span, rooms=tuple(room for room in span.rooms if room in rooms))
            if len(span.rooms) * len(condition.words) <= MOST_RANGES and (fewest is None or fewest >= RARE):
                count = self._store.count(span, condition.words, 10 * RARE)
                if fewest is None or count < fewest:
                    lead, fewest = condition, count
        return span, lead, [condition for condition in conditions if condition is not lead]


def make_search(database: Database, messages: MessageStore, find_user: Callable[[str], User | None]) -> Search:
    """Wire search and its indexer over a database."""
    store, leases = SearchStore(database), LeaseStore(database, holder=messages.origin)
    indexer = Indexer(store, messages, leases, RoomStore(database).list_ids)
    return Search(store, messages, indexer, rooms_of=ListingStore(database).rooms_of, find_user=find_user)


def _places(message: Message, query: Query, authors: frozenset[str]) -> list[tuple[int, int]] | None:
    """Where a message has what is looked for; None when it has not all of it."""
    if message.deleted_at is not None or (authors and message.author.id not in authors):
        return None
    if not query.has <= things(message):
        return None
    places: list[tuple[int, int]] = []
    if query.terms:
        units = split(searchable(message))
        for term in query.terms:
            found = list(term.matches(units))
            if not found:
                return None
            places += found
    return sorted(places)


def _snippet(text: str, places: Sequence[tuple[int, int]]) -> list[Piece]:
    """The text around the first hit, in pieces; in full when it is short."""
    start, end = 0, len(text)
    if len(text) > LONGEST_SNIPPET:
        start = max(0, places[0][0] - AROUND_HIT) if places else 0
        start = text.rfind(" ", 0, start + 1) + 1 if text[max(0, start - 20) : start + 1].count(" ") else start
        end = min(len(text), start + LONGEST_SNIPPET)
    pieces = [Piece("… ", is_hit=False)] if start else []
    pieces += _marked(text, places, start, end)
    return [*pieces, Piece(" …", is_hit=False)] if end < len(text) else pieces


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[Piece]:
    at = start
    for first, last in places:
        if last <= at or first >= end:
            continue
        if first > at:
            yield Piece(text[at:first], is_hit=False)
        yield Piece(text[max(first, at) : min(last, end)], is_hit=True)
        at = min(last, end)
    if at < end:
        yield Piece(text[at:end], is_hit=False)
