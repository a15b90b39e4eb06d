"""One open websocket: what each of its frames does, and what is sent on it.

Frames are taken in order; each is checked, and done or refused with a reason.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from chatroom.base.access import Access
from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft, Room
from chatroom.live import protocol
from chatroom.live.accesses import Accesses
from chatroom.live.answers import Answers
from chatroom.live.engine import Engine
from chatroom.live.follower import follow
from chatroom.live.protocol import Delete, Edit, Follow, Format, Pin, Post, React, Read, Typing, Unfollow
from chatroom.live.read_positions import Positions
from chatroom.live.rooms import LiveRoom
from chatroom.live.sockets.pace import FOLLOW, FRAMES_A_TURN
from chatroom.live.sockets.visitor import Rules, Visitor
from chatroom.live.sockets.websocket import Receive, Send, Write, WriteNow, never_now
from chatroom.messages.changes import Change
from chatroom.messages.messages_store import Stored
from chatroom.messages.rendering import has_code

log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 1000
"""Posts of one connection that are not answered yet; beyond it, its frames are not read."""
MAX_STRIKES = 100
"""Refused frames without an accepted one in between, after which the connection is closed."""
PAUSE_SECONDS = 1.0
CLOSED = {
    "left": "You have left this room.",
    "removed": "You are no longer a member of this room.",
    "moved": "This conversation has a new address. Load the page again.",
}


class Connection:
    """One open websocket: reads its frames in order, and sends what its followers and the appender have for it."""

    def __init__(
        self,
        engine: Engine,
        visitor: Visitor,
        rules: Rules,
        *,
        format: Format,
        receive: Receive,
        send: Send,
        write: Write,
        write_now: WriteNow = never_now,
    ) -> None:
        self._rules = rules
        self._engine = engine
        self._visitor = visitor
        self.user_id = visitor.person.id
        self.session_id = visitor.session_id
        self.expires_at = visitor.expires_at
        self.was_active = False
        self._person, self._author = visitor.person, visitor.person.author
        self._format = format
        self._receive = receive
        self._send_event = send
        self._write: Write = write
        self._accesses = Accesses(partial(engine.run, rules.enter, visitor), self._learn)
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._followed: dict[str, LiveRoom] = {}
        self._pace = rules.paces.of(self.user_id)
        self._rest_seconds = 0.0
        self._positions = Positions(engine.run, rules.mark_read)
        self._chores: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._answers = Answers(write, write_now, when_sent=self._note_answered, when_gone=self._stop)
        self._answered: asyncio.Event | None = None
        self._strikes = 0
        self._is_over = False
        self._closing: asyncio.Task[None] | None = None

    async def serve(self, first: Follow | None, access: Access | None) -> None:
        """Follow the room of the address, then do what the frames say, until the connection ends."""
        self._engine.connections.add(self)
        try:
            if first is not None:
                if access is not None:
                    self._accesses.put(first.room, access)
                await self._attempt(self._follow(first), {"room": first.room})
            taken = 0
            while (event := await self._receive())["type"] == "websocket.receive":
                await self._take(event.get("text"))
                taken += 1
                if self._rest_seconds or taken % FRAMES_A_TURN == 0:
                    # Frames that are here already are taken without waiting: the loop would get no turn.
                    await asyncio.sleep(self._rest_seconds)
                    self._rest_seconds = 0.0
        except OSError:
            return  # the client is gone
        finally:
            self._engine.connections.discard(self)
            self._stop()

    def prolong(self, expires_at: datetime) -> None:
        """Note until when the session is valid now."""
        self.expires_at = expires_at
        self.was_active = False

    def end(self, code: int, reason: str) -> None:
        """Close the connection; nothing is sent on it any more."""
        if not self._is_over:
            self._stop()
            self._closing = asyncio.get_running_loop().create_task(self._close(code, reason))

    def tell(self, frame: bytes) -> None:
        """Send a frame as soon as those before it are sent; a client for whom too many wait is disconnected."""
        if not self._is_over and not self._answers.put(frame):
            self.end(1011, "too many frames wait to be read")

    def see_room(self, room: Room) -> bool:
        """Remember a room as it is now; whether it is followed here."""
        self._accesses.see(room)
        return room.slug in self._followers

    def accesses(self) -> Iterable[Access]:
        """What is remembered of what the user may do."""
        return self._accesses

    def forget_access(self, room_id: str | None = None, *, why: str = "removed") -> None:
        """Ask anew what the user may do, in a room or in all; one that they may no longer follow is closed."""
        self._accesses.forget(room_id)
        for slug, live in self._followed.items():
            if room_id in {None, live.room.id}:
                self._start(self._look_again(slug, why))

    def _start(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _look_again(self, slug: str, why: str) -> None:
        """End the follower of a room that the user is not in any more."""
        while slug in self._followers and slug not in self._accesses:
            forgotten = self._accesses.forgotten
            try:
                access = await self._engine.run(self._rules.find_access, self.user_id, slug)
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if access is None:
                self._unfollow(slug)
                self.tell(protocol.closed(slug, why, CLOSED[why]))
            elif forgotten == self._accesses.forgotten:
                self._accesses.put(slug, access)

    def _learn(self, access: Access) -> Access:
        """What the connection may do, of what the user may; they may be shown otherwise by now."""
        if access.person.name and access.person != self._person:
            self._person, self._author = access.person, access.author
        for live in self._followed.values():
            self._engine.presence.update(live, self._person)
        return self._visitor.grant.narrow(access)

    def _stop(self) -> None:
        """Do nothing more for the client: no follower, no answer, and no waiting to answer."""
        self._is_over = True
        self._note_answered()
        self._answers.stop()
        for task in [*self._followers.values(), *self._chores]:
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
            self._rest_seconds = self._pace.take()
            await self._write(protocol.refused(_refusal(error), about))
            self._strikes += _is_own_fault(error)
            if self._strikes >= MAX_STRIKES:
                log.warning("a connection was closed: too many refused frames", extra={"user": self._author.id})
                self.end(1008, "too many refused frames")
        else:
            self._strikes = 0

    async def _do(self, raw: str) -> None:
        frame = protocol.parse(raw)
        self._visitor.grant.check(frame.scope, frame.room)
        if isinstance(frame, Post):
            await self._post(frame)
        elif isinstance(frame, Edit | Delete | React | Pin):
            await self._change(frame)
        else:
            await self._do_other(frame)

    async def _do_other(self, frame: Follow | Unfollow | Read | Typing) -> None:
        """Do what is not stored as a message, and so has no other limit than the pace."""
        self._rest_seconds = self._pace.take(FOLLOW if isinstance(frame, Follow) else 1)
        if isinstance(frame, Follow):
            await self._follow(frame)
        elif isinstance(frame, Unfollow):
            self._unfollow(frame.room)
        elif isinstance(frame, Read):
            self._positions.put(await self._accesses.get(frame.room), frame.sequence)
        elif isinstance(frame, Typing):
            self._type(await self._accesses.get(frame.room))

    def _type(self, access: Access) -> None:
        with contextlib.suppress(Refused):  # who may not say anything is not shown as about to
            self._engine.messages.check_posting(access)
            self._engine.presence.type(access.room, self._person)

    async def _post(self, frame: Post) -> None:
        access = await self._accesses.get(frame.room)
        messages = self._engine.messages
        messages.check_posting(access)
        draft = messages.draft(
            self._author, frame.text, frame.client_id, reply_to=frame.reply_to, has_files=bool(frame.files)
        )
        self._rules.check_posting(self._author.id, self._visitor.address)
        if frame.reply_to is not None:
            await self._engine.run(messages.check_reply, access.room, frame.reply_to)
        if "@" in frame.text:
            draft = await self._engine.run(self._engine.messages.with_mentions, access, draft)
        if access.slow_seconds:
            await self._engine.run(self._rules.take_turn, access, draft.client_id)
        await self._wait_for_room_to_answer()
        if self._rules.may_be_held(access):
            held = await self._engine.run(self._rules.hold, access, draft, frame.files)
            if held is not None:
                self.was_active = True
                self.tell(protocol.held(access.room.slug, held))
                return
        if frame.files:
            draft = await self._engine.run(messages.attach, access.room, draft, frame.files)
        if has_code(frame.text):
            draft = await self._engine.run(messages.with_code, draft)
        self._put(access.room, draft, frame.client_id)

    async def _change(self, frame: Edit | Delete | React | Pin) -> None:
        access = await self._accesses.get(frame.room)
        messages = self._engine.messages
        if isinstance(frame, Edit):
            change = messages.changes.editing(access, frame.id, frame.text, seen=frame.revision)
        elif isinstance(frame, Delete):
            change = messages.changes.deleting(access, frame.id)
        elif isinstance(frame, React):
            change = messages.changes.reacting(access, frame.id, frame.emoji, on=frame.on)
        else:
            change = messages.changes.pinning(access, frame.id, on=frame.on)
        self._rules.check_posting(self._author.id, self._visitor.address)
        await self._wait_for_room_to_answer()
        self._put(access.room, change, frame.client_id)

    def _put(self, room: Room, item: Draft | Change, client_id: str | None) -> None:
        """Have a draft or a change stored; it is answered under the client id of its frame."""

        def done(outcome: Stored | ChatroomError) -> None:
            if isinstance(outcome, Stored):
                self._answer(protocol.stored(room.slug, outcome.message, client_id))
            else:
                self._answer_failure(outcome, {"room": room.slug, "client_id": client_id})

        self._engine.appender.put(room.id, item, done)
        self._in_flight += 1
        self.was_active = True

    async def _follow(self, frame: Follow) -> None:
        most = self._rules.max_rooms
        if frame.room not in self._followers and 0 < most <= len(self._followers):
            raise Refused("too_many_rooms", f"One connection follows at most {most} rooms.")
        forgotten = self._accesses.forgotten
        room = (await self._accesses.get(frame.room)).room
        if room.slug != frame.room:  # its news would come under a name that the client does not know
            self.tell(protocol.closed(frame.room, "moved", CLOSED["moved"], to=room.slug))
            return
        format = frame.format or self._format
        person = None if format == "brief" else self._person  # who only counts what is new is not there
        live = await self._engine.enter(room, person)
        try:
            if frame.after is not None and frame.after > live.tail.revision:
                # Another process may be ahead of this one's tail; a cursor that nobody gave is refused.
                await self._engine.run(self._engine.messages.after, room, frame.after, 1)
        except BaseException:
            self._engine.leave(live, person)
            raise
        self._unfollow(frame.room)
        follower = asyncio.get_running_loop().create_task(self._run_follower(live, frame.after, format))
        follower.add_done_callback(lambda _: self._engine.leave(live, person))
        self._followers[frame.room] = follower
        self._followed[frame.room] = live
        if forgotten != self._accesses.forgotten:  # perhaps about this room, before anybody knew it would be followed
            self._start(self._look_again(frame.room, "removed"))

    async def _run_follower(self, live: LiveRoom, cursor: int | None, format: Format) -> None:
        try:
            await follow(
                self._write,
                live.tail,
                partial(self._read_page, live),
                cursor=cursor,
                format=format,
                send_now=self._answers.send_with,
                news=() if format == "brief" else live.news,
            )
        except OSError:
            self._stop()  # the client is gone; whoever reads its frames may be waiting for its answers
        except Exception:
            log.exception("a follower failed; its connection is closed, so that the client comes back")
            self.end(1011, "internal error")

    async def _read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        async with self._pace.reading:  # else one user's followers would fill the store's threads
            return await self._engine.rooms.read_page(live, cursor, format)

    def _unfollow(self, slug: str) -> None:
        self._followed.pop(slug, None)
        follower = self._followers.pop(slug, None)
        if follower is not None:
            follower.cancel()

    async def _wait_for_room_to_answer(self) -> None:
        """Stop reading while too many answers are outstanding: the client then waits, and nothing grows here."""
        while self._in_flight + len(self._answers) >= MAX_IN_FLIGHT and not self._is_over:
            self._answered = asyncio.Event()
            await self._answered.wait()
        if self._is_over:
            raise ConnectionResetError("the connection has ended")

    def _note_answered(self) -> None:
        if self._answered is not None:
            self._answered.set()

    def _answer_failure(self, error: ChatroomError, subject: dict[str, Any]) -> None:
        self._answer(protocol.refused(_refusal(error), {name: value for name, value in subject.items() if value}))

    def _answer(self, frame: bytes) -> None:
        self._in_flight -= 1
        self.tell(frame)


def _is_own_fault(error: ChatroomError) -> bool:
    """Whether the client could have known better; it cannot know how the server fares."""
    return isinstance(error, Refused) and error.reason != "busy"


def _refusal(error: ChatroomError) -> Refused:
    return error if isinstance(error, Refused) else Refused("unavailable", str(error))
