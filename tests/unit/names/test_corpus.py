"""Names of people in 30 languages are accepted, and look-alikes and reserved words are refused."""

import pytest
import regex

from chatroom.base.errors import Refused
from chatroom.names import clean_display_name, clean_username, keys, person_keys
from chatroom.names.decorations import bare
from tests.corpus import read_sections

REFUSED_NAMES = {"Null", "みゆき☆", "I", "O"}
"""A reserved word, a star, and the shortest family names there are, which are too short for a user name."""

SAME_NAMES = [
    {"Gross", "Groß"}, {"O'Neil", "O’Neil"}, {"Strauss", "Strauß"}, {"Weiss", "Weiß"}, {"Мар'яна", "Мар’яна"},
    {"क्षितिज", "क्\u200dषितिज"},
]  # fmt: skip
MEMBERS = {"grace": ("grace", "Grace Hopper"), "Modern1": ("Modern1", "Ian O'Neil")}


def refusal_of(name: str) -> str | None:
    """The reason why somebody of this name cannot register, with the user name that the name suggests."""
    username = regex.sub(r" \(.*| \p{ExtPict}.*|['\u2019]", "", name)
    try:
        clean_display_name(name)
        clean_username(regex.sub(r"[^\p{L}\p{M}\p{Nd}\p{Join_Control}]+", ".", username).strip("."))
    except Refused as refusal:
        return refusal.message
    return None


def test_people_register_under_their_own_name() -> None:
    names = {name for _, names in read_sections("names.txt") for name in names}
    assert len(names) >= 1000
    assert {name for name in names if refusal_of(name)} == REFUSED_NAMES


@pytest.mark.parametrize(
    ("member", "name"),
    [
        (next((taken for who, taken in MEMBERS.items() if heading.endswith(who)), None), name)
        for heading, names in read_sections("names_refused.txt")
        for name in names
    ],
)
def test_look_alikes_and_reserved_words_are_refused(member: tuple[str, str] | None, name: str) -> None:
    taken = set(person_keys(*member)) if member else set()
    for clean in (clean_username, clean_display_name):
        try:
            cleaned = clean(name)
        except Refused:
            continue
        assert set(person_keys(cleaned, cleaned)) & taken


def test_no_two_names_of_people_are_equal_except_by_spelling() -> None:
    names = {name for _, names in read_sections("names.txt") for name in names}
    holders: dict[str, set[str]] = {}
    for name in names:
        for key in keys(bare(name)):
            holders.setdefault(key, set()).add(name)
    alike = {frozenset(each) for each in holders.values() if len(each) > 1}
    assert {frozenset(each) for each in SAME_NAMES} == alike


@pytest.mark.parametrize(
    ("one", "other"),
    [("Modern1", "modem1"), ("MODERN", "modem"), ("Vvalter", "walter"), ("COCO", "\u0441\u043e\u0441\u043e")],
)
def test_names_that_look_alike_in_small_letters_are_equal(one: str, other: str) -> None:
    assert set(person_keys(one, one)) & set(person_keys(other, other))


@pytest.mark.parametrize(("one", "other"), [("Ian", "Lan"), ("\u0130lker", "Ilker"), ("Ali", "All"), ("Bob", "B0b")])
def test_other_names_stay_different(one: str, other: str) -> None:
    assert not set(keys(one)) & set(keys(other))


def test_there_are_200_names_to_refuse() -> None:
    assert len({name for _, names in read_sections("names_refused.txt") for name in names}) >= 200


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gra\u200bce", "invisible character (U+200B zero width space) after “gra”"),
        ("Gr\u0430ce", "Latin (“G”) and Cyrillic (“\u0430”)"),
        ("Grace \u00a0Hopper", "unusual space (U+00A0 no-break space)"),
        ("Grace <3", "“<” (U+003C less-than sign) is not allowed"),
        ("Grace--Hopper", "two signs in a row (“--”)"),
        ("Grace ✅", "looks like a badge"),
        ("Grace🌻", "put a space between the letters and the emoji 🌻"),
        ("Grace (moderator)", "“moderator” is reserved"),
        ("Grace 🌻🌻🌻🌻", "too many emoji"),
        ("1\u0661", "digits of different scripts (“1” and “\u0661”)"),
    ],
)
def test_a_refusal_names_the_character_and_the_reason(name: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        clean_display_name(name)
    assert said in refusal.value.message


@pytest.mark.parametrize("decorated", ["Ada (she/her)", "Ada 🌻", "🌻 Ada", "Ada (she/her) 🌻"])
def test_decorations_do_not_make_another_name(decorated: str) -> None:
    assert clean_display_name(decorated) == decorated
    assert person_keys("x1", decorated) == person_keys("x1", "Ada")
