"""The rooms that connections of this process follow.

A change by another process arrives as a hint. Then `chatroom.live.room_reader` reads the change from the store.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from chatroom.base.models import Message, Room
from chatroom.live.follower import News
from chatroom.live.presence.presence import Presence
from chatroom.live.presence.typing import TypingPeople
from chatroom.live.room_reader import RoomReader, Source, forget
from chatroom.live.tail import Tail

FORGET_TICKS = 60


class LiveRoom:
    """A room with followers in this process."""

    def __init__(self, room: Room, tail: Tail, source: Source) -> None:
        self.room = room
        self.tail = tail
        self.presence = Presence(room.slug)
        self.typing = TypingPeople(room.slug)
        self.reader = RoomReader(room, tail, self.typing, source)
        self.news: tuple[News, ...] = (self.presence, self.typing)
        self.connections = 0
        self._empty_ticks = 0
        self._is_hinted = False
        """Whether a feed's thread has passed a hint that `follow_hint` has not handled yet."""

    def enter(self) -> None:
        """Add a connection."""
        self.connections += 1

    def leave(self) -> None:
        """Remove a connection."""
        self.connections -= 1

    def is_news(self, revision: int) -> bool:
        """Whether a hint must be passed to `follow_hint` on the event loop. Called in a feed's thread."""
        # `follow_hint` reads all changes, so one passed hint is enough.
        if self._is_hinted or revision <= self.tail.revision:
            return False
        self._is_hinted = True
        return True

    def follow_hint(self) -> None:
        """Read the changes that a hint announced."""
        self._is_hinted = False
        self.reader.refresh()

    def is_abandoned(self) -> bool:
        """Whether the room has had no follower for a minute. Must be called once a second."""
        self._empty_ticks = 0 if self.connections else self._empty_ticks + 1
        return self._empty_ticks > FORGET_TICKS


class LiveRooms:
    """The rooms that have followers, or had followers in the last minute. Must be created on the event loop."""

    def __init__(
        self,
        source: Source,
        make_tail: Callable[[str, int], Tail],
        *,
        posted_here: Callable[[str, Sequence[Message]], None],
    ) -> None:
        self._source = source
        self._make_tail = make_tail
        self._posted_here = posted_here
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[str, LiveRoom] = {}
        self._opening: dict[str, asyncio.Task[LiveRoom]] = {}

    def __iter__(self) -> Iterator[LiveRoom]:
        """Iterate over a copy, because rooms may be added and removed during the iteration."""
        return iter(list(self._rooms.values()))

    def find(self, room_id: str) -> LiveRoom | None:
        """The live room with this id, if any."""
        return self._rooms.get(room_id)

    async def open(self, room: Room) -> LiveRoom:
        """Find or create the live room."""
        live = self._rooms.get(room.id)
        if live is None:
            task = self._opening.get(room.id)
            if task is None:
                task = self._opening[room.id] = self._loop.create_task(self._open(room))
                task.add_done_callback(partial(forget, self._opening, room.id))
            live = await asyncio.shield(task)
        return live

    def revision(self, room_id: str) -> int | None:
        """The newest revision of a room that this process knows; None if the room is not live."""
        live = self._rooms.get(room_id)
        return live.tail.revision if live else None

    def revisions(self) -> dict[str, int]:
        """For each live room, the newest revision that this process knows."""
        return {room_id: live.tail.revision for room_id, live in list(self._rooms.items())}

    def publish(self, room_id: str, messages: list[Message]) -> None:
        """Send to the readers of the room the messages that this process has just stored."""
        self._posted_here(room_id, messages)
        live = self._rooms.get(room_id)
        if live is not None:
            live.reader.note_said(messages)
            if not live.tail.offer(messages):
                live.reader.refresh()

    def hint_from_thread(self, room_id: str, revision: int) -> None:
        """Take a hint that another process has changed a room. Called in a feed's thread."""
        live = self._rooms.get(room_id)
        if live is None or not live.is_news(revision):
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(live.follow_hint)

    def refresh(self) -> None:
        """Read new changes for all tails."""
        for live in self:
            live.reader.refresh()

    def forget_empty(self) -> None:
        """Forget each room that has had no follower for a minute. Must be called once a second."""
        for room_id, live in list(self._rooms.items()):
            if live.is_abandoned():
                del self._rooms[room_id]

    async def _open(self, room: Room) -> LiveRoom:
        source = self._source
        revision: int = await source.run(source.store.newest_revision, room.id)
        live = self._rooms[room.id] = LiveRoom(room, self._make_tail(room.slug, revision), source)
        # Before this moment, the room received no hints. So read the changes after `revision`.
        live.reader.refresh()
        return live
