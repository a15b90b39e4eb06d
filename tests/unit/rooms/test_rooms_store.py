import threading

import pytest

from chatroom.base.access import Access
from chatroom.base.errors import SettingsError
from chatroom.base.models import Room
from chatroom.mongo.database import Database
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from tests.people import ALICE, MALLORY

DEN = Room(id="den", slug="the-den", title="The den", kind="private")
HALL = Room(id="hall", slug="hall", title="Hall")


@pytest.fixture
def rooms(database: Database) -> RoomStore:
    return RoomStore(database)


@pytest.fixture
def memberships(database: Database) -> MembershipStore:
    return MembershipStore(database)


@pytest.fixture
def accesses(database: Database) -> AccessStore:
    return AccessStore(database)


def room_of(access: Access | None) -> Room | None:
    return access and access.room


def test_a_room_is_found_through_its_member(
    rooms: RoomStore, memberships: MembershipStore, accesses: AccessStore
) -> None:
    rooms.ensure(DEN)
    memberships.admit(ALICE.id, DEN)

    assert room_of(accesses.find(ALICE.id, "the-den")) == DEN
    assert accesses.find(MALLORY.id, "the-den") is None
    assert accesses.find(ALICE.id, "den") is None
    assert accesses.find(ALICE.id, "nowhere") is None


def test_only_an_open_room_is_found_by_everybody(rooms: RoomStore) -> None:
    rooms.ensure(DEN)
    rooms.ensure(HALL)

    assert rooms.find_public("hall") == HALL
    assert rooms.find_public("the-den") is None
    assert rooms.find_public("nowhere") is None


def test_a_room_that_is_there_stays_as_it_is(
    rooms: RoomStore, memberships: MembershipStore, accesses: AccessStore
) -> None:
    rooms.ensure(DEN)
    rooms.ensure(Room(id="den", slug="other", title="Other"))

    assert rooms.find_public("other") is None
    memberships.admit(ALICE.id, DEN)
    assert room_of(accesses.find(ALICE.id, "the-den")) == DEN


def test_a_room_whose_name_is_taken_is_not_made(rooms: RoomStore, database: Database) -> None:
    """D12: nor taken for the one that is there."""
    rooms.ensure(DEN)
    with pytest.raises(SettingsError, match="the-den"):
        rooms.ensure(Room(id="den2", slug="the-den", title="Another", kind="private"))

    assert database["rooms"].count_documents({}) == 1


def test_a_member_is_admitted_once(rooms: RoomStore, memberships: MembershipStore, database: Database) -> None:
    rooms.ensure(DEN)
    memberships.admit(ALICE.id, DEN)
    memberships.admit(ALICE.id, DEN)

    assert database["memberships"].count_documents({}) == 1


@pytest.mark.integration
def test_simultaneous_processes_create_one_room_and_one_membership(real_database: Database) -> None:
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def run() -> None:
        rooms = RoomStore(real_database)
        memberships = MembershipStore(real_database)
        start.wait()
        try:
            rooms.ensure(DEN)
            memberships.admit(ALICE.id, DEN)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert real_database["rooms"].count_documents({}) == 1
    assert real_database["memberships"].count_documents({}) == 1
