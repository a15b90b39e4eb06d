import pytest

from chatroom.base.models import Notice
from chatroom.mongo.database import Database
from chatroom.rooms.arrangement import Arrangement
from tests.conftest import Clock
from tests.people import BOB
from tests.unit.rooms.world import World


@pytest.fixture
def world(database: Database, clock: Clock) -> World:
    return World(database, clock)


def test_each_change_is_announced_to_its_person_once(world: World) -> None:
    access = world.access(BOB, world.den().room)
    world.told.clear()
    for _ in range(2):
        world.rooms.arrangement.change(access, Arrangement(is_starred=True, is_hidden=True, notify="none"))
    assert world.told == [Notice(kind="rooms", user=BOB.id)]
    membership = world.access(BOB, access.room).membership
    assert (membership.is_starred, membership.notify) == (True, "none")
    assert membership.hidden_to == world.store.newest_revision(access.room.id) > 0


def test_what_is_not_named_stays(world: World) -> None:
    access = world.access(BOB, world.den().room)
    world.rooms.arrangement.change(access, Arrangement(is_starred=True, is_hidden=True))
    world.told.clear()
    world.rooms.arrangement.change(access, Arrangement())
    assert world.told == []
    world.rooms.arrangement.change(access, Arrangement(is_starred=False))
    membership = world.access(BOB, access.room).membership
    assert not membership.is_starred
    assert membership.hidden_to is not None
    world.rooms.arrangement.change(access, Arrangement(is_hidden=False))
    assert world.access(BOB, access.room).membership.hidden_to is None


def test_former_members_change_nothing(world: World) -> None:
    den = world.den()
    access = world.access(BOB, den.room)
    world.rooms.membership.remove(den, BOB.id)
    world.told.clear()
    world.rooms.arrangement.change(access, Arrangement(is_starred=True))
    assert world.told == []
