"""A query on the index: words or starts of words, the rooms, and the time range."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from bson import ObjectId

from chatroom.mongo.database import Document, beginning_with

MOST_SCANS = 150
"""The maximum number of index ranges that MongoDB reads without sorting. From 200 ranges on, it sorts."""


class OneOf(msgspec.Struct, frozen=True):
    """The condition that an entry has one of these words."""

    words: tuple[str, ...]

    @property
    def filter(self) -> Any:
        """The condition for the field `words`."""
        return {"$in": list(self.words)}


class Beginning(msgspec.Struct, frozen=True):
    """The condition that an entry has a word with this beginning. It is used if too many words have this beginning."""

    text: str

    @property
    def filter(self) -> Any:
        """The condition for the field `words`."""
        return {"$elemMatch": beginning_with(self.text)}


Condition = OneOf | Beginning


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms and the range of time: `since` or later, earlier than `until`, and message ids lower than `before`."""

    rooms: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None

    def has(self, message_id: str) -> bool:
        """Return whether the message with this id is in the range of time."""
        id, bounds = ObjectId(message_id), bounds_of(self)
        return not (("$lt" in bounds and id >= bounds["$lt"]) or ("$gte" in bounds and id < bounds["$gte"]))


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A query for entries that match `lead` (None: any) and `rest`, among the newest `most` entries (None: all).

    If the number of words in `lead` times the number of rooms exceeds `MOST_SCANS`, MongoDB sorts all found entries.
    So these words must be rare.
    """

    lead: OneOf | None
    rest: Sequence[Condition]
    most: int | None


def is_id(text: str) -> bool:
    """Return whether a text can be a message's id."""
    return ObjectId.is_valid(text)


def queries_of(span: Span, lead: OneOf | None) -> Iterable[Document]:
    """Yield the queries for a span. With a lead, yield one query. Otherwise, yield queries that need no sorting."""
    if lead is not None:
        yield {**query_of(span), "words": {"$in": list(lead.words)}}
        return
    for first in range(0, len(span.rooms), MOST_SCANS):
        yield query_of(msgspec.structs.replace(span, rooms=span.rooms[first : first + MOST_SCANS]))


def query_of(span: Span) -> Document:
    bounds = bounds_of(span)
    return {"room": {"$in": list(span.rooms)}, **({"_id": bounds} if bounds else {})}


def bounds_of(span: Span) -> Document:
    bounds: Document = {}
    below = [ObjectId(span.before)] if span.before else []
    below += [ObjectId.from_datetime(span.until)] if span.until else []
    if below:
        bounds["$lt"] = min(below)
    if span.since:
        bounds["$gte"] = ObjectId.from_datetime(span.since)
    return bounds
