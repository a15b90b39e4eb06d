"""Shorter turns while there are requests, and only then."""

import asyncio
import sys
from typing import Any

import pytest

from chatroom.turns import INTERVAL_SECONDS, ShortTurns


@pytest.fixture(autouse=True)
def usual():
    before = sys.getswitchinterval()
    yield before
    sys.setswitchinterval(before)


def test_turns_are_short_until_the_last_request_has_ended(usual):
    seen: list[float] = []

    async def run() -> None:
        gates = [asyncio.Event(), asyncio.Event()]

        async def page(scope: Any, _receive: Any, _send: Any) -> None:
            await gates[scope].wait()

        app = ShortTurns(page)
        tasks = [asyncio.create_task(app(number, None, None)) for number in (0, 1)]
        await asyncio.sleep(0)
        for gate, task in zip(gates, tasks, strict=True):
            seen.append(sys.getswitchinterval())
            gate.set()
            await task
        seen.append(sys.getswitchinterval())

    asyncio.run(run())
    assert seen == pytest.approx([INTERVAL_SECONDS, INTERVAL_SECONDS, usual])


def test_a_request_that_fails_ends_its_turn_as_well(usual):
    async def fail(*_: Any) -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(ShortTurns(fail)(None, None, None))
    assert sys.getswitchinterval() == pytest.approx(usual)
