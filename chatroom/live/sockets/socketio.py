"""Socket.IO on the site's own port, at `/socket.io/`: websockets, and long-polling if there is only one process.

python-socketio implements the protocol. This module authenticates clients, and limits their number and unread data.
"""

import asyncio
import contextlib
import logging
from typing import Any
from urllib.parse import parse_qs

import socketio
from engineio.payload import Payload
from socketio import exceptions

from chatroom.asgi.budget import account_of
from chatroom.asgi.slow_requests import Receive, Scope, Send, SlowRequests, once, refuse
from chatroom.base.errors import Refused, Unavailable
from chatroom.live.sockets.endpoint import HANDSHAKE_SECONDS, LiveEndpoint
from chatroom.live.sockets.socketio_connection import Client
from chatroom.live.sockets.socketio_packets import MOST_PACKETS, Engine, are_packets
from chatroom.live.sockets.socketio_session import Session, find_visitor, until_over

log = logging.getLogger(__name__)

PATH = "/socket.io/"
CONNECT_SECONDS = 10.0
"""The time for a new client to authenticate."""
GOODBYE_SECONDS = 3.0
"""The time for a client to read the reason before its connection is closed."""
HEADERS = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class SocketIO(socketio.AsyncServer):  # type: ignore[misc]  # no types
    """The ASGI application behind `/socket.io/`. It shares the chat services and the connection limits with `/live`."""

    def __init__(self, live: LiveEndpoint, *, most_bytes: int, processes: int) -> None:
        self._live = live
        self._sessions: dict[str, Session] = {}
        Payload.max_decode_packets = MOST_PACKETS
        for name in ("engineio.server", "socketio.server"):
            logger = logging.getLogger(name)
            logger.setLevel(logging.ERROR)  # otherwise the library adds its own handler
            logger.addFilter(_is_news)
        super().__init__(
            async_mode="asgi",
            async_handlers=False,  # one event of a client at a time, so that a fast client must wait
            # A long-polling request must reach the process that knows the client.
            transports=["polling", "websocket"] if processes == 1 else ["websocket"],
            cors_allowed_origins=[],  # no other site may read responses; cookies are checked below
            max_http_buffer_size=most_bytes or 2**31,
        )
        self._requests = SlowRequests(self._answer, most_bytes=most_bytes)
        self.on("connect", self._sign_in)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one websocket."""
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        if "j" in asked:  # JSONP: any site could read the response
            if scope["type"] == "http":
                await refuse(_with_headers(send), 400, "JSONP is not served here.")
            else:
                await send({"type": "websocket.close"})
            return
        session = self._sessions.get(asked.get("sid", [""])[0])
        if session is not None:
            account_of(scope).person = session.person
        if scope["type"] == "http":
            await self._requests(scope, receive, _with_headers(send))
            return
        if session is None:
            session = Session(scope)
            scope = {**scope, "chatroom.session": session}
        await self.eio.handle_request(scope, until_over(receive, session), send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a long-polling request; refuse a request without valid packets."""
        if scope["method"] == "POST":
            body = (await receive()).get("body", b"")
            if not are_packets(body):
                await refuse(send, 400, "These packets are not valid, or there are too many.")
                return
            receive = once(body, receive)
        await self.eio.handle_request(scope, receive, send)

    def release_all(self) -> None:
        """Answer the waiting request of every client. Otherwise, such a request would wait up to 25 s."""
        for eio_sid in list(self._sessions):
            self._release(eio_sid)

    async def stop(self) -> None:
        """Release all clients, and end the library's own task."""
        self.release_all()
        if self.eio.service_task_handle is not None:
            self.eio.service_task_handle.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.eio.service_task_handle

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> str | None:
        scope = environ["asgi.scope"]
        session = scope.get("chatroom.session") or Session(scope)
        try:
            session.counted.enter_context(self._live.gate.address(self._live.entrance.address_of(scope)))
        except Refused as refusal:
            return refusal.message
        environ["chatroom.sid"] = eio_sid
        self._sessions[eio_sid] = session
        expiry = asyncio.get_running_loop().call_later(CONNECT_SECONDS, self._expire, eio_sid)
        session.open(self.eio.sockets[eio_sid].queue, expiry)
        await super()._handle_eio_connect(eio_sid, environ)
        return None

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._release(eio_sid)
        await super()._handle_eio_disconnect(eio_sid, reason)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        """Handle a packet. End a client that breaks the protocol, or sends binary data."""
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
            await self._take_event(eio_sid, session, session.client, packet)
        elif kind != socketio.packet.ACK:
            await self._end(eio_sid)

    async def _take_event(self, eio_sid: str, session: Session, client: Client, packet: Any) -> None:
        name, *arguments = packet.data if isinstance(packet.data, list) and packet.data else [None]
        if not isinstance(name, str):
            await self._end(eio_sid)
            return
        try:
            await session.wait_for_room()
        except OSError:
            return
        answer = await client.answer(name, arguments)
        if packet.id is not None and not session.is_over.is_set():
            await self._send_packet(
                eio_sid, self.packet_class(socketio.packet.ACK, namespace="/", id=packet.id, data=[answer])
            )

    async def _sign_in(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        """Authenticate a client by token or cookie, like `/live`."""
        eio_sid = environ["chatroom.sid"]
        session = self._sessions[eio_sid]
        if session.scope is None:
            raise exceptions.ConnectionRefusedError("You are connected already.", {"reason": "invalid"})
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                visitor = await find_visitor(self._live, session.scope, auth)
            session.counted.enter_context(self._live.gate.user(visitor.person.id))
        except Refused as refusal:
            raise exceptions.ConnectionRefusedError(refusal.message, {"reason": refusal.reason}) from refusal
        except (Unavailable, TimeoutError) as error:
            sentence = "The database does not answer right now. Please try again in a moment."
            raise exceptions.ConnectionRefusedError(sentence, {"reason": "unavailable"}) from error
        session.admit(visitor.person.id)

        async def emit(name: str, content: Any) -> None:
            await session.wait_for_room()
            await self.emit(name, content, to=sid)

        async def end(code: int, reason: str) -> None:
            if not session.is_over.is_set():
                await self.emit("ended", {"code": code, "reason": reason}, to=sid)
            await self._end(eio_sid)

        client = Client(self._live.engine, self._live.chat, visitor, emit=emit, end=end)
        session.serve(client, asyncio.get_running_loop().create_task(self._serve(eio_sid, client)))

    async def _serve(self, eio_sid: str, client: Client) -> None:
        try:
            await client.serve()
        except Exception:
            log.exception("a Socket.IO connection failed; it is closed, so that the client reconnects")
        await self._end(eio_sid)

    def _expire(self, eio_sid: str) -> None:
        session = self._sessions.get(eio_sid)
        if session is not None and session.client is None:
            session.keep(asyncio.get_running_loop().create_task(self._end(eio_sid)))

    async def _end(self, eio_sid: str) -> None:
        """Tell a client that its connection ends, close the connection, and forget the client."""
        session = self._sessions.get(eio_sid)
        if session is None:
            return
        if session.client is not None:
            session.client.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                if (sid := self.manager.sid_from_eio_sid(eio_sid, "/")) is not None:
                    await self.disconnect(sid)
                    # Wait until the client leaves: an immediate close would lose the last packets of long-polling.
                    await session.is_over.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.eio.disconnect(eio_sid)
        self.eio.sockets.pop(eio_sid, None)  # otherwise the library keeps the socket of a client that does not read
        session.forget()

    def _release(self, eio_sid: str) -> None:
        """Forget a client, and wake the tasks that wait for the client."""
        session = self._sessions.pop(eio_sid, None)
        if session is not None:
            session.forget()
            asyncio.get_running_loop().call_soon(session.queue.release)


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for log records about mistakes of clients, which the library logs as errors."""
    return "further occurrences" not in str(record.msg)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event["headers"], *HEADERS]}
        await send(event)

    return send_with_headers
