"""Wait until another thread or process has fulfilled a condition, for a minute at most.

A test never sleeps for a fixed time, and never asserts directly after an act that ends in another thread or process: it
waits for the condition. The minute is for busy machines; a passing test does not need it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02

T = TypeVar("T")


def wait_until(get: Callable[[], T], reason: str = "", seconds: float = PATIENCE_SECONDS) -> T:
    """Call the function until its result is true, and return the result; fail with `reason` after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while not (answer := get()):
        assert time.monotonic() < give_up_at, reason or f"it did not happen within {seconds:.0f} s"
        time.sleep(_PAUSE_SECONDS)
    return answer


async def wait_until_in_loop(get: Callable[[], T], reason: str = "", seconds: float = PATIENCE_SECONDS) -> T:
    """The same, without blocking the event loop."""
    give_up_at = time.monotonic() + seconds
    while not (answer := get()):
        assert time.monotonic() < give_up_at, reason or f"it did not happen within {seconds:.0f} s"
        await asyncio.sleep(_PAUSE_SECONDS)
    return answer
