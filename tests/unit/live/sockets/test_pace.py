import asyncio

import pytest

from chatroom.live.room_reader import RoomReader
from chatroom.live.sockets import pace
from chatroom.live.sockets.pace import BURST, PER_SECOND, Pace, Paces
from tests.loops import in_loop, settle
from tests.unit.live.harness import Process
from tests.waiting import wait_until_in_loop


class Seconds:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_frames_after_a_burst_must_wait() -> None:
    """L11."""
    clock = Seconds()
    mine = Pace(clock)
    assert {mine.take() for _ in range(BURST)} == {0.0}
    assert not mine.is_rested
    assert [mine.take(), mine.take(2)] == [1 / PER_SECOND, 3 / PER_SECOND]
    clock.now += 1
    assert mine.take() == 0.0
    clock.now += BURST / PER_SECOND + 1
    assert mine.is_rested


def test_the_longest_rest_is_bounded() -> None:
    """L11: somebody who has gone is noticed after it."""
    mine = Pace(Seconds())
    assert mine.take(100 * BURST) == pace.MOST_REST_SECONDS


def test_a_users_pace_survives_reconnects_until_it_has_recovered() -> None:
    """L11: coming again wins nothing."""
    paces = Paces(Seconds())
    mine = paces.of("mallory")
    mine.take(BURST)
    for n in range(pace.MAX_PACES):
        paces.of(f"user {n}")
    assert paces.of("mallory") is mine
    assert len(paces._paces) < 10


@in_loop
async def test_a_flood_of_frames_does_not_block_the_event_loop() -> None:
    """L11, I8: frames that are done and frames that are refused, more than could be taken in minutes."""
    process = Process()
    await process.engine.start()
    alice = await process.connect("alice")
    mallory = await process.connect("mallory")
    typing, wrong = '{"type":"typing","room":"lobby"}', "{"
    for _ in range(5_000):
        for text in (typing, wrong):
            mallory._incoming.put_nowait({"type": "websocket.receive", "text": text})
    await alice.say({"type": "post", "room": "lobby", "client_id": "a1", "text": "hi"})
    assert [frame["client_id"] for frame in alice.frames("stored")] == ["a1"]
    assert mallory.reads < 2 * BURST


@in_loop
async def test_stored_posts_do_not_count_for_the_pace() -> None:
    """L11: posts have their own limit, which a site may switch off."""
    process = Process()
    await process.engine.start()
    alice = await process.connect("alice")
    for n in range(BURST + 100):
        alice._incoming.put_nowait(
            {
                "type": "websocket.receive",
                "text": f'{{"type":"post","room":"lobby","client_id":"a{n}","text":"hi"}}',
            }
        )
    await wait_until_in_loop(lambda: len(alice.frames("stored")) == BURST + 100)
    assert alice.reads > BURST + 100


@in_loop
async def test_one_users_followers_read_few_pages_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """L11: the store's threads are everybody's."""
    process = Process(tail_messages=1)
    process.post(*(f"b{n}" for n in range(20)))
    await process.engine.start()
    begun: list[int] = []

    async def read(_live: object, cursor: int, _format: str) -> tuple[bytes, int, int]:
        begun.append(cursor)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(RoomReader, "read_page", read)
    mallories = [await process.connect("mallory", {"room": "lobby", "after": n}) for n in range(6)]
    await settle()
    assert len(begun) == pace.READS_AT_ONCE
    for mallory in mallories:
        await mallory.leave()
