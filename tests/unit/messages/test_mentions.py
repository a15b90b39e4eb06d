from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from chatroom.base.models import Message, Person, Room
from chatroom.messages.mentions import (
    EVERYBODY,
    KEPT_SECONDS,
    MOST,
    MOST_NOTIFIED,
    NOTIFIED_FOR,
    Mentions,
    mentions_after,
)
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


class TestEdits:
    """Whom an edit mentions for the first time. These people are notified."""

    NOW = datetime(2026, 11, 21, tzinfo=UTC)
    POST = Message(id="1", sequence=1, revision=1, author=ALICE, client_id="a", text="", html="", sent_at=NOW)

    def edit(self, message: Message, *people: Person, after: timedelta = timedelta(minutes=1)) -> Message:
        fields = mentions_after(message, people, self.NOW + after)
        return msgspec.structs.replace(message, **{name: tuple(ids) for name, ids in fields.items()})

    def test_a_mention_notifies_once_also_if_it_is_removed_and_added_again(self) -> None:
        bob, carol = PEOPLE[:2]
        new = []
        message = self.POST
        for people in ([bob], [bob], [], [bob], [carol, bob], [EVERYBODY, bob], [PEOPLE[2]]):
            message = self.edit(message, *people)
            new.append(message.new_mentions)
        assert new == [(bob.id,), (), (), (), (carol.id,), ("room",), ()]

    def test_those_whom_the_post_mentioned_are_not_notified_again(self) -> None:
        post = msgspec.structs.replace(self.POST, mentions=(PEOPLE[0].id,))
        assert self.edit(post, *PEOPLE[:2]).new_mentions == (PEOPLE[1].id,)
        everybody = msgspec.structs.replace(self.POST, mentions=("room",))
        assert self.edit(everybody, PEOPLE[0]).new_mentions == ()

    def test_nobody_is_notified_of_an_own_edit_or_of_an_old_message(self) -> None:
        assert self.edit(self.POST, Person(id=ALICE.id, username="alice", name="Alice")).new_mentions == ()
        assert self.edit(self.POST, PEOPLE[0], after=NOTIFIED_FOR).new_mentions == (PEOPLE[0].id,)
        assert self.edit(self.POST, PEOPLE[0], after=NOTIFIED_FOR + timedelta(seconds=1)).new_mentions == ()

    def test_an_edit_without_other_mentions_changes_no_field(self) -> None:
        post = msgspec.structs.replace(self.POST, mentions=(PEOPLE[0].id,))
        assert mentions_after(post, PEOPLE[:1], self.NOW) == {}

    def test_the_number_of_notified_people_is_bounded(self) -> None:
        message = self.POST
        for number in range(MOST_NOTIFIED + 5):
            message = self.edit(message, Person(id=f"p{number}", username=f"p{number}", name="P"))
        assert len(message.past_mentions) == MOST_NOTIFIED
        assert message.new_mentions == ()
