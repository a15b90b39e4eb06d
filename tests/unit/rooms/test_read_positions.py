from typing import Any

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Notice
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.rooms.read_positions import ReadPositions
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.databases import make_rooms
from tests.messaging import Messaging
from tests.people import ALICE, BOB, rendered


class Read:
    """Alice in the lobby, where Bob has written five messages."""

    def __init__(self, database: Database) -> None:
        store, messages = OwnMembershipStore(database), MessageStore(database, origin="here")
        self.told: list[Notice] = []
        notices = Notices(NoticeStore(database), apply=self.told.append)
        self.rooms = make_rooms(database, Messaging(messages).writer, notices)
        self.rooms.making.ensure_lobby()
        self.rooms.access.get_for(ALICE.id, "lobby")  # who comes begins to read at the end
        messages.append(LOBBY.id, [rendered(f"b{n}", author=BOB) for n in range(5)])
        self.told.clear()
        self.messages = messages
        self.positions = ReadPositions(store, messages, notices)

    def mark(self, sequence: int) -> int:
        return self.positions.mark(self.rooms.access.get_for(ALICE.id, "lobby"), sequence)

    def mark_unread(self, sequence: int) -> int:
        return self.positions.mark_unread(self.rooms.access.get_for(ALICE.id, "lobby"), sequence)

    @property
    def position(self) -> int:
        return self.rooms.access.get_for(ALICE.id, "lobby").membership.read_sequence


@pytest.fixture
def read(database: Database) -> Read:
    return Read(database)


def test_a_position_is_stored_and_announced(read: Read) -> None:
    assert read.mark(3) == read.position == 3
    (notice,) = read.told
    assert (notice.kind, notice.user, notice.room, notice.data) == (
        "read",
        ALICE.id,
        LOBBY.id,
        {"sequence": 3, "unread_marks": 0},
    )


def test_it_never_moves_back_and_is_announced_once(read: Read) -> None:
    read.mark(3)
    assert [read.mark(sequence) for sequence in (3, 1, 0)] == [3, 3, 3]
    assert read.position == 3
    assert len(read.told) == 1


@pytest.mark.parametrize("sequence", [6, 2**53])
def test_it_never_goes_beyond_the_room(read: Read, sequence: int) -> None:
    assert read.mark(sequence) == read.position == 5


def test_read_messages_are_not_unread(read: Read) -> None:
    def unread() -> Any:
        return read.rooms.listings.list_for(ALICE.id)[0].unread

    read.rooms.access.get_for(ALICE.id, "lobby")
    assert unread() == 5
    read.mark(3)
    assert unread() == 2
    read.mark(5)
    assert unread() == 0


class TestMarkUnread:
    @staticmethod
    def entry(read: Read) -> Any:
        return read.rooms.listings.list_for(ALICE.id)[0]

    @pytest.mark.parametrize("sequence", [1, 3, 5])
    def test_a_message_and_all_later_ones_are_unread(self, read: Read, sequence: int) -> None:
        read.mark(5)
        read.told.clear()
        assert read.mark_unread(sequence) == 1
        assert (read.position, self.entry(read).unread) == (sequence - 1, 6 - sequence)
        (notice,) = read.told
        assert (notice.kind, notice.user, notice.data) == (
            "read",
            ALICE.id,
            {"sequence": sequence - 1, "unread_marks": 1, "is_unread": True},
        )

    def test_a_position_from_before_the_mark_changes_nothing(self, read: Read) -> None:
        read.mark(4)
        before = read.rooms.access.get_for(ALICE.id, "lobby")
        read.mark_unread(2)
        read.told.clear()
        read.positions.mark(before, 5)  # it was queued, perhaps in another process
        assert (
            read.positions.mark(read.rooms.access.get_for(ALICE.id, "lobby"), 5, 0) == 1
        )  # from a page that was offline
        assert (read.position, read.told) == (1, [])

    def test_a_later_visit_reads_it(self, read: Read) -> None:
        read.mark(4)
        read.mark_unread(2)
        assert read.mark(5) == read.position == 5
        assert read.told[-1].data == {"sequence": 5, "unread_marks": 1}
        assert self.entry(read).unread == 0
        assert read.mark_unread(5) == 2

    def test_own_messages_count_only_if_they_are_marked(self, read: Read) -> None:
        read.messages.append(LOBBY.id, [rendered(f"a{n}", author=ALICE) for n in range(2)])
        read.mark(7)
        read.mark_unread(6)
        assert self.entry(read).unread == 1
        read.mark_unread(5)
        assert self.entry(read).unread == 1  # the message by Bob

    def test_mentions_are_unread_again(self, read: Read) -> None:
        message = read.messages.newest(LOBBY.id, 1)[0]
        read.messages.change(LOBBY.id, message.id, lambda _: {"mentions": [ALICE.id]})
        read.mark(6)
        assert self.entry(read).mentions == 0
        read.mark_unread(5)
        assert self.entry(read).mentions == 1

    @pytest.mark.parametrize("sequence", [0, 6, 2**53])
    def test_what_is_not_there_is_refused(self, read: Read, sequence: int) -> None:
        with pytest.raises(Refused) as caught:
            read.mark_unread(sequence)
        assert (caught.value.reason, read.position) == ("not_found", 0)
