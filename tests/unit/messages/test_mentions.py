from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from chatroom.base.models import Message, Person, Role, Room, Slug
from chatroom.messages.mentions import (
    EVERYBODY,
    HERE,
    KEPT_SECONDS,
    MOST,
    MOST_HERE,
    MOST_NOTIFIED,
    NOTIFIED_FOR,
    Addressee,
    Mentions,
    Unreached,
    mentions_after,
)
from chatroom.names import fold
from chatroom.rooms.access import LOBBY
from tests.people import ALICE, access

PEOPLE = [Person(id=str(number), username=f"Person{number}", name=f"Person {number}") for number in range(30)]
ABSENT = (
    Addressee(Person("z", "Zoe", "zoe"), is_in=False, may_be_added=True),
    Addressee(Person("y", "Yan", "yan"), is_in=False),
)
DEN = Room(id="den", slug=Slug("den"), title="Den", kind="private")


class Directory:
    """Everybody by their folded name, and who was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, room: Room, names: Collection[str]) -> list[Addressee]:
        self.asked.append(list(names))
        members = [Addressee(member) for member in PEOPLE if fold(member.username) in names]
        return members + [each for each in ABSENT if fold(each.person.username) in names]


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


class TestUnreached:
    """What the author of a message is told about mentions that notify nobody."""

    def test_people_who_are_not_in_a_private_room_are_named_and_not_mentioned(self, mentions: Mentions) -> None:
        sentence = "Zoe is not in this room and will not see this."
        text = "@zoe, @person1 and @nobody"
        assert mentions.find(access(ALICE, DEN), text) == (PEOPLE[1],)
        assert mentions.find_unreached(access(ALICE, DEN), text) == (Unreached("zoe", sentence),)
        assert mentions.find_unreached(access(ALICE, DEN, "moderator"), text) == (Unreached("zoe", sentence, True),)

    def test_in_a_public_room_they_can_read_it_and_are_not_notified(self, mentions: Mentions) -> None:
        assert mentions.find(access(ALICE, LOBBY), "@zoe") == (ABSENT[0].person,)
        (told,) = mentions.find_unreached(access(ALICE, LOBBY), "@zoe `@yan`")
        assert told == Unreached("zoe", "Zoe is not in this room and is not notified.")

    def test_nobody_is_offered_who_was_removed_or_for_a_conversation(self, mentions: Mentions) -> None:
        assert [each.may_add for each in mentions.find_unreached(access(ALICE, DEN, "administrator"), "@yan")] == [
            False
        ]
        talk = Room(id="talk", slug=Slug("dm_1"), title="", kind="direct")
        (told,) = mentions.find_unreached(access(ALICE, talk, "administrator"), "@zoe")
        assert told == Unreached("zoe", "Zoe is not in this conversation and will not see this.")

    def test_a_refused_room_mention_says_so(self, mentions: Mentions) -> None:
        assert mentions.find_unreached(access(ALICE, LOBBY, "moderator"), "@room") == ()
        (told,) = mentions.find_unreached(access(ALICE, LOBBY), "@room @Room")
        assert told == Unreached("room", "Only moderators can mention everybody: @room notified nobody.")

    def test_a_room_may_let_everyone_mention_everybody(self, mentions: Mentions) -> None:
        open_room = msgspec.structs.replace(DEN, members_mention_all=True)
        assert mentions.find(access(ALICE, open_room), "@room") == (EVERYBODY,)
        assert mentions.find_unreached(access(ALICE, open_room), "@room") == ()
        talk = Room(id="talk", slug=Slug("dm_1"), title="", kind="direct", members_mention_all=True)
        (told,) = mentions.find_unreached(access(ALICE, talk), "@room")
        assert told.message == "Everybody in this conversation is notified of every message: @room notified nobody."

    def test_a_text_without_an_at_sign_makes_no_query(self, mentions: Mentions, directory: Directory) -> None:
        assert mentions.find_unreached(access(ALICE, LOBBY), "hello zoe") == ()
        assert directory.asked == []

    def test_who_is_absent_is_not_cached_because_they_may_be_added_now(
        self, mentions: Mentions, directory: Directory
    ) -> None:
        for _ in range(2):
            mentions.find_unreached(access(ALICE, DEN), "@zoe @person1")
        assert directory.asked == [["zoe", "person1"], ["zoe"]]


class TestHere:
    """`@here` mentions the people who are in the room at the time of the post, each by id."""

    def mentions(self, *here: Person) -> Mentions:
        return Mentions(Directory(), lambda room_id: [Person(ALICE.id, "Alice"), *here] if room_id == DEN.id else [])

    def test_it_mentions_those_who_are_there_without_the_author(self) -> None:
        found = self.mentions(*PEOPLE[:3]).find(access(ALICE, DEN, "moderator"), "@here @person1 @person9")
        assert found == (PEOPLE[1], PEOPLE[9], HERE, PEOPLE[0], PEOPLE[2])

    @pytest.mark.parametrize(
        ("people", "role", "why"),
        [
            ([], "moderator", "Nobody else is here now"),
            (PEOPLE[:2], "member", "Only moderators can mention everybody"),
            (
                [Person(f"p{n}", f"P {n}", f"p{n}") for n in range(MOST_HERE + 1)],
                "moderator",
                "More than 100 people are here",
            ),
        ],
    )
    def test_otherwise_it_is_plain_text_and_says_so(self, people: list[Person], role: Role, why: str) -> None:
        mentions, author = self.mentions(*people), access(ALICE, DEN, role)
        assert mentions.find(author, "@here") == ()
        assert mentions.find_unreached(author, "@here") == (Unreached("here", f"{why}: @here notified nobody."),)

    def test_of_a_hundred_everybody_is_mentioned(self) -> None:
        people = [Person(f"p{n}", f"P {n}", f"p{n}") for n in range(MOST_HERE)]
        found = self.mentions(*people).find(access(ALICE, DEN, "moderator"), "@here")
        assert found == (HERE, *people)

    def test_an_edit_keeps_those_whom_it_reached(self) -> None:
        """Those who have come since are not notified of an edit that mends a word."""
        post = msgspec.structs.replace(TestEdits.POST, mentions=("here", "p1", "p2"))
        assert mentions_after(post, [HERE, Person("p3", "P 3")], TestEdits.NOW) == {}
        fields = mentions_after(
            post, [Person("p2", "P 2"), Person("p9", "P 9"), HERE, Person("p3", "P 3")], TestEdits.NOW
        )
        assert (fields["mentions"], fields["new_mentions"]) == (["p2", "p9", "here", "p1"], ["p9"])

    def test_an_edit_that_adds_it_reaches_those_who_are_there_now(self) -> None:
        fields = mentions_after(TestEdits.POST, [HERE, PEOPLE[3]], TestEdits.NOW)
        assert fields["new_mentions"] == ["here", PEOPLE[3].id]


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
