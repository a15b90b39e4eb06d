"""`GET /live` as a websocket: who may open one.

Everything is checked before the handshake is answered: the session, the Origin, the room, the number of connections.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from chatroom.asgi.budget import account_of
from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.live.connection import Connection
from chatroom.live.engine import Engine
from chatroom.live.protocol import Follow, Format
from chatroom.live.sockets.gate import RETRY_SECONDS, Gate
from chatroom.live.sockets.visitor import Chat, Visitor
from chatroom.live.sockets.websocket import Receive, Scope, Send, transport_of

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
"""A little more than one call of the database may take."""


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """What the head of a request tells. `sign_in` is called in a thread."""

    address_of: Callable[[Scope], str]
    sign_in: Callable[[Scope], Visitor | None]
    is_own_origin: Callable[[Scope], bool]


class LiveEndpoint:
    """The ASGI application behind `/live`."""

    def __init__(self, engine: Engine, chat: Chat, entrance: Entrance) -> None:
        self.engine = engine
        self.chat = chat
        self.entrance = entrance
        self.gate = Gate(chat.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, from its handshake to its end."""
        await receive()  # websocket.connect
        try:
            with self.gate.address(self.entrance.address_of(scope)):
                await self._serve(scope, receive, send)
        except Refused as refusal:
            await _reject(send, REFUSED_STATUS.get(refusal.reason, 400), refusal.message)
        except Unavailable as error:
            await _reject(send, 503, str(error))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the handshake, then serve; raises before the handshake is answered, or not at all."""
        engine = self.engine
        query = parse_qs(scope["query_string"].decode("latin-1"))
        format = _format(query)
        heard = engine.receiver.count
        try:
            # Those who wait in line for the store's threads are told in time, and then wait in it no longer.
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                visitor, first, access = await self._look_up(engine, scope, query)
        except TimeoutError:
            raise Unavailable("The database does not answer right now. Please try again in a moment.") from None
        account_of(scope).person = visitor.person.id
        with self.gate.user(visitor.person.id):
            await send({"type": "websocket.accept"})
            transport = transport_of(scope, receive, send)
            connection = Connection(engine, self.chat, visitor, transport, format=format)
            # What was told while nobody knew of this connection may be about it: then it asks again.
            await connection.serve(first, access if engine.receiver.count == heard else None)

    async def _look_up(
        self, engine: Engine, scope: Scope, query: Mapping[str, list[str]]
    ) -> tuple[Visitor, Follow | None, Access | None]:
        """Who comes, what they want to follow first, and the room that this is."""
        visitor = await engine.run(self.entrance.sign_in, scope)
        if visitor is None:
            raise Refused("signed_out", "Log in first.")
        self._check_origin(scope, visitor)
        first = _first_room(query)
        if first is None:
            return visitor, None, None
        visitor.grant.check(first.scope, first.room)
        access: Access = await engine.run(self.chat.enter, visitor, first.room)
        return visitor, first, access

    def _check_origin(self, scope: Scope, visitor: Visitor) -> None:
        """Let only this site's pages use the browser's cookie; a program has a token, and no need of an Origin."""
        if visitor.is_by_cookie and not self.entrance.is_own_origin(scope):
            log.warning(
                "a websocket was refused: its Origin is another site (behind a proxy, set TRUSTED_PROXIES)",
                extra={"origin": _header(scope, b"origin")[:200], "user": visitor.person.id},
            )
            raise Refused("wrong_origin", "The request comes from another site.")


def _first_room(query: Mapping[str, list[str]]) -> Follow | None:
    """The room that the address asks for, if any."""
    if "room" not in query:
        return None
    after = query.get("after", [None])[0]
    try:
        return msgspec.convert({"type": "follow", "room": query["room"][0], "after": after}, Follow, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"The address is not valid: {error}") from error


def _format(query: Mapping[str, list[str]]) -> Format:
    """What the messages carry: the text that was typed, unless the address asks for HTML."""
    try:
        format: Format = msgspec.convert(query.get("format", ["text"])[0], Format)
        return format
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"The format is not valid: {error}") from error


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _reject(send: Send, status: int, message: str) -> None:
    """Answer the handshake with an ordinary response, which says why."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": message.encode()})
