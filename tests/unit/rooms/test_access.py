import pytest

from chatroom.base.errors import Refused
from chatroom.rooms.access import LOBBY
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from tests.messaging import new_draft
from tests.people import ALICE, BOB, MALLORY
from tests.unit.rooms.world import DEN, World, reason


class TestFinding:
    def test_a_member_gets_the_room(self, world: World) -> None:
        store = RoomStore(world.database)
        memberships = MembershipStore(world.database)
        store.ensure(DEN)
        memberships.admit(ALICE.id, DEN)
        assert world.rooms.access.get_for(ALICE.id, "the-den").room == DEN

    @pytest.mark.parametrize("slug", ["the-den", "nowhere", "den", "", "\0", "$ne", "THE-DEN"])
    def test_w09_an_outsider_gets_the_same_answer_for_a_private_and_a_missing_room(
        self, world: World, slug: str
    ) -> None:
        RoomStore(world.database).ensure(DEN)
        with pytest.raises(Refused) as refusal:
            world.rooms.access.get_for(MALLORY.id, slug)
        assert reason(refusal) == "not_found"
        assert refusal.value.message == "There is no such room, or you are not a member of it."

    def test_readable_are_the_own_rooms_and_the_public_ones_that_one_can_join(self, world: World) -> None:
        den = world.den().room
        hall = world.rooms.making.create(ALICE, "member", title="Hall")
        talk = world.rooms.direct.open(ALICE, [BOB.id])
        slugs = [den.slug, hall.slug, talk.slug, "nowhere"]
        find = world.rooms.access_store.find_readable
        assert find(ALICE.id, slugs) == find(BOB.id, slugs) == {den.slug, hall.slug}
        assert find(MALLORY.id, slugs) == {hall.slug}
        assert find(MALLORY.id, []) == set()
        for person in (BOB, MALLORY):
            world.rooms.access.visit(person.id, hall.slug)
        store = world.rooms.membership_store
        store.leave(MALLORY.id, hall)
        store.remove(BOB.id, hall)
        store.remove(BOB.id, den)
        assert find(BOB.id, slugs) == set()
        assert find(MALLORY.id, slugs) == {hall.slug}

    def test_opening_a_public_room_makes_a_member(self, world: World) -> None:
        assert world.rooms.access.get_for(MALLORY.id, "lobby").room == LOBBY
        assert world.rooms.access.get_for(MALLORY.id, "lobby").room == LOBBY
        assert world.database["memberships"].count_documents({"user": MALLORY.id}) == 1

    def test_a_new_member_starts_reading_at_the_end(self, world: World) -> None:
        for n in range(3):
            world.messages.post(LOBBY, new_draft(BOB, f"hi {n}"))
        assert world.rooms.access.get_for(ALICE.id, "lobby").membership.read_sequence == 3

    def test_the_lobby_is_made_once(self, world: World) -> None:
        world.rooms.making.ensure_lobby()
        assert world.database["rooms"].count_documents({"slug": "lobby"}) == 1


class TestEvading:
    """M17: leaving before one is removed or muted helps nobody, and nobody joins by posting."""

    def test_a_user_who_has_just_left_can_be_removed(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.rooms.membership.leave(world.access(BOB, room))
        for _ in range(2):
            world.rooms.membership.remove(world.access(ALICE, room), BOB.id)
        for come in (lambda: world.rooms.membership.join(BOB, room.slug), lambda: world.access(BOB, room)):
            with pytest.raises(Refused) as refusal:
                come()
            assert reason(refusal) == "not_found"
        assert [entry.act for entry in world.audit.page().entries] == ["remove_member"]

    def test_only_opening_the_page_or_joining_makes_a_member(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.rooms.membership.leave(world.access(BOB, room))
        for person in (BOB, MALLORY):
            with pytest.raises(Refused, match="Open its page to join it") as refusal:
                world.rooms.access.get_for(person.id, room.slug)
            assert (reason(refusal), world.is_in(person, room)) == ("forbidden", False)

    def test_coming_back_by_the_page_is_counted_and_the_first_time_is_not(self, world: World) -> None:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        counted: list[str] = []
        for _ in range(3):
            access = world.rooms.access.visit(BOB.id, room.slug, lambda: counted.append("once"))
            world.rooms.membership.leave(access)
        assert counted == ["once"] * 2
