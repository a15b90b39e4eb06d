"""What came in on a connection and was not taken yet. asyncio's queue is four times as large, for each connection."""

import asyncio
from collections import deque
from typing import Any

Event = dict[str, Any]

_NOTHING: deque[Event] = deque(maxlen=0)


class Inbox:
    """A queue of events for the one task that takes them; empty, it holds nothing."""

    __slots__ = ("_events", "_waiting")

    def __init__(self) -> None:
        self._events = _NOTHING
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, event: Event) -> None:
        """Add an event."""
        if not self._events:
            self._events = deque()
        self._events.append(event)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def get(self) -> Event:
        """Take the oldest event; wait for one where there is none."""
        if not self._events:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        event = self._events.popleft()
        if not self._events:
            self._events = _NOTHING
        return event

    def empty(self) -> bool:
        """Whether there is nothing to take."""
        return not self._events

    def qsize(self) -> int:
        """How much there is to take."""
        return len(self._events)
