import asyncio
from typing import Any

import pytest

from chatroom.live.sockets.incoming import Inbox
from tests.loops import in_loop


def event(number: int) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": str(number)}


@in_loop
async def test_events_come_out_in_their_order() -> None:
    inbox = Inbox()
    assert inbox.empty()
    for number in range(3):
        inbox.put_nowait(event(number))
    assert inbox.qsize() == 3
    assert [await inbox.get() for _ in range(3)] == [event(0), event(1), event(2)]
    assert inbox.empty()
    assert inbox.qsize() == 0


@in_loop
async def test_a_waiting_reader_gets_the_next_item() -> None:
    inbox = Inbox()
    taking = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put_nowait(event(1))
    inbox.put_nowait(event(2))
    assert await taking == event(1)
    assert await inbox.get() == event(2)


@in_loop
async def test_cancelling_a_take_loses_nothing() -> None:
    inbox = Inbox()
    taking = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait(event(1))
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await inbox.get() == event(1)


def test_inboxes_are_independent() -> None:
    one, other = Inbox(), Inbox()
    one.put_nowait(event(1))
    assert other.empty()
