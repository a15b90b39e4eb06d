import asyncio
from typing import Any

import pytest

from chatroom.live.writing import rivals as module
from chatroom.live.writing.rivals import Rivals
from tests.loops import in_loop, settle
from tests.waiting import PATIENCE_SECONDS

ROOM = "lobby"


class Log:
    """How far the room is known to have come, and those who write into it."""

    def __init__(self) -> None:
        self.shown: int | None = 10
        self.rivals = Rivals(lambda room: self.shown)


async def is_over(task: "asyncio.Task[Any]") -> bool:
    await settle()
    return task.done()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits here does it until they hear something, and no contest ends by itself."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(module, "CONTESTED_SECONDS", PATIENCE_SECONDS)


@in_loop
async def test_a_process_that_posts_alone_does_not_wait() -> None:
    log = Log()
    log.rivals.follow(ROOM, 10)
    turn = asyncio.create_task(log.rivals.take_turn(ROOM))
    assert await is_over(turn)
    assert not log.rivals.are_in(ROOM)


@in_loop
async def test_after_its_own_batch_a_process_waits_for_the_others() -> None:
    log = Log()
    log.rivals.meet(ROOM)
    log.rivals.follow(ROOM, 10)
    turn = asyncio.create_task(log.rivals.take_turn(ROOM))
    assert not await is_over(turn)
    log.rivals.hear(ROOM, 10)  # what it wrote itself
    assert not await is_over(turn)
    log.rivals.hear(ROOM, 12)
    assert await is_over(turn)
    assert log.rivals.are_in(ROOM)
    assert log.rivals.newest(ROOM) == 12  # though no reader here has it yet


@in_loop
async def test_a_batch_that_has_arrived_needs_no_wait() -> None:
    log = Log()
    log.rivals.meet(ROOM)
    log.rivals.follow(ROOM, 10)
    log.rivals.hear(ROOM, 11)
    assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))


@in_loop
async def test_a_wait_that_times_out_ends_the_contest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.001)
    log = Log()
    log.rivals.meet(ROOM)
    log.rivals.follow(ROOM, 10)
    await log.rivals.take_turn(ROOM)
    assert not log.rivals.are_in(ROOM)


@in_loop
async def test_an_old_contest_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTESTED_SECONDS", -1)
    log = Log()
    log.rivals.meet(ROOM)
    log.rivals.follow(ROOM, 10)
    assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))
    assert not log.rivals.are_in(ROOM)


@in_loop
async def test_contests_that_are_over_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    log.rivals.meet("going on")
    monkeypatch.setattr(module, "CONTESTED_SECONDS", -1)
    log.rivals.meet("over")
    log.rivals.meet(ROOM)
    assert [room for room in ("going on", "over", ROOM) if log.rivals.are_in(room)] == ["going on", ROOM]


@in_loop
async def test_a_room_without_followers_needs_no_wait() -> None:
    log = Log()
    log.shown = None
    log.rivals.meet(ROOM)
    log.rivals.follow(ROOM, 10)
    assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))
    assert not log.rivals.are_in(ROOM)


@in_loop
async def test_the_loser_waits_for_the_winner() -> None:
    log = Log()
    lost = asyncio.create_task(log.rivals.lose(ROOM, 10))
    assert not await is_over(lost)
    log.rivals.hear(ROOM, 11)
    assert await is_over(lost)
    assert lost.result()
    assert log.rivals.newest(ROOM) == 11


@in_loop
async def test_after_a_time_out_only_the_first_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server without change streams, where others are heard of every half second."""
    log = Log()
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.001)
    assert not await log.rivals.lose(ROOM, 10)
    assert not log.rivals.are_in(ROOM)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    second = asyncio.create_task(log.rivals.lose(ROOM, 10))
    assert await is_over(second)
    assert not second.result()
