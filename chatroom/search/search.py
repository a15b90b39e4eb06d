"""Find messages in a user's rooms: the newest first, a page at a time.

The index only proposes candidates. A candidate is a hit if its current state matches the whole query and the user is in
its room now. Every step is bounded.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import Message, Room, User
from chatroom.messages.messages_store import MessageStore
from chatroom.names import fold as fold_name
from chatroom.names import without_accents
from chatroom.search.fields import Fields
from chatroom.search.indexer import Indexer, searchable, things
from chatroom.search.proposals import Proposals, Proposed
from chatroom.search.queries import MOST_NAME_WORDS, Query, parse
from chatroom.search.search_store import SearchStore
from chatroom.search.spans_store import Span, is_id
from chatroom.search.terms import split

PAGE = 20
SECONDS = 0.05
"""After this time, the search returns an unfinished page, with the id to continue from."""
MOST_UNINDEXED = 300
"""The maximum number of unindexed messages that a search reads."""
MOST_ROOMS_BEHIND = 3
MOST_CAUGHT_UP = 2
"""The maximum number of batches that a search indexes if no indexer runs."""
AROUND_HIT = 80
ALIKE, MOST_PROPOSED = 3, 3
"""Whose names begin with the same 3 letters are proposed instead of an unknown name: at most 3 people."""
LONGEST_SNIPPET = 260


class SnippetPiece(msgspec.Struct, frozen=True):
    """A part of the text of a message. `is_hit` says whether this part matches the search."""

    text: str
    is_hit: bool = msgspec.field(name="hit")


class Hit(msgspec.Struct, frozen=True):
    """A found message, and the part of its text with the matches."""

    room: Room
    message: Message
    snippet: list[SnippetPiece]


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A page of hits. `before` is the id to continue from, or None at the end.

    `is_cut`: the time ran out before the page was full. `is_behind`: the newest messages cannot be found yet.
    `ignored`: the parts of the query that cannot be searched for. `fields`: the query as the form shows it.
    """

    hits: list[Hit]
    before: str | None
    is_cut: bool
    is_behind: bool
    ignored: Sequence[str] = ()
    fields: Fields = Fields()

    @property
    def reached(self) -> int | None:
        """The time of the oldest searched message, in Unix seconds."""
        return int(self.before[:8], 16) if self.before else None


class Search:
    """Searches the rooms of a user."""

    def __init__(
        self,
        store: SearchStore,
        message_store: MessageStore,
        indexer: Indexer,
        *,
        rooms_of: Callable[[str], Sequence[Room]],
        find_users: Callable[[str], Sequence[User]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._message_store = message_store
        self._proposals = Proposals(store, message_store, clock)
        self.indexer = indexer
        self._rooms_of = rooms_of
        self._find_users = find_users
        self._clock = clock

    def find(
        self, user_id: str, text: str, before: str | None = None, *, zone: tzinfo = UTC, limit: int = PAGE
    ) -> Results:
        """Return the newest hits (with `before`: older than this message); raise `Refused` for a wrong query.

        The days of the query are those of `zone`.
        """
        give_up_at = self._clock() + SECONDS
        query = parse(text, now=datetime.now(zone), is_name=self._is_name)
        if before is not None and not is_id(before):
            raise Refused("invalid", "These results have no such page. Please search again.")
        rooms = {room.id: room for room in self._rooms(user_id, query)}
        authors = self._authors(user_id, query)
        span = Span(rooms=tuple(rooms), since=query.since, until=query.until, before=before)
        newest, is_behind = self._unindexed(span.rooms)
        hits = {hit.message.id: hit for hit in _hits(newest, query, authors, rooms) if span.has(hit.message.id)}
        is_cut = False
        end = None
        for proposed, end in self._proposals.read(span, query, authors, limit=limit + 1, give_up_at=give_up_at):
            hits |= {hit.message.id: hit for hit in _hits(proposed, query, authors, rooms)}
            if end is None or sum(id >= end for id in hits) > limit:
                break
            if is_cut := self._clock() > give_up_at:
                break
        # An unindexed hit that is older than the end of this page belongs to a later page.
        found = [hits[id] for id in sorted(hits, reverse=True) if end is None or id >= end]
        if len(found) > limit:
            found, end, is_cut = found[:limit], found[limit - 1].message.id, False
        return Results(
            hits=found,
            before=end,
            is_cut=is_cut,
            is_behind=is_behind,
            ignored=tuple(query.ignored),
            fields=query.fields,
        )

    def proposals_for(self, text: str) -> list[tuple[str, User]]:
        """Return up to three queries with somebody else after `from:`, for a query that names nobody there."""
        try:
            fields = parse(text, is_name=self._is_name).fields
        except Refused:
            return []
        name = fields.person.removeprefix("@")
        if not name or fold_name(name) == "me" or self._find_users(name):
            return []
        beginnings = [*name.split()[:MOST_NAME_WORDS], name[:ALIKE]]
        people = {user.id: user for each in beginnings for user in self._find_users(each)}
        named = list(people.values())[:MOST_PROPOSED]
        return [(msgspec.structs.replace(fields, person=user.username).query, user) for user in named]

    def _is_name(self, name: str) -> bool:
        key = fold_name(name)
        return any(key in {fold_name(user.display_name), user.username} for user in self._find_users(name))

    def _rooms(self, user_id: str, query: Query) -> Sequence[Room]:
        rooms = self._rooms_of(user_id)
        if not query.rooms:
            return rooms
        chosen = []
        for name in query.rooms:
            plain = without_accents(name)
            found = [room for room in rooms if plain in {without_accents(room.slug), without_accents(room.title)}]
            if not found:
                raise Refused("invalid", f"You have no room named “{name[:40]}”. Put one of your rooms after “in:”.")
            chosen += found
        return chosen

    def _authors(self, user_id: str, query: Query) -> frozenset[str]:
        ids: set[str] = set()
        for name in query.people:
            found = {user_id} if fold_name(name) == "me" else {user.id for user in self._find_users(name)}
            if not found:
                raise Refused("invalid", f"There is no user named “{name[:40]}”. Put a name after “from:”, or me.")
            ids |= found
        return frozenset(ids)

    def _unindexed(self, rooms: Collection[str]) -> tuple[Proposed, bool]:
        """Return messages that are not indexed yet, and whether there are more such messages."""
        behind = self.indexer.behind(rooms)
        if behind and not self.indexer.thread.is_started:
            # No indexer runs in this process: index the new messages here, if they are few.
            batches = iter([True] * MOST_CAUGHT_UP)
            self.indexer.catch_up(behind, lambda: next(batches, False))
            behind = self.indexer.behind(rooms)
        found = self._message_store.changed_beyond(behind, MOST_UNINDEXED + 1)
        if len(found) <= MOST_UNINDEXED:
            return found, False
        busy = sorted({room for _, room in found})[:MOST_ROOMS_BEHIND]
        newest = {
            room: self._message_store.changed_last(room, behind[room], MOST_UNINDEXED // len(busy)) for room in busy
        }
        return [(message, room) for room, messages in newest.items() for message in messages], True


def _hits(
    proposed: Iterable[tuple[Message, str]], query: Query, authors: Collection[str], rooms: Mapping[str, Room]
) -> Iterator[Hit]:
    """Yield the proposed messages whose current state matches."""
    for message, room_id in proposed:
        places = _places(message, query, authors)
        if places is not None and message.sequence > rooms[room_id].cleared_sequence:
            yield Hit(rooms[room_id], message, snippet(searchable(message), places))


def _places(message: Message, query: Query, authors: Collection[str]) -> list[tuple[int, int]] | None:
    """Return the places of the matches in a message; None if the message does not match the whole query."""
    if message.deleted_at is not None or (authors and message.author.id not in authors):
        return None
    if not query.has <= things(message):
        return None
    places: list[tuple[int, int]] = []
    if query.terms:
        text = searchable(message)
        units = split(text)
        for term in query.terms:
            found = list(term.matches(text, units))
            if not found:
                return None
            places += found
    return sorted(places)


def snippet(text: str, places: Sequence[tuple[int, int]]) -> list[SnippetPiece]:
    """Return the text around the first of these places, in pieces. A short text is returned as a whole."""
    start, end = 0, len(text)
    if len(text) > LONGEST_SNIPPET:
        start = max(0, places[0][0] - AROUND_HIT) if places else 0
        start = text.rfind(" ", 0, start + 1) + 1 if text[max(0, start - 20) : start + 1].count(" ") else start
        end = min(len(text), start + LONGEST_SNIPPET)
    pieces = [SnippetPiece("… ", is_hit=False)] if start else []
    pieces += _marked(text, places, start, end)
    return [*pieces, SnippetPiece(" …", is_hit=False)] if end < len(text) else pieces


def _marked(text: str, places: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[SnippetPiece]:
    at = start
    for first, last in places:
        if last <= at or first >= end:
            continue
        if first > at:
            yield SnippetPiece(text[at:first], is_hit=False)
        yield SnippetPiece(text[max(first, at) : min(last, end)], is_hit=True)
        at = min(last, end)
    if at < end:
        yield SnippetPiece(text[at:end], is_hit=False)
