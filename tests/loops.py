"""Run async tests without pytest plugins, and let the event loop settle."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

MOST_TURNS = 500


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let pytest call an async test, as `run` runs it."""

    @functools.wraps(test)
    def run_test(*arguments: Any, **fixtures: Any) -> None:
        run(lambda: test(*arguments, **fixtures))

    return run_test


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine; an error that a task leaves on the loop fails the test."""

    async def main() -> None:
        errors: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: errors.append(context))
        await test()
        await settle()
        assert errors == []

    asyncio.run(main())


async def settle() -> None:
    """Let the loop turn until every task waits for a timer, or for something outside the loop.

    Some tasks never do, because they poll: for them, a number of turns has to be enough.
    """
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _ in range(MOST_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return
