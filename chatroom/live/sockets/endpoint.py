"""The websocket endpoint `/live`: check the handshake, then serve the connection.

The session, the Origin, the room and the number of connections are checked before the answer to the handshake.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import parse_qs

import msgspec

from chatroom.asgi.budget import account_of, counted
from chatroom.asgi.slow_requests import Receive, Scope, Send
from chatroom.base.access import Access
from chatroom.base.addresses import network_of
from chatroom.base.errors import Refused, Unavailable
from chatroom.live.connection import Connection
from chatroom.live.engine import Engine
from chatroom.live.protocol import Follow, Format
from chatroom.live.sockets.visitor import Chat, ConnectionLimits, Visitor
from chatroom.live.sockets.websocket import transport_of

log = logging.getLogger(__name__)

REFUSED_STATUS = {
    "signed_out": 401,
    "wrong_origin": 403,
    "out_of_scope": 403,
    "forbidden": 403,
    "not_found": 404,
    "too_many_connections": 503,
}
HANDSHAKE_SECONDS = 7.0
"""The time-out for the checks of a handshake. It is a little longer than the time-out of one database call."""
RETRY_SECONDS = 5


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """The functions that read the head of a handshake. `sign_in` is called in a thread."""

    address_of: Callable[[Scope], str]
    sign_in: Callable[[Scope], Visitor | None]
    is_own_origin: Callable[[Scope], bool]


class Gate:
    """Counts the connections of each address (before authentication) and of each user (after authentication)."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._total = 0
        self._by_user: Counter[str] = Counter()
        self._by_network: Counter[str] = Counter()

    @contextmanager
    def address(self, address: str) -> Iterator[None]:
        """Count a connection for the network of its address; raise `Refused` (`too_many_connections`) at the limit."""
        if 0 < self._limits.connections <= self._total:
            raise _too_many_connections()
        self._total += 1
        try:
            with _counted(self._by_network, network_of(address), self._limits.connections_per_address):
                yield
        finally:
            self._total -= 1

    def user(self, user_id: str) -> AbstractContextManager[None]:
        """Count a connection for its user; raise `Refused` (`too_many_connections`) at the limit."""
        return _counted(self._by_user, user_id, self._limits.connections_per_user)


class LiveEndpoint:
    """The ASGI application behind `/live`."""

    def __init__(self, engine: Engine, chat: Chat, entrance: Entrance) -> None:
        self.engine = engine
        self.chat = chat
        self.entrance = entrance
        self.gate = Gate(chat.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from the handshake to the end."""
        await receive()  # websocket.connect
        try:
            with self.gate.address(self.entrance.address_of(scope)):
                await self._serve(scope, receive, send)
        except Refused as refusal:
            await _reject(send, REFUSED_STATUS.get(refusal.reason, 400), refusal.message)
        except Unavailable as error:
            await _reject(send, 503, str(error))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the handshake, then serve. Errors are raised only before the answer to the handshake."""
        engine = self.engine
        query = parse_qs(scope["query_string"].decode("latin-1"))
        format: Format = _convert(query.get("format", ["text"])[0], Format, "format")
        heard = engine.receiver.count
        try:
            # After the time-out, the client gets an answer, and no longer waits for a store thread.
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                visitor, first, access = await self._look_up(scope, query)
        except TimeoutError:
            raise Unavailable("The database does not answer right now. Please try again in a moment.") from None
        account_of(scope).person = visitor.person.id
        with self.gate.user(visitor.person.id):
            await send({"type": "websocket.accept"})
            transport = transport_of(scope, receive, send)
            connection = Connection(engine, self.chat, visitor, transport, format=format)
            # A notice may have changed the rights since `_look_up`. Then `serve` must read them again.
            await connection.serve(first, access if engine.receiver.count == heard else None)

    async def _look_up(
        self, scope: Scope, query: Mapping[str, list[str]]
    ) -> tuple[Visitor, Follow | None, Access | None]:
        """The visitor, the room to follow first, and the visitor's rights in it."""
        visitor = await self.engine.run(self.entrance.sign_in, scope)
        if visitor is None:
            raise Refused("signed_out", "Log in first.")
        self._check_origin(scope, visitor)
        first = _first_room(query)
        if first is None:
            return visitor, None, None
        visitor.grant.check(first.scope, first.room)
        access: Access = await self.engine.run(self.chat.enter, visitor, first.room)
        return visitor, first, access

    def _check_origin(self, scope: Scope, visitor: Visitor) -> None:
        """Require this site's Origin from clients with a cookie. Programs with a token need no Origin."""
        if visitor.is_by_cookie and not self.entrance.is_own_origin(scope):
            origin: bytes = dict(scope["headers"]).get(b"origin", b"")
            log.warning(
                "a websocket was refused: its Origin is another site (behind a proxy, set TRUSTED_PROXIES)",
                extra={"origin": origin.decode("latin-1")[:200], "user": visitor.person.id},
            )
            raise Refused("wrong_origin", "The request comes from another site.")


def _counted(counter: Counter[str], key: str, most: int) -> AbstractContextManager[None]:
    if 0 < most <= counter[key]:
        raise _too_many_connections()
    return counted(counter, key)


def _too_many_connections() -> Refused:
    return Refused("too_many_connections", "There are too many connections.", retry_after=RETRY_SECONDS)


def _first_room(query: Mapping[str, list[str]]) -> Follow | None:
    """The room that the address names, if any."""
    if "room" not in query:
        return None
    first = {"type": "follow", "room": query["room"][0], "after": query.get("after", [None])[0]}
    follow: Follow = _convert(first, Follow, "address")
    return follow


def _convert(given: object, kind: Any, name: str) -> Any:
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"The {name} is not understood: {error}") from error


async def _reject(send: Send, status: int, message: str) -> None:
    """Answer the handshake with an HTTP response that gives the reason."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": message.encode()})
