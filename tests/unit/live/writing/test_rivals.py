import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatroom.live.writing import rivals as module
from chatroom.live.writing.rivals import Rivals
from tests.unit.live.harness import settle
from tests.waiting import PATIENCE_SECONDS

ROOM = "lobby"


class Log:
    """How far the room is known to have come, and those who write into it."""

    def __init__(self) -> None:
        self.shown: int | None = 10
        self.rivals = Rivals(lambda room: self.shown)


def run(test: Callable[[Log], Awaitable[Any]]) -> None:
    async def with_log() -> None:
        await test(Log())

    asyncio.run(with_log())


async def is_over(task: "asyncio.Task[Any]") -> bool:
    await settle()
    return task.done()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits here does it until they hear something, and no contest ends by itself."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(module, "CONTESTED_SECONDS", PATIENCE_SECONDS)


def test_a_process_that_posts_alone_does_not_wait() -> None:
    async def test(log: Log) -> None:
        log.rivals.follow(ROOM, 10)
        turn = asyncio.create_task(log.rivals.take_turn(ROOM))
        assert await is_over(turn)
        assert not log.rivals.are_in(ROOM)

    run(test)


def test_after_its_own_batch_a_process_waits_for_the_others() -> None:
    async def test(log: Log) -> None:
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

    run(test)


def test_a_batch_that_has_arrived_needs_no_wait() -> None:
    async def test(log: Log) -> None:
        log.rivals.meet(ROOM)
        log.rivals.follow(ROOM, 10)
        log.rivals.hear(ROOM, 11)
        assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))

    run(test)


def test_a_wait_that_times_out_ends_the_contest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.001)

    async def test(log: Log) -> None:
        log.rivals.meet(ROOM)
        log.rivals.follow(ROOM, 10)
        await log.rivals.take_turn(ROOM)
        assert not log.rivals.are_in(ROOM)

    run(test)


def test_an_old_contest_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTESTED_SECONDS", -1)

    async def test(log: Log) -> None:
        log.rivals.meet(ROOM)
        log.rivals.follow(ROOM, 10)
        assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))
        assert not log.rivals.are_in(ROOM)

    run(test)


def test_contests_that_are_over_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(log: Log) -> None:
        log.rivals.meet("going on")
        monkeypatch.setattr(module, "CONTESTED_SECONDS", -1)
        log.rivals.meet("over")
        log.rivals.meet(ROOM)
        assert [room for room in ("going on", "over", ROOM) if log.rivals.are_in(room)] == ["going on", ROOM]

    run(test)


def test_a_room_without_followers_needs_no_wait() -> None:
    async def test(log: Log) -> None:
        log.shown = None
        log.rivals.meet(ROOM)
        log.rivals.follow(ROOM, 10)
        assert await is_over(asyncio.create_task(log.rivals.take_turn(ROOM)))
        assert not log.rivals.are_in(ROOM)

    run(test)


def test_the_loser_waits_for_the_winner() -> None:
    async def test(log: Log) -> None:
        lost = asyncio.create_task(log.rivals.lose(ROOM, 10))
        assert not await is_over(lost)
        log.rivals.hear(ROOM, 11)
        assert await is_over(lost)
        assert lost.result()
        assert log.rivals.newest(ROOM) == 11

    run(test)


def test_after_a_time_out_only_the_first_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server without change streams, where others are heard of every half second."""

    async def test(log: Log) -> None:
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.001)
        assert not await log.rivals.lose(ROOM, 10)
        assert not log.rivals.are_in(ROOM)
        monkeypatch.setattr(module, "PATIENCE_SECONDS", PATIENCE_SECONDS)
        second = asyncio.create_task(log.rivals.lose(ROOM, 10))
        assert await is_over(second)
        assert not second.result()

    run(test)
