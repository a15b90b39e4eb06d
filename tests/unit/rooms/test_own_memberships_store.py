import threading
from datetime import timedelta

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Room
from chatroom.mongo.database import Database
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.databases import make_rooms
from tests.messaging import make_rules
from tests.people import ALICE, BOB, MALLORY
from tests.unit.rooms.world import World, reason


class TestPosting:
    def room(self, world: World, **fields: object) -> Room:
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        world.access(BOB, room)
        RoomStore(world.database).change(room.id, fields)
        return room

    @pytest.mark.parametrize(("fields", "expected"), [({"is_read_only": True}, "read_only"), ({}, None)])
    def test_only_moderators_write_in_a_read_only_room(
        self, world: World, fields: dict[str, object], expected: str | None
    ) -> None:
        room = self.room(world, **fields)
        world.post(world.access(ALICE, room), "a1")
        if expected:
            with pytest.raises(Refused) as refusal:
                world.post(world.access(BOB, room), "b1")
            assert reason(refusal) == expected

    def test_nobody_posts_in_an_archived_room(self, world: World) -> None:
        room = self.room(world, archived_at=world.clock())
        for person in (ALICE, BOB):
            with pytest.raises(Refused) as refusal:
                world.post(world.access(person, room), "a1")
            assert reason(refusal) == "archived"

    def test_a_slow_room_lets_each_member_write_in_turn(self, world: World) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        world.post(bob, "b1")
        world.post(bob, "b1")  # the same post, sent again
        world.clock.advance(seconds=4)
        with pytest.raises(Refused) as refusal:
            world.post(bob, "b2")
        assert (reason(refusal), refusal.value.retry_after) == ("too_fast", 6.0)
        world.post(world.access(MALLORY, room), "m1")
        for n in range(3):
            world.post(world.access(ALICE, room), f"a{n}")
        world.clock.advance(seconds=6)
        world.post(bob, "b2")

    def test_slow_mode_works_across_processes_and_restarts(self, world: World, database: Database) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        refused = []

        def post(n: int) -> None:
            rooms = make_rooms(
                database, world.messages.writer, Notices(NoticeStore(database)), world.acts, clock=world.clock
            )
            try:
                make_rules(take_turn=rooms.preferences.take_turn).take_turn(bob, "person", f"b{n}")
            except Refused:
                refused.append(n)

        threads = [threading.Thread(target=post, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 5

    def test_a_clock_that_went_back_locks_nobody_out(self, world: World) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        world.post(bob, "b1")
        world.clock.now -= timedelta(hours=1)
        world.post(bob, "b2")
