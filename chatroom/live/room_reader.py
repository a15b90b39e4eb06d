"""Read changes of followed rooms from the store: those that the tail lacks, and pages of history.

It reads the store from the tail's revision on, so nothing is missed.
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
from chatroom.live import protocol
from chatroom.live.presence.typing import TypingPeople
from chatroom.live.protocol import Format
from chatroom.live.tail import FRAME_MESSAGES, Tail, bounded_frame
from chatroom.messages.messages_store import MessageStore

RETRY_SECONDS = 0.5
TOGETHER_SECONDS = 0.02
"""How long what another process stored waits for what this one is storing behind it."""
LATELY = timedelta(seconds=2)

Run = Callable[..., Awaitable[Any]]
Hear = Callable[[str, int], Awaitable["asyncio.Future[Any] | None"]]
"""Told of a room and how far others have brought it; returns this process's own write there, if there is one."""


class Source(msgspec.Struct, frozen=True):
    """What the rooms of one process are read from; `posted_elsewhere` is called with who posted at another process."""

    store: MessageStore
    run: Run
    hear: Hear
    posted_elsewhere: Callable[[str], None]
    clock: Clock


class RoomReader:
    """One room's; made on the event loop."""

    def __init__(self, room: Room, tail: Tail, typing: TypingPeople, source: Source) -> None:
        self._room = room
        self._tail = tail
        self._typing = typing
        self._source = source
        self._is_behind = False
        """Whether the store may have what the tail has not."""
        self._refreshing: asyncio.Task[None] | None = None
        self._pages: dict[tuple[int, Format], asyncio.Task[tuple[bytes, int, int]]] = {}

    def refresh(self) -> None:
        """Read what the tail lacks; if called during a read, read once more after it."""
        self._is_behind = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._read_on())

    def note_said(self, messages: Iterable[Message]) -> None:
        """Show the authors of these messages as no longer typing."""
        for message in messages:
            if message.revision == message.sequence:
                self._typing.stop(message.author.id, message.sent_at)

    async def read_page(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Read changes after `cursor` from the store, as a frame; those who ask for the same share one query."""
        key = (cursor, format)
        task = self._pages.get(key)
        if task is None:
            task = self._pages[key] = asyncio.get_running_loop().create_task(self._read_page(cursor, format))
            task.add_done_callback(partial(forget, self._pages, key))
        return await asyncio.shield(task)

    async def _read_page(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        found = await self._read(cursor)
        if not found:  # a primary that is being replaced may not have come so far yet
            raise Unavailable("The database is behind.")
        pieces = ((message.revision, protocol.encode_message(message, format)) for message in found)
        return bounded_frame(self._room.slug, pieces, found[-1].revision)

    async def _read_on(self) -> None:
        while self._is_behind:
            self._is_behind = False
            try:
                found = await self._read(self._tail.revision)
            except ChatroomError:  # logged where it was noticed
                self._is_behind = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await self._take_in(found)
            self._is_behind = self._is_behind or len(found) == FRAME_MESSAGES

    async def _read(self, cursor: int) -> list[Message]:
        source = self._source
        found: list[Message] = await source.run(source.store.changed_after, self._room.id, cursor, FRAME_MESSAGES)
        return found

    async def _take_in(self, found: Sequence[Message]) -> None:
        """Show what was read; where this process is storing something behind it, both in one frame."""
        writing = None
        if any(message.origin != self._source.store.origin for message in found):
            writing = await self._source.hear(self._room.id, found[-1].revision)
        self.note_said(found)
        self._tail.fill(found)
        self._count_posts(found)
        if writing is not None:
            await asyncio.wait([writing], timeout=TOGETHER_SECONDS)
            await asyncio.sleep(0)  # whoever wrote shows it now, and this along with it
        self._tail.show()

    def _count_posts(self, found: Iterable[Message]) -> None:
        """Let what people post through other processes count for their limit here; what is older counts no more."""
        lately = self._source.clock() - LATELY
        for message in found:
            if (
                message.origin != self._source.store.origin
                and message.revision == message.sequence
                and message.sent_at > lately
            ):
                self._source.posted_elsewhere(message.author.id)


def forget(tasks: dict[Any, asyncio.Task[Any]], key: Any, task: asyncio.Task[Any]) -> None:
    """Take a finished task out, and its error with it: those who waited for it have it already."""
    tasks.pop(key, None)
    if not task.cancelled():
        task.exception()
