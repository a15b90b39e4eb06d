"""Event loops on which time passes when the test says so."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self, TypeVar, cast

T = TypeVar("T")


class SkippingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock goes on as any, and also jumps ahead; what is due by then is done at once."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped

    async def skip(self, seconds: float) -> None:
        """Let so many seconds pass, and do what was to be done in them."""
        self.skipped += seconds
        for _ in range(3):  # the timers that are due; what they set off; and its end
            await asyncio.sleep(0)

    @classmethod
    def running(cls) -> Self:
        """The loop on which this is called."""
        return cast("Self", asyncio.get_running_loop())

    @classmethod
    def run(cls, main: Coroutine[Any, Any, T]) -> T:
        """As `asyncio.run`, on such a loop."""
        with asyncio.Runner(loop_factory=cls) as runner:
            return runner.run(main)
