"""Translate between a Socket.IO client and a `Connection`: events become frames, and frames become events.

So the same limits and checks apply to Socket.IO clients and to websockets.
"""

import asyncio
import json
import logging
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.live.connection import MAX_STRIKES, Connection
from chatroom.live.engine import Engine
from chatroom.live.protocol import Cursor, Follow, Post, Slug, Unfollow, reason_of, wire
from chatroom.live.sockets.visitor import Chat, Visitor
from chatroom.live.sockets.websocket import Transport
from chatroom.messages.history import Page
from chatroom.names import is_former_direct

log = logging.getLogger(__name__)

MOST_MESSAGES = 100
USUAL_MESSAGES = 50
LOBBY = "lobby"

Emit = Callable[[str, Any], Awaitable[None]]
"""A function that sends an event. Waits while the client does not read; raises `OSError` when the client is gone."""
Answer = dict[str, Any]


class History(msgspec.Struct, forbid_unknown_fields=True):
    """A client's request for a page of messages."""

    room: Slug = LOBBY
    after: Cursor | UnsetType = UNSET
    before: Cursor | UnsetType = UNSET
    limit: int = USUAL_MESSAGES


class Client:
    """One Socket.IO client. Each event is answered before the next event is handled."""

    def __init__(
        self, engine: Engine, chat: Chat, visitor: Visitor, *, emit: Emit, end: Callable[[int, str], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._visitor = visitor
        self._chat = chat
        self._emit = emit
        self._end = end
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()  # short, because each event waits for its answer
        self._waiting: defaultdict[tuple[str, str], deque[asyncio.Future[Answer]]] = defaultdict(deque)
        self._unasked: set[asyncio.Future[Answer]] = set()
        """Answers for the rooms that are followed from the start. No event waits for these answers."""
        self._seen: dict[str, int] = {}  # by room: the newest sequence that the client knows
        self._strikes = 0
        self._is_over = False
        self._rooms = sorted(room for room in visitor.grant.rooms if not is_former_direct(room)) or [LOBBY]
        transport = Transport(receive=self._inbox.get, send=self._close, write=self._write)
        self._connection = Connection(engine, chat, visitor, transport)
        self._events: dict[str, Callable[[Any], Awaitable[Answer]]] = {
            "new_message": self._post,
            "join": self._join,
            "leave": self._leave,
            "history": self._history,
        }

    async def serve(self) -> None:
        """Follow the lobby, or the rooms of the token, until the client leaves or the session ends."""
        if "read" in self._visitor.grant.scopes:
            for room in self._rooms[: self._chat.limits.rooms_per_connection or None]:
                self._unasked.add(self._expect(("follow", room)))
                self._inbox.put_nowait(_event(Follow(room=room)))
        try:
            await self._connection.serve(None, None)
        finally:
            self.leave()

    def leave(self) -> None:
        """Stop, because the client is gone."""
        self._is_over = True
        self._inbox.put_nowait({"type": "websocket.disconnect"})
        gone = {"error": reason_of(Unavailable("The connection has ended."))}
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(gone)

    async def answer(self, name: str, arguments: list[Any]) -> Answer:
        """Execute an event, and return the outcome. Never raise an error."""
        try:
            event = self._events.get(name)
            if event is None:
                raise Refused("invalid", f"There is no event named {name[:40]}")
            return await event(arguments[0] if arguments else {})
        except ChatroomError as error:
            await self._rest()
            self._strikes += 1
            if self._strikes >= MAX_STRIKES:
                self._connection.end(1008, "too many refused frames")
            return {"error": reason_of(error)}
        except Exception:
            log.exception("a Socket.IO event failed", extra={"event": name[:40], "user": self._visitor.person.id})
            await self._rest()
            return {"error": reason_of(Unavailable("Something went wrong. Please try again in a moment."))}

    async def _rest(self) -> None:
        """Count an event that does not become a frame, and pause if the user is too fast."""
        await asyncio.sleep(self._chat.paces.of(self._visitor.person.id).take())

    async def _post(self, given: Any) -> Answer:
        fields = {"text": given} if isinstance(given, str) else given
        client_id = secrets.token_urlsafe(12)
        post = _converted({"room": self._rooms[0], "client_id": client_id}, fields, Post)
        return await self._ask(post, ("post", post.client_id or client_id))

    async def _join(self, given: Any) -> Answer:
        follow = _converted({"room": LOBBY}, {"room": given} if isinstance(given, str) else given, Follow)
        for earlier in list(self._waiting.get(("follow", follow.room), ())):
            await asyncio.shield(earlier)  # two answers about one room would look the same
        if follow.after is not None:
            self._seen[follow.room] = follow.after
        return await self._ask(follow, ("follow", follow.room))

    async def _leave(self, given: Any) -> Answer:
        unfollow = _converted({}, {"room": given} if isinstance(given, str) else given, Unfollow)
        self._inbox.put_nowait(_event(unfollow))
        await self._rest()  # delays only this client
        return {"room": unfollow.room}

    async def _history(self, given: Any) -> Answer:
        asked = _converted({"room": self._rooms[0]}, given, History)
        await self._rest()
        self._visitor.grant.check("read", asked.room)
        if asked.after is not UNSET and asked.before is not UNSET:
            raise Refused("invalid", "Give either a revision to read after or a sequence to read before, not both.")
        access = await self._engine.run(self._chat.enter, self._visitor, asked.room)
        history, limit = self._chat.history, min(max(asked.limit, 1), MOST_MESSAGES)
        page: Page
        if asked.after is not UNSET:
            page = await self._engine.run(history.after, access.room, asked.after, limit)
        elif asked.before is not UNSET:
            page = await self._engine.run(history.before, access.room, asked.before, limit)
        else:
            page = await self._engine.run(history.newest, access.room, limit)
        self._strikes = 0
        return {
            "room": asked.room,
            "revision": page.revision,
            "messages": [msgspec.to_builtins(wire(message, "text")) for message in page.messages],
            "more": page.more,
        }

    async def _ask(self, frame: Post | Follow, key: tuple[str, str]) -> Answer:
        """Pass a frame to the connection, and wait for the answer."""
        if self._is_over:
            raise Unavailable("The connection has ended.")
        answer = self._expect(key)
        self._inbox.put_nowait(_event(frame))
        self._strikes = 0
        return await answer

    def _expect(self, key: tuple[str, str]) -> asyncio.Future[Answer]:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(answer)
        return answer

    async def _write(self, *frames: bytes) -> None:
        for frame in frames:
            await self._deliver(msgspec.json.decode(frame))

    async def _deliver(self, frame: dict[str, Any]) -> None:
        kind, room = frame.pop("type"), frame.get("room", "")
        if kind == "changes":
            for message in frame["messages"]:
                is_new = message["sequence"] > self._seen.get(room, 0)
                self._seen[room] = max(self._seen.get(room, 0), message["sequence"])
                await self._emit("message" if is_new else "changed", {"room": room, **message})
        elif kind == "caught_up":
            self._seen[room] = max(self._seen.get(room, 0), frame["revision"])
            self._resolve(("follow", room), {"room": room, "revision": frame["revision"]})
        elif kind == "stored":
            self._resolve(("post", frame.get("client_id", "")), frame)
        elif kind == "held":
            self._resolve(("post", frame.get("client_id", "")), {**frame, "held": True})
        elif kind == "closed":
            error = {"error": {"reason": frame["reason"], "message": frame["message"]}}
            if not self._resolve(("follow", room), error):
                await self._emit(kind, frame)
        elif kind == "refused":
            key = ("post", frame["client_id"]) if "client_id" in frame else ("follow", room)
            error = {name: value for name, value in frame.items() if name not in {"room", "client_id"}}
            if not self._resolve(key, {"error": error}):
                await self._emit("refused", frame)
        else:
            await self._emit(kind, frame)

    def _resolve(self, key: tuple[str, str], answer: Answer) -> bool:
        """Pass an answer to the event that has waited longest. Return False if no event waits."""
        futures = self._waiting.get(key)
        if not futures:
            return False
        future = futures.popleft()
        if not futures:
            del self._waiting[key]
        if not future.done():
            future.set_result(answer)
        return future not in self._unasked

    async def _close(self, event: Mapping[str, Any]) -> None:
        await self._end(event["code"], event["reason"])


def _converted(usual: dict[str, Any], given: Any, kind: type[Any]) -> Any:
    """Convert the content of an event to a typed value; raise `Refused` (`invalid`) for other content."""
    if not isinstance(given, dict):
        raise Refused("invalid", "Send a text, or an object.")
    tag = kind.__struct_config__.tag
    fields = {**usual, **given, **({"type": tag} if tag else {})}
    try:
        json.dumps(given, ensure_ascii=False).encode()
        return msgspec.convert(fields, kind)
    except UnicodeEncodeError as error:
        raise Refused("invalid", "The event is not valid: it contains a lone surrogate.") from error
    except (msgspec.ValidationError, TypeError, RecursionError) as error:
        raise Refused("invalid", f"The event is not valid: {str(error)[:200]}") from error


def _event(frame: Post | Follow | Unfollow) -> dict[str, Any]:
    """Make the ASGI event that a websocket would receive for this frame."""
    # `json` also writes lone surrogates. The connection then refuses the frame with a reason.
    return {"type": "websocket.receive", "text": json.dumps(msgspec.to_builtins(frame))}
