"""The rooms that somebody follows in this process: each with its tail, its presence, and who types.

What changed elsewhere is only hinted at. The store is read after the tail's revision, so that nothing is missed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Message, Room
from chatroom.live import protocol
from chatroom.live.follower import News
from chatroom.live.presence.presence import Presence
from chatroom.live.presence.typing import Typing
from chatroom.live.protocol import Format
from chatroom.live.tail import FRAME_MESSAGES, Tail, bounded_frame
from chatroom.messages.messages_store import MessageStore

FORGET_TICKS = 60
RETRY_SECONDS = 0.5
TOGETHER_SECONDS = 0.02
"""How long what another process stored waits for what this one is storing behind it."""
LATELY = timedelta(seconds=2)

Run = Callable[..., Awaitable[Any]]
Hear = Callable[[str, int], Awaitable["asyncio.Future[Any] | None"]]
"""Told of a room and how far others have brought it; returns this process's own write there, if there is one."""


class LiveRoom:
    """A room that somebody follows in this process."""

    def __init__(self, room: Room, tail: Tail) -> None:
        self.room = room
        self.tail = tail
        self.presence = Presence(room.slug)
        self.typing = Typing(room.slug)
        self.news: tuple[News, ...] = (self.presence, self.typing)
        self.connections = 0
        self.empty_ticks = 0
        self.is_hinted = False
        """Whether a hint is on its way from a feed's thread to the event loop."""
        self.is_behind = False
        """Whether the store may have what the tail has not."""
        self.refreshing: asyncio.Task[None] | None = None
        self.pages: dict[tuple[int, Format], asyncio.Task[tuple[bytes, int, int]]] = {}


class LiveRooms:
    """All of them; made on the event loop. A room comes with its first follower, and goes a minute after the last."""

    def __init__(
        self,
        store: MessageStore,
        run: Run,
        *,
        hear: Hear,
        posted_here: Callable[[str, Sequence[Message]], None],
        posted_elsewhere: Callable[[str], None],
        tail_messages: int,
        tail_bytes: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._run = run
        self._hear = hear
        self._posted_here = posted_here
        self._posted_elsewhere = posted_elsewhere
        self._tail_messages = tail_messages
        self._tail_bytes = tail_bytes
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, LiveRoom] = {}
        self._opening: dict[str, asyncio.Task[LiveRoom]] = {}

    def __iter__(self) -> Iterator[LiveRoom]:
        """Go through them as they are now, whatever comes or goes meanwhile."""
        return iter(list(self._rooms.values()))

    def __len__(self) -> int:
        """How many are followed."""
        return len(self._rooms)

    def find(self, room_id: str) -> LiveRoom | None:
        """The live side of a room, if somebody follows it."""
        return self._rooms.get(room_id)

    async def open(self, room: Room) -> LiveRoom:
        """Find the live side of a room, made on the first visit."""
        live = self._rooms.get(room.id)
        if live is None:
            task = self._opening.get(room.id)
            if task is None:
                task = self._opening[room.id] = self._loop.create_task(self._open(room))
                task.add_done_callback(partial(_forget, self._opening, room.id))
            live = await asyncio.shield(task)
        return live

    def revision(self, room_id: str) -> int | None:
        """How far a room is known here; None where nobody follows it."""
        live = self._rooms.get(room_id)
        return live.tail.revision if live else None

    def revisions(self) -> dict[str, int]:
        """How far each room is known here."""
        return {room_id: live.tail.revision for room_id, live in list(self._rooms.items())}

    def publish(self, room_id: str, messages: list[Message]) -> None:
        """Show a room what this process has just stored."""
        self._posted_here(room_id, messages)
        live = self._rooms.get(room_id)
        if live is not None:
            _note_said(live, messages)
            if not live.tail.offer(messages):
                self._refresh(live)

    def hint_from_thread(self, room_id: str, revision: int) -> None:
        """Another process has brought a room to a revision, perhaps; called in a feed's thread."""
        live = self._rooms.get(room_id)
        # One hint on its way stands for all that follow: the store is read after it has arrived.
        if live is None or live.is_hinted or revision <= live.tail.revision:
            return
        live.is_hinted = True
        try:
            self._loop.call_soon_threadsafe(self._follow_hint, live)
        except RuntimeError:
            return  # the loop has ended

    def refresh(self) -> None:
        """Read what any of them does not have yet."""
        for live in self:
            self._refresh(live)

    async def read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Read changes after `cursor` from the store, as a frame; those who ask for the same share one query."""
        key = (cursor, format)
        task = live.pages.get(key)
        if task is None:
            task = live.pages[key] = self._loop.create_task(self._read_page(live, cursor, format))
            task.add_done_callback(partial(_forget, live.pages, key))
        return await asyncio.shield(task)

    def forget_empty(self) -> None:
        """Let go of those that nobody has followed for a while; called once a second."""
        for room_id, live in list(self._rooms.items()):
            live.empty_ticks = 0 if live.connections else live.empty_ticks + 1
            if live.empty_ticks > FORGET_TICKS:
                del self._rooms[room_id]

    async def _open(self, room: Room) -> LiveRoom:
        tail = Tail(room.slug, 0, max_messages=self._tail_messages, max_bytes=self._tail_bytes)
        live = LiveRoom(room, tail)
        tail.restart(await self._run(self._store.newest_revision, room.id))
        self._rooms[room.id] = live
        # Hints reach it only from here on: what changed since its revision was read is read now.
        self._refresh(live)
        return live

    async def _read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        found: list[Message] = await self._run(self._store.changed_after, live.room.id, cursor, FRAME_MESSAGES)
        if not found:  # a primary that is being replaced may not have come so far yet
            raise Unavailable("The database is behind.")
        pieces = ((message.revision, protocol.encode_message(message, format)) for message in found)
        return bounded_frame(live.room.slug, pieces, found[-1].revision)

    def _follow_hint(self, live: LiveRoom) -> None:
        live.is_hinted = False
        self._refresh(live)

    def _refresh(self, live: LiveRoom) -> None:
        """Read what the tail does not have yet; asked for while that is under way, once more after it."""
        live.is_behind = True
        if live.refreshing is None or live.refreshing.done():
            live.refreshing = self._loop.create_task(self._read_on(live))

    async def _read_on(self, live: LiveRoom) -> None:
        while live.is_behind:
            live.is_behind = False
            try:
                found = await self._run(self._store.changed_after, live.room.id, live.tail.revision, FRAME_MESSAGES)
            except ChatroomError:  # logged where it was noticed
                live.is_behind = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._take_in(live, found)
            live.is_behind = live.is_behind or len(found) == FRAME_MESSAGES

    async def _take_in(self, live: LiveRoom, found: Sequence[Message]) -> None:
        """Show what was read; where this process is storing something behind it, both in one frame."""
        writing = None
        if any(message.origin != self._store.origin for message in found):
            writing = await self._hear(live.room.id, found[-1].revision)
        _note_said(live, found)
        live.tail.fill(found)
        self._count_posts(found)
        if writing is not None:
            await asyncio.wait([writing], timeout=TOGETHER_SECONDS)
            await asyncio.sleep(0)  # whoever wrote shows it now, and this along with it
        live.tail.show()

    def _count_posts(self, found: Iterable[Message]) -> None:
        """Let what people post through other processes count for their limit here; what is older counts no more."""
        lately = self._clock() - LATELY
        for message in found:
            if (
                message.origin != self._store.origin
                and message.revision == message.sequence
                and message.sent_at > lately
            ):
                self._posted_elsewhere(message.author.id)


def _note_said(live: LiveRoom, messages: Iterable[Message]) -> None:
    for message in messages:
        if message.revision == message.sequence:
            live.typing.stop(message.author.id, message.sent_at)


def _forget(tasks: dict[Any, asyncio.Task[Any]], key: Any, task: asyncio.Task[Any]) -> None:
    """Take a finished task out, and its error with it: those who waited for it have it already."""
    tasks.pop(key, None)
    if not task.cancelled():
        task.exception()
