import pytest

from chatroom.errors import Refused
from chatroom.models import Room
from chatroom.rooms import LOBBY, Rooms
from chatroom.store.database import Database
from chatroom.store.listings import ListingStore
from chatroom.store.rooms import RoomStore
from tests.databases import in_memory
from tests.people import ALICE, MALLORY

DEN = Room(id="den", slug="the-den", title="The den", kind="private")


@pytest.fixture
def database() -> Database:
    return in_memory()


@pytest.fixture
def rooms(database: Database) -> Rooms:
    store = RoomStore(database)
    store.ensure(DEN)
    store.admit(ALICE.id, DEN)
    rooms = Rooms(store, ListingStore(database))
    rooms.ensure_lobby()
    return rooms


def test_a_member_gets_the_room(rooms: Rooms) -> None:
    assert rooms.get_for(ALICE.id, "the-den").room == DEN


@pytest.mark.parametrize("slug", ["the-den", "nowhere", "den", "", "\0", "$ne", "THE-DEN"])
def test_w09_an_outsider_is_told_the_same_of_a_closed_room_and_of_none(rooms: Rooms, slug: str) -> None:
    with pytest.raises(Refused) as refusal:
        rooms.get_for(MALLORY.id, slug)
    assert refusal.value.reason == "not_found"
    assert refusal.value.message == "There is no such room, or you are not a member of it."


def test_who_comes_to_an_open_room_becomes_a_member(rooms: Rooms, database: Database) -> None:
    assert rooms.get_for(MALLORY.id, "lobby").room == LOBBY
    assert rooms.get_for(MALLORY.id, "lobby").room == LOBBY
    assert database.memberships.count_documents({"user": MALLORY.id}) == 1


def test_the_lobby_is_made_once(rooms: Rooms, database: Database) -> None:
    rooms.ensure_lobby()
    assert database.rooms.count_documents({"slug": "lobby"}) == 1
