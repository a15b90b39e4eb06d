"""One process's live side, put together: rooms, appender, feed, presence, and every open connection.

It belongs to one event loop; other threads enter by its `passage`, and where a docstring says so.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Message, Notice, Person, Room
from chatroom.live.appender import Appender
from chatroom.live.bridge import Bridge
from chatroom.live.connections import Connections
from chatroom.live.housekeeping import TICK_SECONDS, Housekeeping, ProlongSession
from chatroom.live.notice_receiver import NoticeReceiver
from chatroom.live.presence.presence_leases import Leases
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.rights_check import ReadRights
from chatroom.live.rooms import LiveRoom, LiveRooms
from chatroom.messages.appending import Appending
from chatroom.messages.messages_store import MessageStore
from chatroom.site.notices import Notices

log = logging.getLogger(__name__)

FINISH_SECONDS = 3.0
LEAVE_SECONDS = 2.0
STORE_THREADS = 8


class Feed(Protocol):
    """Where hints of other processes' changes come from."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


MakeFeed = Callable[[Callable[[], Mapping[str, int]], Callable[[str, int], None]], Feed]
"""Given which revision of which room is known, and where to hint, make the feed; called in a thread."""


class Engine:
    """Everything live in one process. Make it on the event loop, `start` it, and `stop` it before the loop ends."""

    def __init__(
        self,
        appending: Appending,
        store: MessageStore,
        presences: PresenceStore,
        *,
        bridge: Bridge,
        notices: Notices,
        find_room: Callable[[str], Room | None],
        make_feed: MakeFeed,
        ended_sessions: Callable[[], set[str]],
        prolong_session: ProlongSession,
        posted_elsewhere: Callable[[str], None],
        posted_here: Callable[[str, Sequence[Message]], None] = lambda _room_id, _messages: None,
        max_waiting: int,
        tail_messages: int,
        tail_bytes: int,
        lease_seconds: float,
        read_rights: ReadRights | None = None,
        chores: Sequence[Callable[[], object]] = (),
        renew_site: Callable[[], object] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.bridge = bridge
        self._make_feed = make_feed
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store")
        self._feed: Feed | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._leases = Leases(presences, self.run, renew_ticks=max(1, int(lease_seconds / 3 / TICK_SECONDS)))
        self.connections = Connections()
        self.receiver = NoticeReceiver(self.connections, find_room, self.run, renew_site=renew_site)
        self.rooms = LiveRooms(
            store,
            self.run,
            hear=self._give_turn,
            posted_here=posted_here,
            posted_elsewhere=posted_elsewhere,
            tail_messages=tail_messages,
            tail_bytes=tail_bytes,
            clock=clock,
        )
        self.appender = Appender(
            appending.append,
            appending.append_now,
            appending.make_ready,
            self.run,
            newest=self.rooms.revision,
            published=self.rooms.publish,
            max_waiting=max_waiting,
        )
        self.housekeeping = Housekeeping(
            self.rooms,
            self.connections,
            self.receiver,
            self._leases,
            self.run,
            presences=presences,
            hear=notices.hear,
            ended_sessions=ended_sessions,
            prolong_session=prolong_session,
            read_rights=read_rights,
            chores=chores,
            clock=clock,
        )

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what blocks in a thread of the store's."""
        return await self._loop.run_in_executor(self._pool, function, *arguments)

    async def run_all(self, functions: Iterable[Callable[[], Any]]) -> None:
        """Call what blocks side by side, each in a thread of the store's."""
        await asyncio.gather(*(self.run(function) for function in functions))

    async def start(self) -> None:
        """Begin to listen for other processes' changes, and take posts from the pages."""
        self.bridge.open(self.appender, self._hear_own)
        chores = (self._start_feed(), self.housekeeping.keep(), self.receiver.renew_site())
        self._tasks = {self._loop.create_task(chore) for chore in chores}

    async def stop(self) -> None:
        """Store what waits, give the leases back, and stop listening."""
        self.bridge.close()
        for task in self._tasks:
            task.cancel()
        await self.appender.finish(FINISH_SECONDS)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                if self._feed is not None:
                    await self.run(self._feed.stop)
                await self._leases.give_back()
        except (TimeoutError, Unavailable):
            log.warning("the presence leases were not given back; they expire by themselves")
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def enter(self, room: Room, person: Person | None) -> LiveRoom:
        """Find the live side of a room, made on the first visit, and count the person in; None looks from outside."""
        live = await self.rooms.open(room)
        live.connections += 1
        if person is not None and live.presence.enter(person):
            self._leases.take(room.id, person)
        return live

    def leave(self, live: LiveRoom, person: Person | None) -> None:
        """Count a person's connection out."""
        live.connections -= 1
        if person is not None and live.presence.leave(person):
            self._leases.end(live.room.id, person)

    def update_person(self, live: LiveRoom, person: Person) -> None:
        """Show somebody who is in a room as they are now."""
        if live.presence.update(person):
            self._leases.take(live.room.id, person)

    def type(self, room: Room, person: Person) -> None:
        """Show that somebody writes in a room; nothing happens where nobody looks."""
        live = self.rooms.find(room.id)
        if live is not None:
            live.typing.type(person, self._clock())

    async def _give_turn(self, room_id: str, revision: int) -> "asyncio.Future[Any] | None":
        """Others have written in a room: before that is shown, what waits here is on its way behind it."""
        return await self.appender.hear(room_id, revision)

    async def _start_feed(self) -> None:
        """Find out which feed the database allows, as soon as it answers."""
        while self._feed is None:
            try:
                self._feed = await self.run(self._make_feed, self.rooms.revisions, self.rooms.hint_from_thread)
            except ChatroomError as error:
                log.warning("other processes are not heard of yet: %s", error)
                await asyncio.sleep(TICK_SECONDS)
        self._feed.start()
        self.rooms.refresh()

    def _hear_own(self, notice: Notice) -> None:
        task = self._loop.create_task(self.receiver.apply([notice]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
