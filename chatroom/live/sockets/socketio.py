"""Socket.IO on the site's own port, at `/socket.io/`: websocket, and long-polling where one process serves.

python-socketio speaks the protocol; who may come, how many, and how much may wait for them is decided here.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import engineio
import socketio
from engineio.payload import Payload
from socketio import exceptions

from chatroom.asgi.budget import account_of
from chatroom.asgi.slow_requests import SlowRequests, once, refuse
from chatroom.base.errors import Refused, Unavailable
from chatroom.live.sockets.endpoint import HANDSHAKE_SECONDS, LiveEndpoint
from chatroom.live.sockets.socketio_connection import Client
from chatroom.live.sockets.visitor import Visitor
from chatroom.live.sockets.websocket import Receive, Scope, Send

log = logging.getLogger(__name__)

PATH = "/socket.io/"
CONNECT_SECONDS = 10.0
"""For a client that came to say who it is."""
GOODBYE_SECONDS = 3.0
"""For a client to read why its connection ends."""
MOST_WAITING_BYTES = 262_144
"""Of what a client has not read yet; while more waits, nothing is sent to it and none of its events is taken."""
MOST_PACKETS = 1000
"""In one request of long-polling: what a client says in a burst comes together. Its bytes are bounded too."""
LONGEST_TOKEN = 200
SIGNS = {"1", "2", "3", "5", "6"}
"""What a packet begins with that is no message: close, ping, pong, upgrade, nothing."""
LONGEST_SIGN = len("2probe")
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Outgoing(asyncio.Queue[Any]):
    """What waits for a client, and whether there is room for more: python-engineio's own queue knows no bound."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.room = asyncio.Event()
        self.room.set()
        self._bytes = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._weigh(_size(item))

    def _get(self) -> Any:
        item = super()._get()
        self._weigh(-_size(item))
        return item

    def release(self) -> None:
        """Let a request that waits for something to come end with nothing: python-engineio would leave it waiting."""
        if self.empty():
            self.put_nowait(None)

    def _weigh(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_WAITING_BYTES:
            self.room.clear()
        else:
            self.room.set()


class _Engine(engineio.AsyncServer):  # type: ignore[misc]  # no types
    def create_queue(self, *args: Any, **kwargs: Any) -> Outgoing:
        """The queue of one client."""
        return Outgoing(*args, **kwargs)


class _Session:
    """One client of Engine.IO, from its first request on."""

    def __init__(self, scope: Scope) -> None:
        # Taken along, because the server forgets the headers of a websocket once it is open.
        # A polling client's next request may come by another connection, and another's by this one.
        self.account = account_of(scope) if scope["type"] == "websocket" else None
        self.person = ""
        self.scope: dict[str, Any] | None = {key: scope[key] for key in ("type", "scheme", "headers", "client")}
        self.counted = contextlib.ExitStack()
        self.client: Client | None = None
        self.serving: asyncio.Task[None] | None = None
        self.expiry: asyncio.TimerHandle | None = None
        self.is_over = asyncio.Event()


class SocketIO(socketio.AsyncServer):  # type: ignore[misc]  # no types
    """The ASGI application behind `/socket.io/`. `live` is the endpoint whose chat and counts are these too."""

    def __init__(self, live: LiveEndpoint, *, most_bytes: int, processes: int) -> None:
        self._live = live
        self._sessions: dict[str, _Session] = {}
        Payload.max_decode_packets = MOST_PACKETS
        for name in ("engineio.server", "socketio.server"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.ERROR)  # set by us, or the library adds a handler of its own
            logger.addFilter(_is_news)
        super().__init__(
            async_mode="asgi",
            async_handlers=False,  # one event after the other: what a client sends too fast waits at its socket
            # A request of long-polling has to reach the process that knows the client.
            transports=["polling", "websocket"] if processes == 1 else ["websocket"],
            cors_allowed_origins=[],  # no other site's page reads what is said; who brings a cookie is asked below
            max_http_buffer_size=most_bytes or 2**31,
        )
        self._requests = SlowRequests(self._answer, most_bytes=most_bytes)
        self.on("connect", self._sign_in)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one websocket."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        if "j" in asked:  # JSONP: any site's page could read it
            await _refuse(send, scope["type"])
            return
        session = self._sessions.get(asked.get("sid", [""])[0])
        if session is not None:
            account_of(scope).person = session.person
        if scope["type"] == "http":
            await self._requests(dict(scope), receive, _with_headers(send))
            return
        if session is None:
            session = _Session(scope)
            scope = {**scope, "chatroom.session": session}
        await self.eio.handle_request(scope, _until_over(receive, session), send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of long-polling, unless its packets are none."""
        if scope["method"] == "POST":
            body = (await receive()).get("body", b"")
            if not _are_packets(body):
                await refuse(send, 400, "These packets are not understood, or too many at once.")
                return
            receive = once(body, receive)
        await self.eio.handle_request(scope, receive, send)

    def release_all(self) -> None:
        """Release every client: a request of long-polling waits for news up to 25 s, also when nobody is there."""
        for eio_sid in list(self._sessions):
            self._release(eio_sid)

    async def stop(self) -> None:
        """Release every client, and end what watches over them."""
        self.release_all()
        if self.eio.service_task_handle is not None:
            self.eio.service_task_handle.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.eio.service_task_handle

    def _engineio_server_class(self) -> type[_Engine]:
        return _Engine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> str | None:
        scope = environ["asgi.scope"]
        session = scope.get("chatroom.session") or _Session(scope)
        try:
            session.counted.enter_context(self._live.gate.address(self._live.entrance.address_of(scope)))
        except Refused as refusal:
            return refusal.message
        environ["chatroom.sid"] = eio_sid
        self._sessions[eio_sid] = session
        session.expiry = asyncio.get_running_loop().call_later(CONNECT_SECONDS, self._expire, eio_sid)
        await super()._handle_eio_connect(eio_sid, environ)
        return None

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._release(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Take what a client sends; one that does not keep to the protocol, or sends what is not text, is closed."""
        session = self._sessions.get(eio_sid)
        if session is None:
            return
        try:
            packet = self.packet_class(encoded_packet=data) if isinstance(data, str) else None
        except (ValueError, TypeError, IndexError, KeyError, RecursionError):
            packet = None
        kind = packet.packet_type if packet is not None else None
        if packet is None or packet.attachment_count or packet.namespace not in {None, "/"}:
            await self._end(eio_sid)
        elif kind == socketio.packet.CONNECT:
            await self._handle_connect(eio_sid, "/", packet.data)
        elif kind == socketio.packet.DISCONNECT:
            await self._end(eio_sid)
        elif kind == socketio.packet.EVENT and session.client is not None:
            await self._take_event(eio_sid, session.client, packet)
        elif kind != socketio.packet.ACK:
            await self._end(eio_sid)

    async def _take_event(self, eio_sid: str, client: Client, packet: Any) -> None:
        name, *arguments = packet.data if isinstance(packet.data, list) and packet.data else [None]
        if not isinstance(name, str):
            await self._end(eio_sid)
            return
        try:
            await self._room(eio_sid)
        except OSError:
            return
        answer = await client.answer(name, arguments)
        if packet.id is not None and eio_sid in self._sessions:
            await self._send_packet(
                eio_sid, self.packet_class(socketio.packet.ACK, namespace="/", id=packet.id, data=[answer])
            )

    async def _sign_in(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Let a client in that says who it is, by token or by cookie, as `/live` does."""
        eio_sid = environ["chatroom.sid"]
        session = self._sessions[eio_sid]
        if session.scope is None:
            raise exceptions.ConnectionRefusedError("You are connected already.", {"reason": "invalid"})
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                visitor = await self._look_up(session.scope, auth)
            session.counted.enter_context(self._live.gate.user(visitor.person.id))
        except Refused as refusal:
            raise exceptions.ConnectionRefusedError(refusal.message, {"reason": refusal.reason}) from refusal
        except (Unavailable, TimeoutError) as error:
            sentence = "The database does not answer right now. Please try again in a moment."
            raise exceptions.ConnectionRefusedError(sentence, {"reason": "unavailable"}) from error
        session.scope = None
        session.person = visitor.person.id
        if session.account is not None:
            session.account.person = session.person
        if session.expiry is not None:
            session.expiry.cancel()

        async def emit(name: str, content: Any) -> None:
            await self._room(eio_sid)
            await self.emit(name, content, to=sid)

        async def end(code: int, reason: str) -> None:
            if eio_sid in self._sessions:
                await self.emit("ended", {"code": code, "reason": reason}, to=sid)
            await self._end(eio_sid)

        session.client = Client(self._live.engine, self._live.chat, visitor, emit=emit, end=end)
        session.serving = asyncio.get_running_loop().create_task(self._serve(eio_sid, session.client))

    async def _look_up(self, scope: dict[str, Any], auth: Any) -> Visitor:
        token = auth.get("token") if isinstance(auth, Mapping) else None
        if token is not None:
            secret = token.encode("utf-8", "replace")[:LONGEST_TOKEN] if isinstance(token, str) else b""
            others = [header for header in scope["headers"] if header[0] not in {b"authorization", b"cookie"}]
            scope = {**scope, "headers": [*others, (b"authorization", b"Bearer " + secret)]}
        visitor: Visitor | None = await self._live.engine.run(self._live.entrance.sign_in, scope)
        if visitor is None:
            raise Refused("signed_out", "Log in first.")
        if visitor.is_by_cookie and not (self._live.entrance.is_own_origin(scope) or _is_from_own_page(scope)):
            raise Refused("wrong_origin", "The request comes from another site.")
        return visitor

    async def _serve(self, eio_sid: str, client: Client) -> None:
        try:
            await client.serve()
        except Exception:
            log.exception("a Socket.IO client's connection failed; it is closed, so that it comes back")
        await self._end(eio_sid)

    async def _room(self, eio_sid: str) -> None:
        """Wait while too much waits for a client; raise `OSError` when it is gone."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            await socket.queue.room.wait()
        if eio_sid not in self._sessions:
            raise ConnectionResetError("the client is gone")

    def _expire(self, eio_sid: str) -> None:
        session = self._sessions.get(eio_sid)
        if session is not None and session.client is None:
            session.serving = asyncio.get_running_loop().create_task(self._end(eio_sid))

    async def _end(self, eio_sid: str) -> None:
        """End a client: it is told, forgotten, and its websocket closed."""
        session = self._sessions.get(eio_sid)
        if session is None:
            return
        if session.client is not None:
            session.client.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                if (sid := self.manager.sid_from_eio_sid(eio_sid, "/")) is not None:
                    await self.disconnect(sid)
                    # A client goes by itself then. Closed at once, long-polling would drop what came just before.
                    await session.is_over.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.eio.disconnect(eio_sid)
        self.eio.sockets.pop(eio_sid, None)  # of a client that does not read, with all that waits for it
        self._forget(session)

    def _release(self, eio_sid: str) -> None:
        """Forget a client, and wake whoever waits for it or for its answer."""
        session = self._sessions.pop(eio_sid, None)
        if session is not None:
            self._forget(session)
            queue = self.eio.sockets[eio_sid].queue
            queue.room.set()
            asyncio.get_running_loop().call_soon(queue.release)

    def _forget(self, session: _Session) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
        session.counted.close()
        session.is_over.set()
        if session.client is not None:
            session.client.leave()


def _is_from_own_page(scope: Scope) -> bool:
    """Whether the browser says so itself: with a GET to the page's own site it sends no Origin."""
    headers = dict(scope["headers"])
    return b"origin" not in headers and headers.get(b"sec-fetch-site") == b"same-origin"


def _are_packets(body: bytes) -> bool:
    """Whether a request holds packets, and not too many."""
    try:
        packets = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return False
    return len(packets) <= MOST_PACKETS and all(map(_is_packet, packets))


def _is_packet(text: str) -> bool:
    """Whether python-engineio can read it: what it cannot, it logs as an error of its own, with a traceback."""
    if text[:1] == "4":
        return text[1:2].isascii() and text[1:2].isdigit()
    return text[:1] in SIGNS and len(text) <= LONGEST_SIGN


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what the library says of a client's mistakes: it says each of them once, as an error."""
    return "further occurrences" not in str(record.msg)


def _until_over(receive: Receive, session: _Session) -> Receive:
    """What the client sends, until its session is over; then it looks as if it had gone."""

    async def receive_or_end() -> dict[str, Any]:
        over = asyncio.ensure_future(session.is_over.wait())
        coming = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({over, coming}, return_when=asyncio.FIRST_COMPLETED)
            event = coming.result() if coming.done() else {}
            text = event.get("text")
            if not event or (text is not None and not _is_packet(text)):
                return {"type": "websocket.disconnect", "code": 1000}
            return event
        finally:
            over.cancel()
            coming.cancel()

    return receive_or_end


def _with_headers(send: Send) -> Send:
    async def send_with_headers(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *HEADERS]}
        await send(event)

    return send_with_headers


async def _refuse(send: Send, kind: str) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"text/plain"), *HEADERS]})
    await send({"type": "http.response.body", "body": b"JSONP is not served here."})


def _size(item: Any) -> int:
    """About how many bytes a packet holds."""
    content = getattr(item, "data", None)
    return 100 + (len(content) if isinstance(content, str | bytes) else 0)
