"""Let the event loop have the interpreter's lock soon while threads make pages.

Pages are computed for milliseconds at a time, and the loop asks for the lock after each of its own waits. A thread
gives it up once another has asked for an interval: five milliseconds as Python comes, and others may be next in line.
A shorter interval costs some throughput, so it holds only as long as there are requests.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

INTERVAL_SECONDS = 0.0005

App = Callable[[Any, Any, Any], Awaitable[None]]


class ShortTurns:
    """An ASGI application during whose requests threads take shorter turns; it belongs to one event loop."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._requests = 0
        self._usual = sys.getswitchinterval()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""
        if self._requests == 0:
            sys.setswitchinterval(INTERVAL_SECONDS)
        self._requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1
            if self._requests == 0:
                sys.setswitchinterval(self._usual)
