import asyncio

import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.live import bridge
from chatroom.rooms.access import LOBBY
from tests.loops import in_loop, run, settle
from tests.people import draft
from tests.unit.live.harness import never, started


@in_loop
async def test_a_page_posts_from_its_own_thread() -> None:
    process = await started()
    stored = await asyncio.to_thread(process.messages.writer.post, LOBBY, draft("a1"))
    assert stored.message.sequence == 1
    again = await asyncio.to_thread(process.messages.writer.post, LOBBY, draft("a1"))
    assert again.is_repeated


@in_loop
async def test_a_page_is_refused_if_too_many_drafts_wait() -> None:
    process = await started(max_waiting=1)
    process.engine.appender._writer._run = never
    process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
    await settle()  # in flight
    process.engine.appender.put(LOBBY.id, draft("a2"), lambda outcome: None)
    with pytest.raises(Refused) as refusal:
        await asyncio.to_thread(process.engine.bridge.post, LOBBY, draft("a3"))
    assert refusal.value.reason == "busy"


@in_loop
async def test_a_page_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "PATIENCE_SECONDS", 0.01)
    process = await started()

    process.engine.appender._writer._run = never
    with pytest.raises(Unavailable, match="not stored yet"):
        await asyncio.to_thread(process.engine.bridge.post, LOBBY, draft("a1"))


@in_loop
async def test_a_post_stored_after_the_time_out_is_answered_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "PATIENCE_SECONDS", 0.01)
    process = await started()
    go = process.engine.hold()
    with pytest.raises(Unavailable):
        await asyncio.to_thread(process.engine.bridge.post, LOBBY, draft("a1"))
    go.set()
    await settle()
    assert process.store.newest_revision(LOBBY.id) == 1


def test_a_page_that_posts_after_the_loop_has_ended_is_refused() -> None:
    processes = []

    async def test() -> None:
        processes.append(await started())

    run(test)
    with pytest.raises(Unavailable):
        processes[0].engine.bridge.post(LOBBY, draft("a1"))
