"""What of a text can be found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.messages.markdown.emoji import replace_shortcodes
from chatroom.names import without_accents
from chatroom.search.places import Key, Term, make_term
from chatroom.search.terms import LONGEST_WORD, MOST_WORDS, index_words, split
from tests.speed import is_quick


def term(text: str, *, is_open: bool = True) -> Term:
    made, _ = make_term(text, is_open=is_open)
    assert made is not None
    return made


def hits(words: str, text: str, *, is_open: bool = True) -> list[str]:
    return [text[start:end] for start, end in term(words, is_open=is_open).matches(text, split(text))]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ＡＢＣ１２", "abc12"),
        ("ﬁne", "fine"),
        ("Ørsted", "orsted"),
        ("Łódź", "lodz"),
        ("Ёлка", "елка"),
        ("كِتَاب", "كتاب"),
        ("한국어", "한국어"),
        ("ガ", "ガ"),
        ("ｶﾞ", "ガ"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_spellings_that_are_one(text: str, folded: str) -> None:
    assert without_accents(text) == folded


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("caf", "Un Café, deux cafés", ["Café", "cafés"]),
        ("afé", "Un Café", []),
        ("new", "the New Year", ["New"]),
        ("don't", "I don't; don t", ["don't", "don t"]),
        ("e-mail", "send e-mails", ["e-mails"]),
        ("snake", "a snake_case name", ["snake"]),
        ("example.com/pa", "see https://example.com/path?x", ["example.com/path"]),
        ("日本", "私は日本語を", ["日本"]),
        ("本語", "日本語、日本語", ["本語", "本語"]),
        ("語", "日本語", ["語"]),
        ("한국", "한국어 공부", ["한국"]),
        ("สวัสดี", "คุณสวัสดีครับ", ["สวัสดี"]),
        ("a", "a apple", ["a"]),
        ("x y x", "x y x y x", ["x y x", "x y x"]),
    ],
)
def test_found_pieces_and_their_places(words: str, text: str, found: list[str]) -> None:
    assert hits(words, text) == found


def test_a_phrase_ends_where_it_ends() -> None:
    assert hits("the last train", "the last trains; the last train", is_open=False) == ["the last train"]
    assert hits("the train", "the last train", is_open=False) == []


def test_terms_of_a_message() -> None:
    assert index_words("The Café; the 日本語 x") == {"the", "cafe", "日本", "本語", "語", "x"}
    assert index_words("plain PLAIN text_2") == {"plain", "text", "2"}
    assert index_words("é" * 100) == {"e" * LONGEST_WORD}
    assert index_words("e" * 100) == {"e" * LONGEST_WORD}
    assert index_words("... !? \u200b") == set()


def test_terms_of_a_query() -> None:
    assert term("caf").index_keys() == {Key("caf", is_beginning=True)}
    assert term("c").index_keys() == {Key("c")}
    assert term("the caf", is_open=False).index_keys() == {Key("the"), Key("caf")}
    assert term("日本語").index_keys() == {Key("日本"), Key("本語")}
    assert term("語").index_keys() == {Key("語", is_beginning=True)}
    assert term("e" * 50).index_keys() == {Key("e" * LONGEST_WORD)}


@given(st.text(max_size=60), st.data())
def test_every_part_of_a_text_is_found_by_the_index_and_in_the_text(text: str, data: st.DataObject) -> None:
    """The index may propose too much, and never too little: what matches has all of the keys."""
    units = split(text)
    if not units:
        return
    first = data.draw(st.integers(0, len(units) - 1))
    last = data.draw(st.integers(first, len(units) - 1))
    part = text[units[first].start : units[last].end]
    looked_for = term(part)
    if part != replace_shortcodes(part):
        return
    assert list(looked_for.matches(text, units))
    words = index_words(text)
    for key in looked_for.index_keys():
        assert any(word.startswith(key.text) if key.is_beginning else word == key.text for word in words), key


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 20_000, "a " * 10_000, "é " * 10_000, "日" * 20_000, "e\u0301" * 10_000, "-_" * 10_000),
        *("\u1100" * 20_000, "👩\u200d" * 10_000, "+" * 20_000, "\\" * 20_000, ":a:" * 7000, f"a{'+ ' * 10_000}b"),
    ],
)
def test_i11_terms_are_bounded_in_time_and_number(text: str) -> None:
    terms = [term(words, is_open=False) for words in ("a a a a a a", "a+b", "+" * 19 + "=", "\\" * 19 + "+", "a + - b")]
    assert len(index_words(text)) <= MOST_WORDS

    def look_for_them() -> None:
        index_words(text)
        units = split(text)
        for each in terms:
            list(each.matches(text, units))

    assert is_quick(look_for_them, 2)


@pytest.mark.parametrize("text", ["+" * 21, "a" + "+" * 21, "+ " * 21, "a" + "." * 21 + "b"])
def test_i11_too_many_marks_in_a_row_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="At most 20 signs in a row"):
        make_term(text, is_open=False)
