"""Fixtures of tests of pages and of the API."""

import pytest

from chatroom.base.models import Room
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from tests.visitors import Visitor, user_of

SECRET_ROOM = Room(id="secret", slug="secret", title="Secret", kind="private")


@pytest.fixture
def token(services: Services, alice: Visitor) -> dict[str, str]:
    """The `Authorization` header of a program that acts as Alice."""
    return {"Authorization": f"Bearer {services.people.sessions.create_token(user_of(services), label='bot')}"}


@pytest.fixture
def secret_room(services: Services, alice: Visitor) -> Room:
    """A room with Alice as the only member."""
    store = RoomStore(services.database)
    memberships = MembershipStore(services.database)
    store.ensure(SECRET_ROOM)
    memberships.admit(user_of(services).id, SECRET_ROOM)
    return SECRET_ROOM
