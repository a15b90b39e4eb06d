from collections.abc import Collection

import pytest

from chatroom.base.models import Person, Room
from chatroom.messages.mentions import EVERYBODY, KEPT_SECONDS, MOST, Mentions
from chatroom.names import fold
from chatroom.rooms.access import LOBBY
from tests.people import ALICE, access

PEOPLE = [Person(id=str(number), username=f"Person{number}", name=f"Person {number}") for number in range(30)]


class Directory:
    """Everybody by their folded name, and who was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, room: Room, names: Collection[str]) -> list[Person]:
        self.asked.append(list(names))
        return [member for member in PEOPLE if fold(member.username) in names]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mentions(directory: Directory, clock: Clock) -> Mentions:
    return Mentions(directory, clock=clock)


def test_a_text_without_an_at_sign_makes_no_query(mentions: Mentions, directory: Directory) -> None:
    assert mentions.find(access(ALICE, LOBBY), "hello person1") == ()
    assert directory.asked == []


def test_mentions_keep_the_order_of_the_text_without_duplicates(mentions: Mentions, directory: Directory) -> None:
    found = mentions.find(access(ALICE, LOBBY), "@person2 @PERSON1, @person2 @nobody `@person3` a@person4")
    assert found == (PEOPLE[2], PEOPLE[1])
    assert directory.asked == [["person2", "person1", "nobody"]]


def test_the_first_twenty_alone_are(mentions: Mentions) -> None:
    text = " ".join(f"@{person.username}" for person in PEOPLE)
    assert mentions.find(access(ALICE, LOBBY), text) == tuple(PEOPLE[:MOST])


def test_everybody_is_named_by_moderators_alone(mentions: Mentions, directory: Directory) -> None:
    assert mentions.find(access(ALICE, LOBBY), "@room look") == ()
    assert mentions.find(access(ALICE, LOBBY, "moderator"), "@room look, @person1") == (EVERYBODY, PEOPLE[1])
    assert directory.asked == [["person1"]]


def test_found_people_are_cached_per_room_for_a_while(mentions: Mentions, directory: Directory, clock: Clock) -> None:
    other = Room(id="other", slug="other", title="")
    for room in (LOBBY, LOBBY, other):
        assert mentions.find(access(ALICE, room), "@person1 @nobody") == (PEOPLE[1],)
    assert len(directory.asked) == 2
    clock.now = KEPT_SECONDS + 1
    mentions.find(access(ALICE, LOBBY), "@person1")
    assert len(directory.asked) == 3
