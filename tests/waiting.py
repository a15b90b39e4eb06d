"""Wait for what another thread or process does: until it is so, for a minute at most.

A test never sleeps for a fixed time, and never asserts straight after an act that ends elsewhere: it waits for the
condition. The minute is for machines that are kept busy; nobody waits for it in a run that passes.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.02

T = TypeVar("T")


def wait_until(get: Callable[[], T], reason: str = "", seconds: float = PATIENCE_SECONDS) -> T:
    """Ask again and again until the answer is true, and return it; fail with `reason` after `seconds`."""
    give_up_at = time.monotonic() + seconds
    while not (answer := get()):
        assert time.monotonic() < give_up_at, reason or f"it did not happen within {seconds:.0f} s"
        time.sleep(_PAUSE_SECONDS)
    return answer


async def wait_until_in_loop(get: Callable[[], T], reason: str = "", seconds: float = PATIENCE_SECONDS) -> T:
    """The same while the event loop goes on."""
    give_up_at = time.monotonic() + seconds
    while not (answer := get()):
        assert time.monotonic() < give_up_at, reason or f"it did not happen within {seconds:.0f} s"
        await asyncio.sleep(_PAUSE_SECONDS)
    return answer
