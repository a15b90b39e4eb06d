"""Read the candidates for a query from the index, in bounded steps, newest first.

The first step reads the newest messages. If these do not suffice, the next steps look for the rarest word.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from chatroom.base.models import Message
from chatroom.messages.messages_store import MessageStore
from chatroom.search.indexer import mark
from chatroom.search.places import Key
from chatroom.search.queries import Query
from chatroom.search.search_store import SearchStore
from chatroom.search.spans_store import MOST_SCANS, Beginning, Condition, OneOf, Span, Step

FIRST_LOOK, MOST_LOOKED_AT = 300, 4000
"""The number of entries that the first step reads, and the maximum for a later step."""
MOST_FETCHED = 200
"""The maximum number of messages that one step reads."""
MOST_ENDINGS = 600
"""If more words have the same beginning, the search reads every entry instead."""
RARE = 200
"""If a word has fewer entries, the search looks up this word first, and counts no other words."""
MOST_COUNTED = 2000
"""If the rarest word has fewer entries, one step reads all of them."""
MOST_KEYS = 12
MOST_RANGES = 3000
"""The maximum product of words and rooms in a count or a query."""

Proposed = list[tuple[Message, str]]
"""Messages, each with the id of its room."""


class Proposals:
    """Reads the candidates for a query."""

    def __init__(self, store: SearchStore, message_store: MessageStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._message_store = message_store
        self._clock = clock

    def read(
        self, span: Span, query: Query, authors: frozenset[str], *, limit: int, give_up_at: float
    ) -> Iterator[tuple[Proposed, str | None]]:
        """Yield pages of candidates, each with the id to continue from (None at the end)."""
        conditions = self._conditions(span, query, authors)
        if any(isinstance(condition, OneOf) and not condition.words for condition in conditions):
            return  # no word has this beginning
        step = _first_step(span, conditions)
        is_planned = step.most is None
        while span.rooms:
            begun = self._clock()
            ids, end = self._store.look(span, step, limit=limit)
            proposed = self._message_store.find_all(ids, span.rooms) if ids else []
            seconds = self._clock() - begun
            yield proposed, end
            if end is None:
                return
            span = msgspec.structs.replace(span, before=end)
            limit = min(2 * limit, MOST_FETCHED)
            if not is_planned:
                span, step = self._plan(span, conditions)
                is_planned = True
                if not span.rooms:  # no room has all words
                    yield [], None
            elif step.most is not None:
                step = _longer(step, seconds, give_up_at - self._clock())

    def _conditions(self, span: Span, query: Query, authors: frozenset[str]) -> list[Condition]:
        keys = {key for term in query.terms for key in term.index_keys()}
        # Longest words first, because they are rarer.
        longest = sorted(keys, key=lambda key: -len(key.text))[:MOST_KEYS]
        conditions = [self._condition(span.rooms, key) for key in longest]
        conditions += [OneOf((mark("has", thing),)) for thing in query.has]
        return conditions + ([OneOf(tuple(mark("from", id) for id in sorted(authors)))] if authors else [])

    def _condition(self, rooms: Sequence[str], key: Key) -> Condition:
        if not key.is_beginning:
            return OneOf((key.text,))
        words = self._store.words.beginning_with(rooms, key.text, MOST_ENDINGS)
        return OneOf(tuple(sorted(words))) if len(words) < MOST_ENDINGS else Beginning(key.text)

    def _plan(self, span: Span, conditions: Sequence[Condition]) -> tuple[Span, Step]:
        """Remove from `span` the rooms that lack a word. Return a step with the rarest condition as its `lead`."""
        lead: OneOf | None = None
        fewest = MOST_COUNTED
        for condition in conditions:
            if not isinstance(condition, OneOf):
                continue
            if len(span.rooms) > 1 and _ranges(span, condition) <= MOST_RANGES:
                rooms = self._store.words.rooms_with(span.rooms, condition.words)
                span = msgspec.structs.replace(span, rooms=tuple(room for room in span.rooms if room in rooms))
            if fewest < RARE or _ranges(span, condition) > MOST_RANGES:
                continue
            count = self._store.count(span, condition.words, MOST_COUNTED)
            if count < fewest or (lead is None and _ranges(span, condition) <= MOST_SCANS):
                lead, fewest = condition, count
        rest = [condition for condition in conditions if condition is not lead]
        return span, Step(lead=lead, rest=rest, most=FIRST_LOOK if fewest == MOST_COUNTED else None)


def _first_step(span: Span, conditions: Sequence[Condition]) -> Step:
    """Return the first step: all entries for one condition, or the newest entries for several conditions."""
    if not conditions:
        return Step(lead=None, rest=(), most=None)
    first = conditions[0]
    if len(conditions) == 1 and isinstance(first, OneOf) and _ranges(span, first) <= MOST_SCANS:
        return Step(lead=first, rest=(), most=None)
    return Step(lead=None, rest=conditions, most=FIRST_LOOK)


def _longer(step: Step, seconds: float, seconds_left: float) -> Step:
    """Return the next step, which reads twice the entries of `step`, or fewer if the time is short."""
    looked_at = step.most or FIRST_LOOK
    fitting = int(looked_at * seconds_left / seconds) if seconds > 0 else MOST_LOOKED_AT
    return msgspec.structs.replace(step, most=max(min(2 * looked_at, MOST_LOOKED_AT, fitting), FIRST_LOOK))


def _ranges(span: Span, condition: OneOf) -> int:
    return len(span.rooms) * len(condition.words)
