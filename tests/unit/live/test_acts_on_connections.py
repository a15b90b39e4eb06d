"""What is taken away from somebody is taken from their open connection as well, whichever write of the act fails."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Unavailable
from chatroom.base.models import Room, RoomValues
from tests.faulty import MODES, Writes
from tests.loops import in_loop, settle
from tests.people import ALICE, BOB
from tests.unit.live.harness import Process

READ_ONLY = RoomValues(title="Tea", topic="", is_read_only=True, slow_seconds=0, retention_days=0)


def remove(process: Process, bob: Access) -> None:
    process.rooms.membership.remove(bob, ALICE.id)


def make_read_only(process: Process, bob: Access) -> None:
    process.rooms.settings.change(bob, READ_ONLY)


def archive(process: Process, bob: Access) -> None:
    process.rooms.settings.archive(bob, is_archived=True)


async def started() -> tuple[Process, Room]:
    process = Process()
    for person in (ALICE, BOB):
        names = dict.fromkeys(("username", "display_name", "username_key", "display_name_key"), person.name)
        process.database["users"].insert_one({"_id": person.id, **names, "name_keys": [person.id]})
    await process.engine.start()
    # A line of the room's own waits for the event loop, and this is its thread.
    process.messages.writer.note = lambda *_: None  # type: ignore[method-assign]
    room = process.rooms.making.create(BOB, "member", title="Tea")
    process.rooms.access.visit(ALICE.id, room.slug)
    return process, room


def may_post(process: Process, room: Room) -> bool:
    """As a page or the API would say at this moment."""
    access = process.rooms.access.find_for(ALICE.id, room.slug)
    return access is not None and not access.room.is_read_only and access.room.archived_at is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("act", [remove, make_read_only, archive])
@in_loop
async def test_a_connection_posts_no_faster_than_a_page(
    act: Callable[[Process, Access], None], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M14: neither right after the failure nor after a second try."""
    writes = Writes(monkeypatch)

    async def try_with(number: int) -> bool:
        process, room = await started()
        alice = await process.connect(query={"room": room.slug})
        post = {"type": "post", "room": room.slug, "text": "hi"}
        await alice.say({**post, "client_id": "a1"})
        with writes.failing(number, mode), suppress(Unavailable):
            act(process, process.rooms.access.get_for(BOB.id, room.slug))
        has_failed = writes.has_failed
        await settle()
        before = may_post(process, room)
        await alice.say({**post, "client_id": "a2"})
        if before:
            act(process, process.rooms.access.get_for(BOB.id, room.slug))
            await settle()
        await alice.say({**post, "client_id": "a3"})
        stored = [frame["client_id"] for frame in alice.frames("stored")]
        assert stored == ["a1"] + ["a2"] * before, (number, mode)
        await alice.leave()
        await process.engine.stop()
        return has_failed

    number = 1
    while await try_with(number):
        number += 1
    assert number > 3
