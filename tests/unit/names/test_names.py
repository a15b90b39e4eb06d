import string
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.names import clean_display_name, clean_username, fold, keys, look


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("Alice", "ALICE"),
        ("Alice", "ＡＬＩＣＥ"),
        ("zoë", "zoe\u0308"),
        ("straße", "STRASSE"),
        ("sam", "ſam"),
        ("ᴮᴵᴳᴮᴵᴿᴰ", "bigbird"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    """U01, U05."""
    assert fold(one) == fold(other)


def test_a_dotted_capital_i_keeps_its_dot() -> None:
    """U05: case folding keeps the dot, so the two are two; documented in decision 41."""
    assert fold("İstanbul") == "i\u0307stanbul"
    assert look("i\u0307stanbul") == look("istanbul")


@settings(max_examples=2000, deadline=None)
@given(st.text(max_size=30))
@example("ᴮᴵᴳᴮᴵᴿᴰ")
@example("ͅͅʹ")
@example("ẞﬀŒΐ")
def test_folding_twice_changes_nothing(text: str) -> None:
    """U02, on random text."""
    assert fold(fold(text)) == fold(text)


def test_folding_each_character_twice_changes_nothing() -> None:
    """U02, on every character there is, alone and behind another."""
    for point in range(0x110000):
        for text in (chr(point), "a" + chr(point)):
            folded = fold(text)
            assert fold(folded) == folded, hex(point)


@pytest.mark.parametrize(
    "hidden",
    [
        *["\u200b", "\u00ad", "\u202e", "\u2066", "\u00a0", "\ufe0f", "\0", "\n", "\t", "\u3164", "\u034f", "\ud800"],
        *["\u0378", "\ue000", "\U000e0041", "\u2003", "\u20e3"],
        *["\N{GRINNING FACE}", "\N{CIRCLED LATIN CAPITAL LETTER A}", "\N{TRADE MARK SIGN}", "<", "/", "\\", "@"],
    ],
    ids=ascii,
)
def test_invisible_and_unusual_characters_are_refused(hidden: str) -> None:
    """U03."""
    for clean in (clean_username, clean_display_name):
        with pytest.raises(Refused) as refusal:
            clean(f"al{hidden}ice")
        assert refusal.value.reason == "invalid"
        assert refusal.value.message.endswith(".")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("山田\u3000太郎", "山田 太郎"), ("Jean\u2011Luc", "Jean-Luc"), ("བསྟན\u0f0bའཛིན", "བསྟན\u0f0bའཛིན")],
    ids=ascii,
)
def test_a_display_name_has_the_spaces_and_hyphens_of_its_keyboard(typed: str, kept: str) -> None:
    assert clean_display_name(typed) == kept


@pytest.mark.parametrize("name", ["น\u0e49\u0e33ฝน", "ค\u0e33แก้ว", "ຄ\u0eb3", "ㅇㅇ", "ㅋㅋ"], ids=ascii)
def test_a_name_keeps_letters_that_a_compatible_form_would_draw_otherwise(name: str) -> None:
    assert clean_username(name) == clean_display_name(name) == name
    assert keys(name) == keys(unicodedata.normalize("NFKC", name))


@pytest.mark.parametrize("name", [" alice", "alice ", "al  ice", "_alice", "alice.", "al..ice", "-", "", "''alice"])
def test_spaces_and_punctuation_are_single_and_inside(name: str) -> None:
    """U03."""
    for clean in (clean_username, clean_display_name):
        with pytest.raises(Refused):
            clean(name)


@pytest.mark.parametrize("name", ["аlice", "pаypаl", "ΑDMIN", "rооt", "ａlicе", "al\u0661ce", "1\u0661", "a\u0966b"])
def test_scripts_are_not_mixed(name: str) -> None:
    """U04."""
    for clean in (clean_username, clean_display_name):
        with pytest.raises(Refused):
            clean(name)


@pytest.mark.parametrize("name", ["сосо", "Сара", "Вера", "ΝΙΚΗ"])
def test_a_name_whose_letters_all_look_latin_is_allowed(name: str) -> None:
    """U04: such names are real. The key of their look belongs to the first who registers one of the two."""
    assert clean_username(name) == clean_display_name(name) == name


@pytest.mark.parametrize("name", ["ᴀʟɪᴄᴇ", "a\u0301\u0302\u0303\u0304b"])
def test_phonetic_signs_and_piles_of_accents_are_refused(name: str) -> None:
    """U04, X05."""
    for clean in (clean_username, clean_display_name):
        with pytest.raises(Refused):
            clean(name)


RESERVED = ["admin", "Admin", "ADMIN", "ＡＤＭＩＮ", "ɑdmin", "adm1n", "admin2", "ad.min", "system", "everyone", "Room"]


@pytest.mark.parametrize("name", [*RESERVED, "here", "moderator", "support", "root", "chatroom", "administrator"])
def test_names_of_authority_are_reserved(name: str) -> None:
    """U06."""
    for clean in (clean_username, clean_display_name):
        with pytest.raises(Refused, match="reserved"):
            clean(name)


def test_a_former_members_label_is_reserved() -> None:
    """U06."""
    with pytest.raises(Refused, match="reserved"):
        clean_display_name("Former Member")


@pytest.mark.parametrize(
    "name",
    [
        "alice",
        "zoë",
        "x.y-z_9",
        "Аня",
        "김철수",
        "田中たろう",
        "محمد",
        "नेहा",
        "Yıldız",
        "straße",
        "roomy",
        "a1",
        "2001",
    ],
)
def test_ordinary_user_names_are_allowed(name: str) -> None:
    assert clean_username(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "J. R. Hartley",
        "Ann O'Neil",
        "Martin Luther King Jr.",
        "Jean-Luc Picard",
        "Сара Иванова",
        "R2D2",
        "'t Hart",
    ],
)
def test_ordinary_display_names_are_allowed(name: str) -> None:
    assert clean_display_name(name) == name


def test_names_are_kept_in_compatibility_form() -> None:
    """What is shown is what was compared: no full-width or mathematical letters."""
    assert clean_username("ＡＬＩＣＥ") == "ALICE"
    assert clean_display_name("𝐀lice") == "Alice"


@pytest.mark.parametrize(("clean", "shortest", "longest"), [(clean_username, 2, 32), (clean_display_name, 1, 40)])
def test_lengths(clean: object, shortest: int, longest: int) -> None:
    assert callable(clean)
    assert clean("b" * shortest)
    assert clean("b" * longest)
    for name in ("b" * (shortest - 1), "b" * (longest + 1)):
        with pytest.raises(Refused):
            clean(name)


@pytest.mark.parametrize(
    ("one", "other"), [("Alice", "AIice"), ("modern", "modem"), ("bobO", "bob0"), ("coco", "сосо")]
)
def test_look_alikes_share_a_key(one: str, other: str) -> None:
    assert set(keys(one, one)) & set(keys(other, other))


@pytest.mark.parametrize(("one", "other"), [("Ian", "Lan"), ("alice", "alicia"), ("Ann Lee", "Annlee"), ("u1", "u11")])
def test_different_names_share_none(one: str, other: str) -> None:
    assert not set(keys(one, one)) & set(keys(other, other))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=12))
def test_whatever_is_typed_is_a_name_or_a_refusal(text: str) -> None:
    """U03: and what is allowed is clean, allowed again, and equal to its compatibility form."""
    for clean in (clean_username, clean_display_name):
        try:
            name = clean(text)
        except Refused:
            continue
        assert name == clean(name)
        assert keys(name) == keys(unicodedata.normalize("NFKC", name))
        assert not any(unicodedata.category(letter) in {"Cc", "Co", "Cs", "Cn", "Zl", "Zp"} for letter in name)
        assert not any(unicodedata.category(letter) == "Cf" for letter in name if letter not in "\u200c\u200d")


def test_plain_words_are_never_refused_for_their_letters() -> None:
    for letter in string.ascii_letters:
        assert clean_username(f"{letter}{letter}")
