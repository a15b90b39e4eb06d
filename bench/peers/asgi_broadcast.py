"""A bare ASGI application that sends each message to all connections, and stores nothing."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Event = MutableMapping[str, Any]
Send = Callable[[Event], Awaitable[None]]

everybody: set[Send] = set()


async def application(scope: Event, receive: Callable[[], Awaitable[Event]], send: Send) -> None:
    """Broadcast each message as one frame."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    everybody.add(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            frame = {"type": "websocket.send", "text": event["text"]}
            for other in list(everybody):
                await other(frame)
    finally:
        everybody.discard(send)
