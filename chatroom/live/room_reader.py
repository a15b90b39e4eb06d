"""Read changes of a room from the store: new changes for the tail (`chatroom.live.tail`), and pages of history.

Reads for the tail begin after the tail's newest revision, so the tail misses no change.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from chatroom.base.clock import Clock
from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Message, Room
from chatroom.base.threads import RunInThread
from chatroom.live import protocol
from chatroom.live.presence.typing import TypingPeople
from chatroom.live.protocol import Format
from chatroom.live.tail import FRAME_MESSAGES, Tail, bounded_frame
from chatroom.messages.messages_store import MessageStore

RETRY_SECONDS = 0.5
TOGETHER_SECONDS = 0.02
"""The longest time that messages of another process wait for a write of this process, to share a frame with it."""
LATELY = timedelta(seconds=2)

Hear = Callable[[str, int], Awaitable["asyncio.Future[Any] | None"]]
"""Takes a room id and a revision of another process. Returns this process's running write in the room, if any."""


class Source(msgspec.Struct, frozen=True):
    """The dependencies of room readers. `posted_elsewhere` gets the id of a user who posted in another process."""

    store: MessageStore
    run: RunInThread
    hear: Hear
    posted_elsewhere: Callable[[str], None]
    clock: Clock


class RoomReader:
    """The reader of one room. Must be created on the event loop."""

    def __init__(self, room: Room, tail: Tail, typing: TypingPeople, source: Source) -> None:
        self._room = room
        self._tail = tail
        self._typing = typing
        self._source = source
        self._is_behind = False
        """Whether the store may have changes that the tail does not have."""
        self._refreshing: asyncio.Task[None] | None = None
        self._pages: dict[tuple[int, Format], asyncio.Task[tuple[bytes, int, int]]] = {}

    def refresh(self) -> None:
        """Read new changes for the tail. If a read is running already, another read follows."""
        self._is_behind = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._read_on())

    def note_said(self, messages: Iterable[Message]) -> None:
        """Stop showing the authors of these messages as typing."""
        for message in messages:
            if message.revision == message.sequence:
                self._typing.stop(message.author.id, message.sent_at)

    async def read_page(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Read a `bounded_frame` of changes after `cursor` from the store. Readers of one page share a query."""
        key = (cursor, format)
        task = self._pages.get(key)
        if task is None:
            task = self._pages[key] = asyncio.get_running_loop().create_task(self._read_page(cursor, format))
            task.add_done_callback(partial(forget, self._pages, key))
        return await asyncio.shield(task)

    async def _read_page(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        found = await self._read(cursor)
        if not found:  # a new primary may not have the newest messages yet
            raise Unavailable("The database is not up to date yet.")
        pieces = ((message.revision, protocol.encode_message(message, format)) for message in found)
        return bounded_frame(self._room.slug, pieces, found[-1].revision)

    async def _read_on(self) -> None:
        while self._is_behind:
            self._is_behind = False
            try:
                found = await self._read(self._tail.revision)
            except ChatroomError:  # already logged
                self._is_behind = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._take_in(found)
            self._is_behind = self._is_behind or len(found) == FRAME_MESSAGES

    async def _read(self, cursor: int) -> list[Message]:
        read = self._source.store.changed_after
        found: list[Message] = await self._source.run(read, self._room.id, cursor, FRAME_MESSAGES)
        return found

    async def _take_in(self, found: Sequence[Message]) -> None:
        """Send new changes to readers. If this process is writing, wait briefly, so that all messages share a frame."""
        writing = None
        if any(message.origin != self._source.store.origin for message in found):
            writing = await self._source.hear(self._room.id, found[-1].revision)
        self.note_said(found)
        self._tail.fill(found)
        self._count_posts(found)
        if writing is not None:
            await asyncio.wait([writing], timeout=TOGETHER_SECONDS)
            await asyncio.sleep(0)  # the appender now publishes its messages, and the tail sends all changes
        self._tail.show()

    def _count_posts(self, found: Iterable[Message]) -> None:
        """Count recent posts from other processes towards the rate limits of their authors in this process."""
        lately = self._source.clock() - LATELY
        for message in found:
            if (
                message.origin != self._source.store.origin
                and message.revision == message.sequence
                and message.sent_at > lately
            ):
                self._source.posted_elsewhere(message.author.id)


def forget(tasks: dict[Any, asyncio.Task[Any]], key: Any, task: asyncio.Task[Any]) -> None:
    """Remove a finished task. Read its error, so that asyncio does not log the error."""
    tasks.pop(key, None)
    if not task.cancelled():
        task.exception()
