from datetime import timedelta

import pytest

from chatroom.base.clock import utc_now
from chatroom.base.models import Person, Room, Slug
from chatroom.mongo.database import Database
from chatroom.people.users_store import UserStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore

DEN = Room(id="den", slug="den", title="Den", kind="private")
HALL = Room(id="hall", slug="hall", title="Hall")
HALL_OF_TWO = Room(id="two", slug="two", title="Two")


@pytest.fixture
def members(database: Database) -> MemberStore:
    """Alice, Albert and Bob, the first two of them in the den, and Albert in the hall."""
    users, rooms, memberships = UserStore(database), RoomStore(database), MembershipStore(database)
    for room in (DEN, HALL, HALL_OF_TWO):
        rooms.ensure(room)
    for username, name in (("Alice", "Zoe"), ("albert", "Bertie"), ("bob", "Al.x")):
        user = users.add(username, name, "hash")
        if username != "bob":
            memberships.admit(user.id, DEN)
            memberships.admit(user.id, HALL_OF_TWO)
        if username == "albert":
            memberships.admit(user.id, HALL)
    return MemberStore(database)


def names(members: list[Person]) -> list[str]:
    return [member.username for member in members]


def found(
    members: MemberStore, room: Room, beginning: str, limit: int = 10, *, may_add: bool = False
) -> tuple[list[str], list[str]]:
    """The names of the members and of the others."""
    inside, others = members.list_like(room, beginning, limit, may_add=may_add)
    return names(inside), names(others)


class TestFindNamed:
    def find(self, members: MemberStore, room: Room = DEN, *usernames: str) -> dict[str, tuple[bool, bool]]:
        found = members.find_named(room, usernames or ["alice", "bob", "nobody"])
        return {each.person.username: (each.is_in, each.may_be_added) for each in found}

    def test_by_folded_names_with_those_who_are_not_in_the_room(self, members: MemberStore) -> None:
        assert self.find(members) == {"Alice": (True, False), "bob": (False, True)}
        assert self.find(members, HALL) == {"Alice": (False, True), "bob": (False, True)}
        assert members.find_named(DEN, []) == []

    def test_who_left_may_be_added_and_who_was_removed_may_not(self, members: MemberStore, database: Database) -> None:
        users, memberships = UserStore(database), MembershipStore(database)
        alice, albert = users.find_by_username("alice"), users.find_by_username("albert")
        assert alice
        assert albert
        memberships.leave(alice.id, DEN)
        memberships.remove(albert.id, DEN)
        assert self.find(members, DEN, "alice", "albert") == {"Alice": (False, True), "albert": (False, False)}

    def test_who_is_banned_from_the_site_may_not_until_the_ban_ends(
        self, members: MemberStore, database: Database
    ) -> None:
        database["users"].update_one({"username": "bob"}, {"$set": {"banned_until": utc_now() + timedelta(hours=1)}})
        assert self.find(members, DEN, "bob") == {"bob": (False, False)}
        later = MemberStore(database, clock=lambda: utc_now() + timedelta(hours=2))
        assert self.find(later, DEN, "bob") == {"bob": (False, True)}

    def test_nobody_may_be_added_to_a_direct_conversation(self, members: MemberStore) -> None:
        talk = Room(id="talk", slug=Slug("dm_1"), title="", kind="direct")
        assert self.find(members, talk, "bob") == {"bob": (False, False)}


class TestListLike:
    def test_by_how_one_of_their_names_begins(self, members: MemberStore) -> None:
        assert found(members, HALL, "al") == (["albert"], ["Alice", "bob"])
        assert found(members, DEN, "al") == (["albert", "Alice"], [])
        assert found(members, HALL, "al.") == ([], ["bob"])
        assert found(members, HALL, "zo") == ([], ["Alice"])
        assert members.list_like(HALL, ".*", 10) == ([], [])
        assert members.list_like(HALL, "_", 10) == ([], [])

    def test_members_come_first_and_fill_the_list(self, members: MemberStore) -> None:
        assert found(members, HALL, "", 2) == (["albert"], ["Alice"])
        assert found(members, HALL, "", 1) == (["albert"], [])

    def test_of_a_private_room_others_are_for_those_who_may_add_them(self, members: MemberStore) -> None:
        assert found(members, DEN, "bo") == ([], [])
        assert found(members, DEN, "bo", may_add=True) == ([], ["bob"])
        talk = Room(id="talk", slug=Slug("dm_1"), title="", kind="direct")
        assert found(members, talk, "bo", may_add=True) == ([], [])

    def test_members_of_a_large_room_beyond_those_that_are_read(
        self, members: MemberStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.rooms.members_store.MOST_NAMED", 1)
        assert found(members, HALL_OF_TWO, "") == (["albert", "Alice"], ["bob"])


def test_members_by_any_part_of_a_name_and_without_accents(members: MemberStore, database: Database) -> None:
    user = UserStore(database).add("jw", "José Weaver", "hash")
    MembershipStore(database).admit(user.id, DEN)
    for room in (HALL, DEN):
        for query in ("jose", "José", "weaver", "WEA", "jose w"):
            assert names(members.list_like(room, query)[room is HALL]) == ["jw"], query
