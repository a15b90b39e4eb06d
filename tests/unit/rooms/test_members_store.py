import pytest

from chatroom.base.models import Person, Room
from chatroom.mongo.database import Database
from chatroom.people.users_store import UserStore
from chatroom.rooms.rooms_store import RoomStore

DEN = Room(id="den", slug="den", title="Den", kind="private")
HALL = Room(id="hall", slug="hall", title="Hall")


@pytest.fixture
def rooms(database: Database) -> RoomStore:
    """Alice, Albert and Bob, the first two of them in the den."""
    users, rooms = UserStore(database), RoomStore(database)
    for room in (DEN, HALL):
        rooms.ensure(room)
    for username, name in (("Alice", "Zoe"), ("albert", "Bertie"), ("bob", "Al.x")):
        user = users.add(username, name, "hash")
        if username != "bob":
            rooms.admit(user.id, DEN)
    return rooms


def names(members: list[Person]) -> list[str]:
    return [member.username for member in members]


def test_members_by_their_folded_names(rooms: RoomStore) -> None:
    assert set(names(rooms.find_people(HALL, ["alice", "bob", "nobody"]))) == {"Alice", "bob"}
    assert names(rooms.find_people(DEN, ["alice", "bob", "nobody"])) == ["Alice"]
    assert rooms.find_people(DEN, []) == []


def test_members_by_how_one_of_their_names_begins(rooms: RoomStore) -> None:
    assert names(rooms.people_like(HALL, "al", 10)) == ["albert", "Alice", "bob"]
    assert names(rooms.people_like(DEN, "al", 10)) == ["albert", "Alice"]
    assert names(rooms.people_like(HALL, "al.", 10)) == ["bob"]
    assert names(rooms.people_like(HALL, "zo", 10)) == ["Alice"]
    assert names(rooms.people_like(HALL, "", 2)) == ["albert", "Alice"]
    assert rooms.people_like(HALL, ".*", 10) == []
