"""`GET /live` as a websocket: who may open one, what each frame does, and how it ends.

Everything is checked at the edge: the session, the Origin, the room's membership, each frame, every limit.
"""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from chatroom.errors import ChatroomError, Refused, Unavailable
from chatroom.live import protocol
from chatroom.live.appender import Change, Done
from chatroom.live.engine import Engine, LiveRoom
from chatroom.live.follower import follow
from chatroom.live.protocol import Delete, Edit, Follow, Format, Post, Unfollow
from chatroom.models import Author, Draft, Message, Room
from chatroom.store.messages import Stored

log = logging.getLogger(__name__)

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]

MAX_IN_FLIGHT = 1000
"""Posts of one connection that are not answered yet; beyond it, its frames are not read."""
MAX_STRIKES = 100
"""Refused frames without an accepted one in between, after which the connection is closed."""
RETRY_SECONDS = 5
REFUSED_STATUS = {"signed_out": 401, "wrong_origin": 403, "not_found": 404, "too_many_connections": 503}


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, at the other end of a connection."""

    author: Author
    session_id: str
    expires_at: datetime
    address: str
    is_by_cookie: bool


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most connections of a process, a user and an address, and the most rooms of a connection; 0: no limit."""

    connections: int
    connections_per_user: int
    connections_per_address: int
    rooms_per_connection: int


class Gate:
    """Count open connections, and say when there are too many: by address before, by user after signing in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = 0
        self._by_user: Counter[str] = Counter()
        self._by_address: Counter[str] = Counter()

    @contextmanager
    def address(self, address: str) -> Iterator[None]:
        """Count a connection from an address; raise `Refused` (`too_many_connections`) when a limit is reached."""
        if 0 < self._limits.connections <= self._total:
            raise _too_many_connections()
        self._total += 1
        try:
            with _counted(self._by_address, address, self._limits.connections_per_address):
                yield
        finally:
            self._total -= 1

    def user(self, user_id: str) -> AbstractContextManager[None]:
        """Count a connection of a user; raise `Refused` (`too_many_connections`) when the limit is reached."""
        return _counted(self._by_user, user_id, self._limits.connections_per_user)


@contextmanager
def _counted(counter: Counter[str], key: str, most: int) -> Iterator[None]:
    if 0 < most <= counter[key]:
        raise _too_many_connections()
    counter[key] += 1
    try:
        yield
    finally:
        counter[key] -= 1
        if not counter[key]:
            del counter[key]


def _too_many_connections() -> Refused:
    return Refused("too_many_connections", "There are too many connections.", retry_after=RETRY_SECONDS)


class LiveEndpoint:
    """The ASGI application behind `/live`.

    `sign_in` and `get_room` are called in threads; the others on the event loop.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        *,
        address_of: Callable[[Scope], str],
        sign_in: Callable[[Scope], Visitor | None],
        is_own_origin: Callable[[Scope], bool],
        get_room: Callable[[str, str], Room],
        check_posting: Callable[[str, str], None],
        limits: Limits,
    ) -> None:
        self._engine = engine
        self._address_of = address_of
        self._sign_in = sign_in
        self._is_own_origin = is_own_origin
        self.get_room = get_room
        self.check_posting = check_posting
        self.limits = limits
        self._gate = Gate(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, from its handshake to its end."""
        await receive()  # websocket.connect
        try:
            with self._gate.address(self._address_of(scope)):
                await self._serve(scope, receive, send)
        except Refused as refusal:
            await _reject(send, REFUSED_STATUS.get(refusal.reason, 400), refusal.message)
        except Unavailable as error:
            await _reject(send, 503, str(error))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the handshake, then serve; raises before the handshake is answered, or not at all."""
        engine = self._engine()
        visitor = await engine.run(self._sign_in, scope)
        if visitor is None:
            raise Refused("signed_out", "Log in first.")
        self._check_origin(scope, visitor)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        first = _first_room(query)
        room = await engine.run(self.get_room, visitor.author.id, first.room) if first else None
        format: Format = "html" if query.get("format") == ["html"] else "text"
        with self._gate.user(visitor.author.id):
            await send({"type": "websocket.accept"})
            connection = Connection(self, engine, visitor, format=format, receive=receive, send=send)
            await connection.serve(first, room)

    def _check_origin(self, scope: Scope, visitor: Visitor) -> None:
        """Let only this site's pages use the browser's cookie; a program has a token, and no need of an Origin."""
        if visitor.is_by_cookie and not self._is_own_origin(scope):
            log.warning(
                "a websocket was refused: its Origin is not this site (behind a proxy, set TRUSTED_PROXIES)",
                extra={"origin": _header(scope, b"origin")[:200], "user": visitor.author.id},
            )
            raise Refused("wrong_origin", "The request comes from another site.")


class Connection:
    """One open websocket: reads its frames in order, and sends what its followers and the appender have for it."""

    def __init__(
        self,
        endpoint: LiveEndpoint,
        engine: Engine,
        visitor: Visitor,
        *,
        format: Format,
        receive: Receive,
        send: Send,
    ) -> None:
        self._endpoint = endpoint
        self._engine = engine
        self._visitor = visitor
        self.session_id = visitor.session_id
        self.expires_at = visitor.expires_at
        self.was_active = False
        self._author = visitor.author
        self._format = format
        self._receive = receive
        self._send_event = send
        self._rooms: dict[str, Room] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._in_flight = 0
        self._answers: deque[str] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._answered = asyncio.Event()
        self._strikes = 0
        self._is_over = False
        self._closing: asyncio.Task[None] | None = None

    async def serve(self, first: Follow | None, room: Room | None) -> None:
        """Follow the room of the address, then do what the frames say, until the connection ends."""
        self._engine.connections.add(self)
        try:
            if first is not None and room is not None:
                self._rooms[first.room] = room
                await self._attempt(self._follow(first), {"room": first.room})
            while (event := await self._receive())["type"] == "websocket.receive":
                await self._take(event.get("text"))
        except OSError:
            return  # the client is gone
        finally:
            self._engine.connections.discard(self)
            self._stop()

    def end(self, code: int, reason: str) -> None:
        """Close the connection; nothing is sent on it any more."""
        if not self._is_over:
            self._stop()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    def _stop(self) -> None:
        """Do nothing more for the client: no follower, no answer, and no waiting to answer."""
        self._is_over = True
        self._answered.set()
        for task in [*self._followers.values(), self._answering]:
            if task is not None:
                task.cancel()

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(OSError):
            await self._send_event({"type": "websocket.close", "code": code, "reason": reason})

    async def _take(self, raw: str | None) -> None:
        if self._is_over:
            return
        if raw is None:
            self.end(1003, "frames are text")
            return
        await self._attempt(self._do(raw), raw)

    async def _attempt(self, deed: Coroutine[None, None, None], subject: str | dict[str, Any]) -> None:
        """Do what a frame asks for, or say why not. `subject` is the frame, or what it was about."""
        try:
            await deed
        except (Refused, Unavailable) as error:
            about = protocol.subject_of(subject) if isinstance(subject, str) else subject
            await self._send(protocol.refused(_refusal(error), about))
            self._strikes += _is_own_fault(error)
            if self._strikes >= MAX_STRIKES:
                log.warning("a connection was closed: too many refused frames", extra={"user": self._author.id})
                self.end(1008, "too many refused frames")
        else:
            self._strikes = 0

    async def _do(self, raw: str) -> None:
        frame = protocol.parse(raw)
        if isinstance(frame, Post):
            await self._post(frame)
        elif isinstance(frame, Edit | Delete):
            await self._change(frame)
        elif isinstance(frame, Follow):
            await self._follow(frame)
        elif isinstance(frame, Unfollow):
            self._unfollow(frame.room)

    async def _post(self, frame: Post) -> None:
        room = await self._get_room(frame.room)
        self._endpoint.check_posting(self._author.id, self._visitor.address)
        draft = self._engine.messages.draft(self._author, frame.text, frame.client_id)
        await self._wait_for_room_to_answer()

        def done(outcome: Stored | ChatroomError) -> None:
            if isinstance(outcome, Stored):
                self._answer(protocol.stored(room.slug, outcome))
            else:
                self._answer_failure(outcome, {"room": room.slug, "client_id": frame.client_id})

        self._put(room, draft, done)

    async def _change(self, frame: Edit | Delete) -> None:
        room = await self._get_room(frame.room)
        self._endpoint.check_posting(self._author.id, self._visitor.address)
        messages, user_id = self._engine.messages, self._author.id
        if isinstance(frame, Edit):
            messages.check_text(frame.text)
        await self._wait_for_room_to_answer()

        def change(room_id: str, after: int | None) -> Message:
            if isinstance(frame, Edit):
                return messages.edit(room_id, user_id, frame.id, frame.text, after)
            return messages.delete(room_id, user_id, frame.id, after)

        def done(outcome: Stored | ChatroomError) -> None:
            if isinstance(outcome, Stored):
                self._answer(protocol.stored_message(room.slug, outcome.message, frame.client_id))
            else:
                self._answer_failure(outcome, {"room": room.slug, "client_id": frame.client_id})

        self._put(room, change, done)

    def _put(self, room: Room, item: Draft | Change, done: Done) -> None:
        self._engine.appender.put(room.id, item, done)
        self._in_flight += 1
        self.was_active = True

    async def _follow(self, frame: Follow) -> None:
        most = self._endpoint.limits.rooms_per_connection
        if frame.room not in self._followers and 0 < most <= len(self._followers):
            raise Refused("too_many_rooms", f"One connection follows at most {most} rooms.")
        room = await self._get_room(frame.room)
        live = await self._engine.enter(room, self._author)
        try:
            if frame.after is not None and frame.after > live.tail.revision:
                # Another process may be ahead of this one's tail; a cursor that nobody gave is refused.
                await self._engine.run(self._engine.messages.after, room, frame.after, 1)
        except BaseException:
            self._engine.leave(live, self._author)
            raise
        self._unfollow(frame.room)
        follower = asyncio.get_running_loop().create_task(self._run_follower(live, frame.after))
        follower.add_done_callback(lambda _: self._engine.leave(live, self._author))
        self._followers[frame.room] = follower

    async def _run_follower(self, live: LiveRoom, cursor: int | None) -> None:
        try:
            await follow(
                self._send,
                live.tail,
                live.presence,
                partial(self._engine.read_page, live),
                cursor=cursor,
                format=self._format,
            )
        except OSError:
            self._stop()  # the client is gone; whoever reads its frames may be waiting for its answers
        except Exception:
            log.exception("a follower failed; its connection is closed, so that the client comes back")
            self.end(1011, "internal error")

    def _unfollow(self, slug: str) -> None:
        follower = self._followers.pop(slug, None)
        if follower is not None:
            follower.cancel()

    async def _get_room(self, slug: str) -> Room:
        room = self._rooms.get(slug)
        if room is None:
            room = self._rooms[slug] = await self._engine.run(self._endpoint.get_room, self._author.id, slug)
        return room

    async def _wait_for_room_to_answer(self) -> None:
        """Stop reading while too many answers are outstanding: the client then waits, and nothing grows here."""
        while self._in_flight + len(self._answers) >= MAX_IN_FLIGHT and not self._is_over:
            self._answered.clear()
            await self._answered.wait()
        if self._is_over:
            raise ConnectionResetError("the connection has ended")

    def _answer_failure(self, error: ChatroomError, subject: dict[str, Any]) -> None:
        self._answer(protocol.refused(_refusal(error), {name: value for name, value in subject.items() if value}))

    def _answer(self, frame: str) -> None:
        self._in_flight -= 1
        if self._is_over:
            return
        self._answers.append(frame)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.get_running_loop().create_task(self._send_answers())

    async def _send_answers(self) -> None:
        try:
            while self._answers:
                await self._send(self._answers.popleft())
                self._answered.set()
        except OSError:
            self._stop()  # the client is gone; it will ask again under the same client ids

    async def _send(self, frame: str) -> None:
        try:
            await self._send_event({"type": "websocket.send", "text": frame})
        except RuntimeError as error:  # uvicorn closed the connection by itself, and has not told us yet
            raise ConnectionResetError("the connection is closed") from error


def _first_room(query: Mapping[str, list[str]]) -> Follow | None:
    """The room that the address asks for, if any."""
    if "room" not in query:
        return None
    after = query.get("after", [None])[0]
    try:
        return msgspec.convert({"type": "follow", "room": query["room"][0], "after": after}, Follow, strict=False)
    except msgspec.ValidationError as error:
        raise Refused("invalid", f"The address is not understood: {error}") from error


def _is_own_fault(error: ChatroomError) -> bool:
    """Whether the client could have known better; it cannot know how the server fares."""
    return isinstance(error, Refused) and error.reason != "busy"


def _refusal(error: ChatroomError) -> Refused:
    return error if isinstance(error, Refused) else Refused("unavailable", str(error))


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _reject(send: Send, status: int, message: str) -> None:
    """Answer the handshake with an ordinary response, which says why."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_SECONDS).encode()))
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": message.encode()})
