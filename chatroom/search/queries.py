"""Parse search queries.

No input becomes a pattern or an operator of the database.
"""

from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime
from typing import Literal, cast, get_args

import msgspec
import regex

from chatroom.base.errors import Refused
from chatroom.search.days import not_a_day, since_of, until_of
from chatroom.search.fields import Fields, fields_of
from chatroom.search.places import Term, make_term

LONGEST_QUERY = 200
MOST_TERMS = 10
MOST_NAME_WORDS = 4
"""The most words of a display name that are understood after `from:` without quotes."""

BETWEEN_WORDS = frozenset("+&|=<>^~@#")

Has = Literal["file", "link"]

_part = regex.compile(
    r'(?:(from|in|before|after|has):)?(?:"([^"]*)"?'
    r"|((?<=(?:before|after):)(?:last|this)\s+(?:week|month|year)\b"
    r'|(?:[^\s"]|(?<=\p{Hebrew})"(?=\p{Hebrew}))*))',
    regex.IGNORECASE,
)
"""A part of a query, also `after:last week`. A quote within a Hebrew word is the sign of an abbreviation."""
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
    fields: Fields = Fields()
    """The query as the search form shows it."""


class _Part(msgspec.Struct, frozen=True):
    operator: str
    value: str
    is_open: bool
    typed: str


def _nobody(_: str) -> bool:
    return False


def parse(text: str, *, now: datetime | None = None, is_name: Callable[[str], bool] = _nobody) -> Query:
    """Parse a query; raise `Refused` (`empty`, `too_long`, `invalid`).

    The days are those of the zone of `now`. `is_name` says whether somebody has exactly this name: such a name may
    have spaces after `from:`.
    """
    now = now or datetime.now(UTC)
    parts = _parts(text.translate(_quotes).strip(), is_name)
    terms: list[Term] = []
    people: list[str] = []
    rooms: list[str] = []
    has: set[Has] = set()
    ignored: list[str] = []
    since = until = None
    for part in parts:
        operator, value = part.operator, part.value
        if not operator:
            term, left_out = make_term(value, is_open=part.is_open)
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
            day = _day(until_of(value, now), part)
            until = min(until or day, day)
        else:
            day = _day(since_of(value, now), part)
            since = max(since or day, day)
    terms, lone = _without_lone_signs(terms)
    ignored += lone
    if not (terms or people or rooms or has or since or until):
        raise Refused("empty", _nothing_left(ignored))
    if len(terms) + len(people) + len(rooms) > MOST_TERMS:
        raise Refused("invalid", f"Search for at most {MOST_TERMS} words, names and rooms at once.")
    return Query(
        terms=terms,
        people=people,
        rooms=rooms,
        has=has,
        since=since,
        until=until,
        ignored=ignored,
        fields=fields_of([(part.operator, part.value.strip().lstrip("@#"), part.typed) for part in parts]),
    )


def _parts(text: str, is_name: Callable[[str], bool]) -> list[_Part]:
    """Split a query. Words after `from:` belong to the name if somebody is named so."""
    if len(text) > LONGEST_QUERY:
        raise Refused("too_long", f"The search is too long: at most {LONGEST_QUERY} characters. Use fewer words.")
    found = [
        _Part((each[1] or "").lower(), each[3] if each[2] is None else each[2], each[2] is None, each[0])
        for each in _part.finditer(text)
        if each[0]
    ]
    parts: list[_Part] = []
    at = 0
    while at < len(found):
        part, at = found[at], at + 1
        if part.operator == "from" and part.is_open and part.value:
            more = _words_of_name(part.value, found[at : at + MOST_NAME_WORDS - 1], is_name)
            name = " ".join([part.value, *more])
            part, at = _Part("from", name, is_open=True, typed=f"from:{name}"), at + len(more)
        parts.append(part)
    return parts


def _words_of_name(first: str, following: Sequence[_Part], is_name: Callable[[str], bool]) -> list[str]:
    words: list[str] = []
    for part in following:
        if part.operator or not part.is_open:
            break
        words.append(part.value)
    while words and not is_name(" ".join([first.removeprefix("@"), *words])):
        words.pop()
    return words


_DAYS = "such as 2026-01-31, yesterday, last-week or last-month"
EXPECTED = {
    "from": "Put a name after “from:”, such as from:alice, or from:me.",
    "in": "Put a room after “in:”, such as in:lobby.",
    "has": "Put file or link after “has:”.",
    "before": f"Put a day after “before:”, {_DAYS}.",
    "after": f"Put a day after “after:”, {_DAYS}.",
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


def _day(day: datetime | None, part: _Part) -> datetime:
    if day is None:
        raise not_a_day(part.value, EXPECTED[part.operator])
    return day
