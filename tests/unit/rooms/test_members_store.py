import pytest

from chatroom.base.models import Person, Room
from chatroom.mongo.database import Database
from chatroom.people.users_store import UserStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore

DEN = Room(id="den", slug="den", title="Den", kind="private")
HALL = Room(id="hall", slug="hall", title="Hall")


@pytest.fixture
def members(database: Database) -> MemberStore:
    """Alice, Albert and Bob, the first two of them in the den."""
    users, rooms, memberships = UserStore(database), RoomStore(database), MembershipStore(database)
    for room in (DEN, HALL):
        rooms.ensure(room)
    for username, name in (("Alice", "Zoe"), ("albert", "Bertie"), ("bob", "Al.x")):
        user = users.add(username, name, "hash")
        if username != "bob":
            memberships.admit(user.id, DEN)
    return MemberStore(database)


def names(members: list[Person]) -> list[str]:
    return [member.username for member in members]


def test_members_by_their_folded_names(members: MemberStore) -> None:
    assert set(names(members.find_named(HALL, ["alice", "bob", "nobody"]))) == {"Alice", "bob"}
    assert names(members.find_named(DEN, ["alice", "bob", "nobody"])) == ["Alice"]
    assert members.find_named(DEN, []) == []


def test_members_by_how_one_of_their_names_begins(members: MemberStore) -> None:
    assert names(members.list_like(HALL, "al", 10)) == ["albert", "Alice", "bob"]
    assert names(members.list_like(DEN, "al", 10)) == ["albert", "Alice"]
    assert names(members.list_like(HALL, "al.", 10)) == ["bob"]
    assert names(members.list_like(HALL, "zo", 10)) == ["Alice"]
    assert names(members.list_like(HALL, "", 2)) == ["albert", "Alice"]
    assert members.list_like(HALL, ".*", 10) == []
    assert members.list_like(HALL, "_", 10) == []


def test_members_by_any_part_of_a_name_and_without_accents(members: MemberStore, database: Database) -> None:
    user = UserStore(database).add("jw", "José Weaver", "hash")
    MembershipStore(database).admit(user.id, DEN)
    for room in (HALL, DEN):
        for query in ("jose", "José", "weaver", "WEA", "jose w"):
            assert names(members.list_like(room, query)) == ["jw"], query
