"""Parse search queries.

No input becomes a pattern or an operator of the database.
"""

from collections.abc import Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

import msgspec
import regex

from chatroom.base.errors import Refused
from chatroom.search.places import Term, make_term

LONGEST_QUERY = 200
MOST_TERMS = 10
FIRST_YEAR, LAST_YEAR = 1971, 2100

BETWEEN_WORDS = frozenset("+&|=<>^~@#")

Has = Literal["file", "link"]

_part = regex.compile(
    r'(?:(from|in|before|after|has):)?(?:"([^"]*)"?|((?:[^\s"]|(?<=\p{Hebrew})"(?=\p{Hebrew}))*))', regex.IGNORECASE
)
"""A part of a query. A quote within a Hebrew word is the sign of an abbreviation."""
_quotes = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"')
    | dict.fromkeys(
        "\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff", ""
    )
)
"""Typographic quotes, and signs without a width that a copied query contains."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed query. A message must match every part, but only one of the `people` and only one of the `rooms`."""

    terms: Sequence[Term]
    people: Sequence[str]
    """Names as typed."""
    rooms: Sequence[str]
    """Slugs or titles as typed."""
    has: Set[Has]
    since: datetime | None
    until: datetime | None
    """Messages before this time."""
    ignored: Sequence[str] = ()
    """Parts of the query that cannot be searched for."""


def parse(text: str) -> Query:
    """Parse a query; raise `Refused` (`empty`, `too_long`, `invalid`)."""
    text = text.translate(_quotes).strip()
    if len(text) > LONGEST_QUERY:
        raise Refused("too_long", f"The search is too long: at most {LONGEST_QUERY} characters. Use fewer words.")
    terms: list[Term] = []
    people: list[str] = []
    rooms: list[str] = []
    has: set[Has] = set()
    ignored: list[str] = []
    since = until = None
    for found in _part.finditer(text):
        operator = (found[1] or "").lower()
        value = found[3] if found[2] is None else found[2]
        if not operator:
            term, left_out = make_term(value, is_open=found[2] is None)
            terms += [term] if term else []
            ignored += left_out
        elif not value.strip():
            raise Refused("invalid", EXPECTED[operator])
        elif operator == "from":
            people.append(value.strip().removeprefix("@"))
        elif operator == "in":
            rooms.append(value.strip().removeprefix("#"))
        elif operator == "has":
            has.add(_thing(value))
        elif operator == "before":
            day = _day(operator, value)
            until = min(until or day, day)
        else:
            day = _day(operator, value) + timedelta(days=1)
            since = max(since or day, day)
    terms, lone = _without_lone_signs(terms)
    ignored += lone
    if not (terms or people or rooms or has or since or until):
        raise Refused("empty", _nothing_left(ignored))
    if len(terms) + len(people) + len(rooms) > MOST_TERMS:
        raise Refused("invalid", f"Search for at most {MOST_TERMS} words, names and rooms at once.")
    return Query(terms=terms, people=people, rooms=rooms, has=has, since=since, until=until, ignored=ignored)


EXPECTED = {
    "from": "Put a name after `from:`, such as from:alice, or from:me.",
    "in": "Put a room after `in:`, such as in:lobby.",
    "has": "Put file or link after `has:`.",
    "before": "Put a date after `before:`, such as before:2026-01-31.",
    "after": "Put a date after `after:`, such as after:2026-01-31.",
}


def _without_lone_signs(terms: Sequence[Term]) -> tuple[list[Term], list[str]]:
    """Leave out signs that people put between words, as in `salt + pepper`, unless the query has no other term."""
    lone = [term for term in terms if term.is_open and not term.units and term.marks[0] in BETWEEN_WORDS]
    if len(lone) == len(terms):
        return list(terms), []
    return [term for term in terms if term not in lone], [term.marks[0] for term in lone]


def _nothing_left(ignored: Sequence[str]) -> str:
    if not ignored:
        return "Enter a word to search for."
    marks = " ".join(ignored)
    return f"The search cannot find {marks} alone. Enter a word, a number, an emoji, or a sign such as € or +."


def _thing(value: str) -> Has:
    thing = value.lower().removesuffix("s")
    if thing not in get_args(Has):
        raise Refused("invalid", EXPECTED["has"])
    return cast("Has", thing)


def _day(operator: str, value: str) -> datetime:
    """Return the beginning of a day, in UTC."""
    try:
        day = datetime.strptime(value.strip()[:20], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("invalid", f"“{value[:40]}” is not a date. {EXPECTED[operator]}")
    return day
