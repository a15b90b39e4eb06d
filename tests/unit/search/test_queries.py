"""What somebody typed into the search field, as a typed value."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.base.errors import Refused
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
    ("text", "reason", "said"),
    [
        ("", "empty", "Enter a word"),
        ("?!", "empty", "Enter a word"),
        ("before:now", "invalid", "“now” is not a date. Put a date after `before:`, such as before:2026-01-31."),
        ("after:2026-02-30", "invalid", "is not a date"),
        ("before:9999-12-31", "invalid", "is not a date"),
        ("after:0001-01-01", "invalid", "is not a date"),
        ("before:", "invalid", "Put a date after"),
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
