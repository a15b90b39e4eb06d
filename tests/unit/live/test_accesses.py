"""What one connection remembers of its visitor."""

from datetime import UTC, datetime

import msgspec

from chatroom.base.access import Access
from chatroom.base.models import Membership, Person
from chatroom.live.accesses import Accesses
from chatroom.live.sockets.visitor import Visitor
from chatroom.rooms.access import LOBBY

ROBO = Person(id="robo", name="Robo", username="robo", is_bot=True)


async def never(slug: str) -> Access:
    raise AssertionError(slug)


def test_a_bot_that_is_renamed_while_it_is_connected_stays_marked_as_one() -> None:
    """U10."""
    at = datetime(2026, 11, 27, tzinfo=UTC)
    robo = Visitor(person=ROBO, session_id="s", expires_at=at, address="192.0.2.1", is_by_cookie=False)
    accesses = Accesses(robo, never, lambda: None)
    renamed = msgspec.structs.replace(ROBO, name="Robo 2")
    accesses.put("lobby", Access(room=LOBBY, membership=Membership(user_id="robo", room_id="lobby"), person=renamed))

    assert accesses.author == renamed.author
    assert accesses.author.is_bot
