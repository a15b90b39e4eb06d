from datetime import UTC, datetime, timedelta

import pytest

from chatroom.base.models import Membership, Notice, Notify
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.arrangement import Arrangement, RoomArrangement
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.databases import make_rooms
from tests.messaging import Messaging
from tests.people import ALICE

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MORNING = NOON + timedelta(hours=20)


class Bell:
    """Alice's bell in the lobby, at a time that the test sets."""

    def __init__(self, database: Database) -> None:
        self.now = NOON
        self.told: list[Notice] = []
        self._notices = Notices(NoticeStore(database), apply=self.told.append)
        messages = MessageStore(database, origin="here")
        rooms = make_rooms(database, Messaging(messages).writer, self._notices)
        rooms.making.ensure_lobby()
        self.access = rooms.access.get_for(ALICE.id, "lobby")
        self.memberships = MembershipStore(database)
        self._store = OwnMembershipStore(database, clock=lambda: self.now)
        self._accesses = AccessStore(database, clock=lambda: self.now)
        self._listings = ListingStore(database, clock=lambda: self.now)
        self._arrangement = RoomArrangement(self._store, messages, self._notices)
        self.told.clear()

    def choose(self, notify: Notify) -> None:
        self._arrangement.change(self.access, Arrangement(notify=notify))

    def pause(self, until: datetime) -> None:
        self._arrangement.change(self.access, Arrangement(paused_until=until))

    def membership(self) -> Membership:
        """The membership as a page and as the list of rooms read it."""
        access = self._accesses.find(ALICE.id, "lobby")
        assert access is not None
        (entry,) = self._listings.list_for(ALICE.id)
        assert entry.membership == access.membership
        assert self._store.preferences_in(LOBBY.id, [ALICE.id]) == {ALICE.id: access.membership.notify}
        return access.membership


@pytest.fixture
def bell(database: Database) -> Bell:
    return Bell(database)


def test_a_choice_holds_everywhere_and_the_devices_are_told(bell: Bell) -> None:
    assert (bell.membership().notify, bell.membership().chosen) == ("mentions", "mentions")
    bell.choose("all")
    assert (bell.membership().notify, bell.membership().chosen) == ("all", "all")
    assert [(notice.kind, notice.user) for notice in bell.told] == [("rooms", ALICE.id)]


def test_a_pause_ends_by_itself_and_the_choice_holds_again(bell: Bell) -> None:
    bell.choose("all")
    bell.pause(MORNING)
    bell.now = MORNING - timedelta(milliseconds=1)
    paused = bell.membership()
    assert (paused.notify, paused.chosen, paused.paused_until) == ("none", "all", MORNING)
    bell.now = MORNING
    assert (bell.membership().notify, bell.membership().paused_until) == ("all", None)
    assert [notice.kind for notice in bell.told] == ["rooms", "rooms"]


def test_the_next_choice_ends_a_pause_and_so_does_leaving(bell: Bell) -> None:
    bell.pause(MORNING)
    bell.choose("mentions")
    assert (bell.membership().notify, bell.membership().paused_until) == ("mentions", None)
    bell.pause(MORNING)
    bell.memberships.leave(ALICE.id, LOBBY)
    bell.memberships.admit(ALICE.id, LOBBY)
    assert (bell.membership().notify, bell.membership().paused_until) == ("mentions", None)
