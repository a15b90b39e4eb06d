"""A Socket.IO client, as far as its events go; the library itself is tested in tests/integration/socketio."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from chatroom.live.sockets.socketio_connection import Client
from chatroom.live.sockets.visitor import Visitor
from chatroom.people.tokens import Grant
from tests.loops import in_loop, settle
from tests.people import ALICE, person
from tests.unit.live.harness import Process

FORMER = "dm-" + "0" * 20


@in_loop
async def test_the_former_address_of_a_conversation_is_answered_with_the_new_one() -> None:
    """U09: and a token that has both addresses follows the new one alone."""
    process = Process()
    moved = {"_id": "d", "slug": "dm_1", "former_slug": FORMER, "kind": "direct", "title": "", "people": []}
    process.database["rooms"].insert_one(moved)
    process.database["memberships"].insert_one({"user": ALICE.id, "room": "d"})
    await process.engine.start()
    emitted: list[tuple[str, Any]] = []
    visitor = Visitor(
        person=person(ALICE),
        session_id="s",
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        address="127.0.0.1",
        is_by_cookie=False,
        grant=Grant(rooms=frozenset({FORMER, "dm_1"})),
    )

    async def emit(kind: str, frame: Any) -> None:
        emitted.append((kind, frame))

    async def end(code: int, reason: str) -> None:
        raise AssertionError(reason)

    client = Client(process.engine, process.chat, visitor, emit=emit, end=end)
    serving = asyncio.create_task(client.serve())
    answer = await client.answer("join", [FORMER])
    assert answer["error"]["reason"] == "moved"
    stored = await client.answer("new_message", ["hello"])
    assert stored["room"] == "dm_1"
    await settle()
    assert [frame["room"] for kind, frame in emitted if kind == "message"] == ["dm_1"]
    client.leave()
    await serving
