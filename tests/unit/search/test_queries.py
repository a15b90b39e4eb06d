"""What somebody typed into the search field, as a typed value."""

import contextlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.search.fields import Fields
from chatroom.search.queries import LONGEST_QUERY, parse
from tests.speed import is_quick


def words(text: str) -> list[tuple[list[str], bool]]:
    return [([unit.text for unit in term.units], term.is_open) for term in parse(text).terms]


def refusal(text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        parse(text)
    return caught.value


def test_words_and_phrases() -> None:
    assert words('caf "the last train" x') == [(["caf"], True), (["the", "last", "train"], False), (["x"], True)]
    assert words("“smart quotes”") == [(["smart", "quotes"], False)]
    assert words('"left open') == [(["left", "open"], False)]
    assert words("a.b -c http://d") == [(["a", "b"], True), (["c"], True), (["http", "d"], True)]


def test_operators() -> None:
    query = parse('from:@alice FROM:"Bob B." in:#lobby has:files has:link after:2026-01-31 before:2026-3-1 train')
    assert query.people == ["alice", "Bob B."]
    assert query.rooms == ["lobby"]
    assert query.has == {"file", "link"}
    assert query.since == datetime(2026, 2, 1, tzinfo=UTC)
    assert query.until == datetime(2026, 3, 1, tzinfo=UTC)
    assert len(query.terms) == 1


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("train", []),
        ("C++ -> $ 50% .NET foo.bar() --no-cache arr[0]", []),
        ("train!", ["!"]),
        ("salt + pepper & C++", ["+", "&"]),
        ("+", []),
        ('salt "+"', []),
        ("salt $ % €", []),
        ("from:me +", []),
        ("(train) - stop", ["(", ")", "-"]),
        ("from:me ...", ["..."]),
        ('"the last train."', ["."]),
        ("what?! ,ever", ["?!", ","]),
        ("`code`", ["`", "`"]),
        ("「東京」。", ["「", "」。"]),
    ],
)
def test_what_cannot_be_searched_for_is_named(text: str, ignored: list[str]) -> None:
    assert parse(text).ignored == ignored


def test_of_several_days_the_narrowest_counts() -> None:
    query = parse("before:2026-02-01 before:2026-01-01 after:2025-01-01 after:2025-06-01")
    assert query.until == datetime(2026, 1, 1, tzinfo=UTC)
    assert query.since == datetime(2025, 6, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("after:today", "2026-11-28"),
        ("after:Yesterday", "2026-11-27"),
        ("after:this-week", "2026-11-23"),
        ("after:last-week", "2026-11-16"),
        ("after:last week", "2026-11-16"),
        ('after:"last week"', "2026-11-16"),
        ("after:last_month", "2026-10-01"),
        ("after:this year", "2026-01-01"),
        ("after:last-year", "2025-01-01"),
        ("after:2026-11-26", "2026-11-27"),
    ],
)
def test_days_are_those_of_the_reader(text: str, since: str) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    now = datetime(2026, 11, 27, 20, tzinfo=UTC).astimezone(zone)  # the 28th there, a Saturday
    query = parse(f"{text} train", now=now)
    assert query.since == datetime.fromisoformat(since).replace(tzinfo=zone)
    assert len(query.terms) == 1
    before = parse(text.replace("after", "before"), now=now).until
    assert before == query.since or "-26" in text


def test_a_name_with_spaces_after_from() -> None:
    def is_name(name: str) -> bool:
        return name in {"Dan Frey", "Ana de la Cruz"}

    for text, people, terms in (
        ("printer from:Dan Frey after:2026-01-31", ["Dan Frey"], 1),
        ("from:@Dan Frey printer", ["Dan Frey"], 1),
        ("from:Dan printer", ["Dan"], 1),
        ('from:Dan "Frey"', ["Dan"], 1),
        ('from:"Dan" Frey', ["Dan"], 1),
        ("from:Ana de la Cruz de la", ["Ana de la Cruz"], 2),
        ("from:Dan from:Frey", ["Dan", "Frey"], 0),
    ):
        query = parse(text, is_name=is_name)
        assert (query.people, len(query.terms)) == (people, terms), text


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("the train", Fields(words="the train")),
        (
            'in:"The Den" late from:@dan after:Last-Week has:file',
            Fields(words="late has:file", person="dan", room="The Den", when="last-week"),
        ),
        ("after:2026-01-31 x", Fields(words="after:2026-01-31 x")),
        ("from:a from:b in:c", Fields(words="from:a from:b", room="c")),
        ("before:today after:today", Fields(words="before:today", when="today")),
    ],
)
def test_a_query_as_fields_finds_the_same(text: str, fields: Fields) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    query = parse(text, now=now)
    assert query.fields == fields
    again = parse(fields.query, now=now)
    assert (again.fields, again.people, again.rooms) == (fields, query.people, query.rooms)
    assert (again.since, again.until, again.has) == (query.since, query.until, query.has)


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("", "empty", "Enter a word"),
        ("?!", "empty", "Enter a word"),
        (
            "before:now",
            "invalid",
            "“now” is not a date. Put a day after “before:”, such as 2026-01-31, yesterday, last-week or last-month.",
        ),
        ("after:2026-02-30", "invalid", "is not a date"),
        ("before:9999-12-31", "invalid", "is not a date"),
        ("after:0001-01-01", "invalid", "is not a date"),
        ("before:", "invalid", "Put a day after"),
        ("from: alice", "invalid", "Put a name after"),
        ('in:""', "invalid", "Put a room after"),
        ("has:fun", "invalid", "Put file or link after"),
        ("x" * (LONGEST_QUERY + 1), "too_long", "at most 200 characters"),
        ("a b c d e f g h i j k", "invalid", "at most 10 words"),
    ],
)
def test_invalid_input_gets_an_error(text: str, reason: str, said: str) -> None:
    refused = refusal(text)
    assert refused.reason == reason
    assert said in refused.message


@pytest.mark.parametrize("text", ["$where:1", '{"$gt": ""}', ".*", "(a+)+$", "^", "from:$ne", "in:[a-z]*", "\\", "\0"])
def test_operators_and_patterns_are_words_like_others(text: str) -> None:
    with contextlib.suppress(Refused):
        assert all(unit.text.isalnum() for term in parse(text).terms for unit in term.units)


@given(st.text(max_size=LONGEST_QUERY))
def test_whatever_is_typed_is_a_query_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        assert parse(text)


@pytest.mark.parametrize("text", ['"' * LONGEST_QUERY, "from:" * 40, 'from:"' * 33, "a" * LONGEST_QUERY, "a:" * 100])
def test_query_parsing_time_is_bounded(text: str) -> None:
    def parse_it() -> None:
        with contextlib.suppress(Refused):
            parse(text)

    assert is_quick(parse_it, 0.1)
