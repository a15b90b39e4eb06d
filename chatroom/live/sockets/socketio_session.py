"""The session of one Socket.IO client, from the first request to the end."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from chatroom.asgi.budget import account_of
from chatroom.asgi.slow_requests import Receive, Scope
from chatroom.base.errors import Refused
from chatroom.live.sockets.endpoint import LiveEndpoint
from chatroom.live.sockets.socketio_connection import Client
from chatroom.live.sockets.socketio_packets import Outgoing, is_packet
from chatroom.live.sockets.visitor import Visitor

LONGEST_TOKEN = 200


class Session:
    """One Engine.IO client, from the first request on."""

    def __init__(self, scope: Scope) -> None:
        # `scope` is a copy, because the server forgets the headers of an open websocket.
        # Long-polling has no memory account, because other clients may use the same network connections.
        self.account = account_of(scope) if scope["type"] == "websocket" else None
        self.person = ""
        self.scope: dict[str, Any] | None = {key: scope[key] for key in ("type", "scheme", "headers", "client")}
        self.counted = contextlib.ExitStack()
        self.queue: Outgoing
        self.client: Client | None = None
        self.serving: asyncio.Task[None] | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self.is_over = asyncio.Event()

    def open(self, queue: Outgoing, expiry: asyncio.TimerHandle) -> None:
        """Note the queue of unsent packets, and the timer that ends a connection without authentication."""
        self.queue = queue
        self.expiry = expiry

    def admit(self, person_id: str) -> None:
        """Note that the client has authenticated."""
        self.scope = None
        self.person = person_id
        if self.account is not None:
            self.account.person = person_id
        if self.expiry is not None:
            self.expiry.cancel()

    def serve(self, client: Client, serving: "asyncio.Task[None]") -> None:
        """Keep the client's connection, and the task that serves the client."""
        self.client = client
        self.serving = serving

    def keep(self, ending: "asyncio.Task[None]") -> None:
        """Keep a reference to the task that ends the session."""
        self.serving = ending

    async def wait_for_room(self) -> None:
        """Wait while the client has too many unread bytes. Raise `OSError` when the client is gone."""
        await self.queue.room.wait()
        if self.is_over.is_set():
            raise ConnectionResetError("the client is gone")

    def forget(self) -> None:
        """End the session, and stop counting it against the limits."""
        if self.expiry is not None:
            self.expiry.cancel()
        self.counted.close()
        self.is_over.set()
        self.queue.room.set()
        if self.client is not None:
            self.client.leave()


async def find_visitor(live: LiveEndpoint, scope: dict[str, Any], auth: Any) -> Visitor:
    """Authenticate a client by token or cookie; raise `Refused` like `/live`."""
    token = auth.get("token") if isinstance(auth, Mapping) else None
    if token is not None:
        secret = token.encode("utf-8", "replace")[:LONGEST_TOKEN] if isinstance(token, str) else b""
        others = [header for header in scope["headers"] if header[0] not in {b"authorization", b"cookie"}]
        scope = {**scope, "headers": [*others, (b"authorization", b"Bearer " + secret)]}
    visitor: Visitor | None = await live.engine.run(live.entrance.sign_in, scope)
    if visitor is None:
        raise Refused("signed_out", "Log in first.")
    if visitor.is_by_cookie and not (live.entrance.is_own_origin(scope) or _is_from_own_page(scope)):
        raise Refused("wrong_origin", "The request comes from another site.")
    return visitor


def until_over(receive: Receive, session: Session) -> Receive:
    """Wrap `receive`: it returns a disconnect after the end of the session, or after an invalid packet."""

    async def receive_or_end() -> dict[str, Any]:
        over = asyncio.ensure_future(session.is_over.wait())
        coming = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({over, coming}, return_when=asyncio.FIRST_COMPLETED)
            event = coming.result() if coming.done() else {}
            text = event.get("text")
            if not event or (text is not None and not is_packet(text)):
                return {"type": "websocket.disconnect", "code": 1000}
            return event
        finally:
            over.cancel()
            coming.cancel()

    return receive_or_end


def _is_from_own_page(scope: Scope) -> bool:
    """Whether a request has no Origin header, but the browser marks it as a request from this site."""
    headers = dict(scope["headers"])
    return b"origin" not in headers and headers.get(b"sec-fetch-site") == b"same-origin"
