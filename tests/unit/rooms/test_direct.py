import hashlib
import threading

import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Notice, Slug
from chatroom.rooms.direct import MOST_PEOPLE
from tests.people import ALICE, BOB, MALLORY
from tests.unit.rooms.world import World, reason


class TestDirect:
    def test_it_is_one_for_the_same_people_and_called_by_the_others_names(self, world: World) -> None:
        room = world.rooms.direct.open(ALICE, [BOB.id, MALLORY.id])
        assert world.rooms.direct.open(MALLORY, [BOB.id, ALICE.id, MALLORY.id]).id == room.id
        assert world.rooms.direct.open(ALICE, [BOB.id]).id != room.id
        assert world.access(ALICE, room).room.title == "Bob, Mallory"
        assert world.access(BOB, room).room.title == "Alice, Mallory"
        assert Notice(kind="rooms", user=BOB.id) in world.told

    def test_nobody_joins_or_leaves_a_direct_conversation(self, world: World) -> None:
        room = world.rooms.direct.open(ALICE, [BOB.id])
        with pytest.raises(Refused):
            world.rooms.access.get_for(MALLORY.id, room.slug)
        access = world.access(ALICE, room)
        with pytest.raises(Refused):
            world.rooms.membership.add(access, MALLORY.id, "Mallory")
        with pytest.raises(Refused):
            world.rooms.membership.remove(access, BOB.id)
        with pytest.raises(Refused):
            world.rooms.membership.leave(access)

    @pytest.mark.parametrize("others", [[], [ALICE.id], [str(n) for n in range(MOST_PEOPLE)]])
    def test_it_has_two_to_eight(self, world: World, others: list[str]) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.direct.open(ALICE, others)
        assert reason(refusal) == "invalid"

    def test_it_needs_existing_people(self, world: World) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.direct.open(ALICE, ["nobody"])
        assert reason(refusal) == "not_found"

    def test_a_room_with_its_address_cannot_take_it_over(self, world: World) -> None:
        """U08: the address was made of the two ids, which everybody in a room with them sees."""
        key = hashlib.sha256(",".join(sorted([ALICE.id, BOB.id])).encode()).hexdigest()
        trap = {"_id": "trap", "slug": f"dm-{key[32:52]}", "title": "Bob", "kind": "public", "title_key": "bob"}
        world.database["rooms"].insert_one(trap)  # made before titles of this form were refused
        room = world.rooms.direct.open(ALICE, [BOB.id])
        assert (room.kind, room.people) == ("direct", (ALICE.id, BOB.id))
        assert world.access(ALICE, room).room.id == room.id
        assert key[32:52] not in room.slug
        with pytest.raises(Refused):
            world.rooms.access.get_for(MALLORY.id, room.slug)

    @pytest.mark.parametrize("there", [{"kind": "public"}, {"people": [ALICE.id, MALLORY.id]}, {"people": []}])
    def test_another_room_with_its_id_is_not_used(self, world: World, there: dict[str, object]) -> None:
        """D12."""
        room = world.rooms.direct.open(ALICE, [BOB.id])
        world.database["rooms"].update_one({"_id": room.id}, {"$set": there})
        world.database["memberships"].delete_many({})
        with pytest.raises(Unavailable):
            world.rooms.direct.open(BOB, [ALICE.id])
        assert world.database["memberships"].count_documents({}) == 0

    def test_an_address_that_is_taken_is_not_its_own(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """D12."""
        slugs = iter([Slug("taken"), Slug("free")])
        monkeypatch.setattr("chatroom.rooms.direct_store.make_direct_slug", lambda: next(slugs))
        world.rooms.making.create(MALLORY, "member", title="Taken")
        assert world.rooms.direct.open(ALICE, [BOB.id]).slug == "free"

    def test_a_half_created_conversation_is_completed(self, world: World) -> None:
        room = world.rooms.direct.open(ALICE, [BOB.id])
        world.database["memberships"].delete_many({})
        assert world.rooms.direct.open(BOB, [ALICE.id]) == room
        assert world.is_in(ALICE, room)
        assert world.is_in(BOB, room)

    def test_simultaneous_openings_share_it(self, world: World) -> None:
        people = [(ALICE, BOB), (BOB, ALICE)] * 4
        threads = [threading.Thread(target=world.rooms.direct.open, args=(a, [b.id])) for a, b in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert world.database["rooms"].count_documents({"kind": "direct"}) == 1
        assert world.database["memberships"].count_documents({}) == 2
