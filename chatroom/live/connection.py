"""Handle the frames of one open websocket in order: execute or refuse each frame."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Room
from chatroom.live import protocol
from chatroom.live.accesses import Accesses
from chatroom.live.answers import Answers
from chatroom.live.engine import Engine
from chatroom.live.following import Following
from chatroom.live.posts import Posts
from chatroom.live.protocol import Follow, Format, MessageChange, Post, Read, Typing, Unfollow
from chatroom.live.read_positions import Positions
from chatroom.live.sockets.pace import FOLLOW, FRAMES_A_TURN
from chatroom.live.sockets.visitor import Chat, Visitor
from chatroom.live.sockets.websocket import Transport

log = logging.getLogger(__name__)

MAX_STRIKES = 100
"""After so many consecutive refused frames, the connection is closed."""


class Connection:
    """The connection of one client. It handles the client's frames in order."""

    def __init__(
        self, engine: Engine, chat: Chat, visitor: Visitor, transport: Transport, *, format: Format = "text"
    ) -> None:
        self._engine = engine
        self._chat = chat
        self._visitor = visitor
        self._transport = transport
        self.user_id = visitor.person.id
        self.session_id = visitor.session_id
        self.is_by_cookie = visitor.is_by_cookie
        self.expires_at = visitor.expires_at
        self.was_active = False
        self._answers = Answers(
            transport.write,
            transport.write_now,
            when_full=lambda: self.end(1011, "the client reads too slowly: too many frames are waiting"),
            when_gone=self._stop,
        )
        self._accesses = Accesses(visitor, partial(engine.run, chat.enter, visitor), self._update_person)
        self._following = Following(
            engine, chat, self._accesses, self._answers, write=transport.write, format=format, end=self.end
        )
        self._posts = Posts(engine, chat, visitor, self._accesses, self._answers)
        self._positions = Positions(engine.run, chat.mark_read)
        self._pace = chat.paces.of(visitor.person.id)
        self._rest_seconds = 0.0
        self._strikes = 0
        self._is_over = False
        self._closing: asyncio.Task[None] | None = None

    async def serve(self, first: Follow | None, access: Access | None) -> None:
        """Follow the room in `first`, then execute frames until the connection ends."""
        self._engine.connections.add(self)
        try:
            if first is not None:
                if access is not None:
                    self._accesses.put(first.room, access)
                await self._attempt(self._following.follow(first), {"room": first.room})
            taken = 0
            while (event := await self._transport.receive())["type"] == "websocket.receive":
                await self._take(event.get("text"))
                taken += 1
                if self._rest_seconds or taken % FRAMES_A_TURN == 0:
                    # While received frames are queued, `receive` never waits. This pause lets other tasks run.
                    await asyncio.sleep(self._rest_seconds)
                    self._rest_seconds = 0.0
        except OSError:
            return  # the client is gone
        finally:
            self._engine.connections.discard(self)
            self._stop()

    def prolong(self, expires_at: datetime) -> None:
        """Set the new expiry of the session."""
        self.expires_at = expires_at
        self.was_active = False

    def end(self, code: int, reason: str) -> None:
        """Close the connection, and send no more frames."""
        if not self._is_over:
            self._stop()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    def tell(self, frame: bytes) -> None:
        """Queue a frame. The connection is closed if the client does not read its frames."""
        self._answers.put(frame)

    def see_room(self, room: Room) -> bool:
        """Replace a cached room by its current state. Return whether the connection follows the room."""
        self._accesses.see(room)
        return room.slug in self._following

    def accesses(self) -> Iterable[Access]:
        """The cached rights of the user."""
        return self._accesses

    def forget_access(self, room_id: str | None = None, *, why: str = "removed") -> None:
        """Drop the cached rights in a room (None: in all rooms). Unfollow a room if the user is no longer a member."""
        self._accesses.forget(room_id)
        self._following.look_again(room_id, why)

    def _update_person(self) -> None:
        self._following.update_person()

    def _stop(self) -> None:
        self._is_over = True
        self._answers.stop()
        self._following.stop()

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(OSError):
            await self._transport.send({"type": "websocket.close", "code": code, "reason": reason})

    async def _take(self, raw: str | None) -> None:
        if self._is_over:
            return
        if raw is None:
            self.end(1003, "frames are text")
            return
        await self._attempt(self._do(raw), raw)

    async def _attempt(self, deed: Coroutine[None, None, None], subject: str | dict[str, Any]) -> None:
        """Execute a frame, or answer with the refusal. `subject` is the raw frame, or its `room` and `client_id`."""
        try:
            await deed
        except (Refused, Unavailable) as error:
            about = protocol.subject_of(subject) if isinstance(subject, str) else subject
            self._rest_seconds = self._pace.take()
            self._engine.metrics.refused(error.reason)
            await self._transport.write(protocol.refused(error, about))
            self._strikes += _is_own_fault(error)
            if self._strikes >= MAX_STRIKES:
                log.warning("a connection was closed: too many refused frames", extra={"user": self.user_id})
                self.end(1008, "too many refused frames")
        else:
            self._strikes = 0

    async def _do(self, raw: str) -> None:
        frame = protocol.parse(raw)
        self._visitor.grant.check(frame.scope, frame.room)
        if isinstance(frame, Post):
            if not await self._posts.post(frame):
                self._rest_seconds = self._pace.take()
            self.was_active = True
        elif isinstance(frame, MessageChange):
            await self._posts.change(frame)
            self.was_active = True
        else:
            await self._do_other(frame)

    async def _do_other(self, frame: Follow | Unfollow | Read | Typing) -> None:
        """Execute a frame that stores no message. The only limit on such frames is the user's `Pace`."""
        self._rest_seconds = self._pace.take(FOLLOW if isinstance(frame, Follow) else 1)
        if isinstance(frame, Follow):
            await self._following.follow(frame)
        elif isinstance(frame, Unfollow):
            self._following.unfollow(frame.room)
        elif isinstance(frame, Read):
            self._positions.put(await self._accesses.get(frame.room), frame.sequence, frame.unread_marks)
        elif self._chat.posting.may_post(access := await self._accesses.get(frame.room)):
            self._engine.presence.type(access.room, self._accesses.person, is_typing=frame.on)


def _is_own_fault(error: ChatroomError) -> bool:
    """Whether the client caused the error. The client does not cause `busy` or `Unavailable`."""
    return isinstance(error, Refused) and error.reason != "busy"
