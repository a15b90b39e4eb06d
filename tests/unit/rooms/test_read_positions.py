from typing import Any

import pytest

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
        self.positions = ReadPositions(store, messages, notices)

    def mark(self, sequence: int) -> int:
        return self.positions.mark(self.rooms.access.get_for(ALICE.id, "lobby"), sequence)

    @property
    def position(self) -> int:
        return self.rooms.access.get_for(ALICE.id, "lobby").membership.read_sequence


@pytest.fixture
def read(database: Database) -> Read:
    return Read(database)


def test_a_position_is_stored_and_announced(read: Read) -> None:
    assert read.mark(3) == read.position == 3
    (notice,) = read.told
    assert (notice.kind, notice.user, notice.room, notice.data) == ("read", ALICE.id, LOBBY.id, {"sequence": 3})


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
