import pytest

from chatroom.mongo.database import Database
from chatroom.rooms.wiring import RoomParts
from tests.conftest import Clock
from tests.unit.rooms.world import World


@pytest.fixture
def world(database: Database, clock: Clock) -> World:
    return World(database, clock)


@pytest.fixture
def rooms(world: World) -> RoomParts:
    return world.rooms
