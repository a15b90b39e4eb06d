import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Reaction
from chatroom.messages.reactions import MOST_EMOJI, MOST_PEOPLE, check_emoji, react
from tests.people import ALICE, BOB

TADA = Reaction("🎉", (ALICE,))


def test_the_first_comes_last_and_others_join() -> None:
    assert react([TADA], BOB, "😄", on=True) == [TADA, Reaction("😄", (BOB,))]
    assert react([TADA], BOB, "🎉", on=True) == [Reaction("🎉", (ALICE, BOB))]


def test_removing_the_last_reaction_removes_the_emoji() -> None:
    assert react([Reaction("🎉", (ALICE, BOB))], ALICE, "🎉", on=False) == [Reaction("🎉", (BOB,))]
    assert react([TADA, Reaction("😄", (BOB,))], ALICE, "🎉", on=False) == [Reaction("😄", (BOB,))]


def test_a_repeated_reaction_is_no_change() -> None:
    assert react([TADA], ALICE, "🎉", on=True) is None
    assert react([TADA], BOB, "🎉", on=False) is None
    assert react([], BOB, "🎉", on=False) is None


def test_there_are_bounds() -> None:
    many = [Reaction(str(number), (ALICE,)) for number in range(MOST_EMOJI)]
    assert react(many, BOB, "0", on=True)
    with pytest.raises(Refused) as refusal:
        react(many, BOB, "🎉", on=True)
    assert refusal.value.reason == "too_many_reactions"
    crowd = Reaction("🎉", tuple(Author(str(number), "Somebody") for number in range(MOST_PEOPLE)))
    with pytest.raises(Refused) as refusal:
        react([crowd], BOB, "🎉", on=True)
    assert refusal.value.reason == "too_many_reactions"
    assert react([crowd], crowd.people[0], "🎉", on=False)


@pytest.mark.parametrize(("text", "emoji"), [("🎉", "🎉"), (":tada:", "🎉"), ("tada", "🎉"), (" 🎉\n", "🎉")])
def test_an_emoji_is_understood(text: str, emoji: str) -> None:
    assert check_emoji(text) == emoji


@pytest.mark.parametrize("text", ["", ":", "hello", "<img>", "🎉🎉", "\ud800"], ids=ascii)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_emoji(text)
    assert refusal.value.reason == "invalid"
