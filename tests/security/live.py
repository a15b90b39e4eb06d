"""The whole application behind a fake server: its websockets as the server would hand them over, without sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from flask import Flask

from chatroom.app import ASGI
from tests.waiting import PATIENCE_SECONDS

HOST = "room.test"


@asynccontextmanager
async def served(app: Flask) -> AsyncIterator[ASGI]:
    """The application between its start and its end."""
    asgi = ASGI(app)
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    span = asyncio.create_task(asgi({"type": "lifespan"}, told.get, said.put))
    told.put_nowait({"type": "lifespan.startup"})
    assert (await asyncio.wait_for(said.get(), PATIENCE_SECONDS))["type"] == "lifespan.startup.complete"
    try:
        yield asgi
    finally:
        told.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait_for(span, PATIENCE_SECONDS)


class Socket:
    """One websocket, from the client's side."""

    def __init__(
        self,
        asgi: ASGI,
        *,
        cookie: str = "",
        token: str = "",
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        path: str = "/live",
    ) -> None:
        given = {"host": HOST, "origin": f"http://{HOST}"}
        given |= {"cookie": f"session={cookie}"} if cookie else {}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        given |= dict(headers or {})
        self._scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": path,
            "query_string": urlencode(query or {}).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value],
            "client": ("192.0.2.7", 5000),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        self._asgi = asgi
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.close_code: int | None = None

    async def open(self) -> int:
        """The status of the handshake: 101 where it was accepted."""
        self._task = asyncio.create_task(self._asgi(self._scope, self._to_app.get, self._events.put))
        self._to_app.put_nowait({"type": "websocket.connect"})
        answer = await self._next()
        if answer["type"] == "websocket.accept":
            return 101
        return int(answer.get("status", 403))  # a plain close is a 403

    def send(self, frame: Mapping[str, Any] | str | bytes) -> None:
        """Send a frame."""
        if isinstance(frame, bytes):
            self._to_app.put_nowait({"type": "websocket.receive", "bytes": frame})
        else:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of these kinds, or `{"type": "closed", "code": …}`."""
        while True:
            event = await self._next()
            if event["type"] == "websocket.close":
                self.close_code = event["code"]
                return {"type": "closed", "code": event["code"]}
            frame: dict[str, Any] = json.loads(event["text"])
            if not kinds or frame["type"] in kinds:
                return frame

    async def leave(self) -> None:
        """Go away."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})
        if self._task is not None:
            await asyncio.wait_for(self._task, PATIENCE_SECONDS)

    async def _next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._events.get(), PATIENCE_SECONDS)
