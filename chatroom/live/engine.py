"""The live side of one process: rooms, appender, feed, presence, and all open connections.

It belongs to one event loop; other threads use its `bridge`, and methods whose docstring allows it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Message, Notice, Person, Room
from chatroom.live.bridge import Bridge
from chatroom.live.checks.rights_check import ReadRights, SecondLook
from chatroom.live.checks.session_check import ProlongSession, SessionCheck
from chatroom.live.connections import Connections
from chatroom.live.housekeeping import TICK_SECONDS, Housekeeping
from chatroom.live.notice_receiver import NoticeReceiver
from chatroom.live.presence.presence_updates import PresenceUpdates
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.room_reader import Source
from chatroom.live.rooms import LiveRoom, LiveRooms, TailLimits
from chatroom.live.writing.appender import Appender
from chatroom.live.writing.batch_writer import Appending
from chatroom.messages.messages_store import MessageStore

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


class Limits(msgspec.Struct, frozen=True):
    """The settings of an engine."""

    max_waiting: int
    tail: TailLimits
    lease_seconds: float


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine asks and tells outside of it: all in a thread, but for `posted_here` and `posted_elsewhere`."""

    find_room: Callable[[str], Room | None]
    hear_notices: Callable[[], Sequence[Notice]]
    ended_sessions: Callable[[], set[str]]
    prolong_session: ProlongSession
    make_feed: MakeFeed
    renew_site: Callable[[], object]
    posted_here: Callable[[str, Sequence[Message]], None]
    posted_elsewhere: Callable[[str], None]
    read_rights: ReadRights | None = None
    """What connections remember is held against it, unless there is none."""


class Engine:
    """Everything live in one process. Make it on the event loop, `start` it, and `stop` it before the loop ends."""

    def __init__(
        self,
        bridge: Bridge,
        appending: Appending,
        store: MessageStore,
        presences: PresenceStore,
        *,
        application: Application,
        limits: Limits,
        clock: Clock = utc_now,
    ) -> None:
        self.bridge = bridge
        self._make_feed = application.make_feed
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store")
        self._feed: Feed | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = Connections()
        self.receiver = NoticeReceiver(
            self.connections,
            self.run,
            find_room=application.find_room,
            hear=application.hear_notices,
            renew_site=application.renew_site,
        )
        source = Source(store, self.run, self._give_turn, application.posted_elsewhere, clock)
        self.rooms = LiveRooms(source, limits.tail, posted_here=application.posted_here)
        self.appender = Appender(
            appending,
            self.run,
            newest=self.rooms.revision,
            published=self.rooms.publish,
            max_waiting=limits.max_waiting,
        )
        renew_ticks = max(1, int(limits.lease_seconds / 3 / TICK_SECONDS))
        self.presence = PresenceUpdates(self.rooms, presences, self.run, renew_ticks=renew_ticks, clock=clock)
        self.session_check = SessionCheck(
            self.connections,
            self.run,
            ended=application.ended_sessions,
            prolong=application.prolong_session,
            clock=clock,
        )
        duties = [self.session_check.take, self.receiver.hear, self.presence.keep, self.presence.keep_typing]
        if application.read_rights is not None:
            duties.append(SecondLook(self.connections, self.run, application.read_rights).take)
        self.housekeeping = Housekeeping(self.rooms, duties)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what blocks in a thread of the store's."""
        return await self._loop.run_in_executor(self._pool, function, *arguments)

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
                await self.presence.give_back()
        except (TimeoutError, Unavailable):
            log.warning("the presence leases were not given back; they expire by themselves")
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def enter(self, room: Room, person: Person | None) -> LiveRoom:
        """Find the live side of a room, made on the first visit, and count the person in; None looks from outside."""
        live = await self.rooms.open(room)
        live.enter()
        if person is not None:
            self.presence.enter(live, person)
        return live

    def leave(self, live: LiveRoom, person: Person | None) -> None:
        """Count a person's connection out."""
        live.leave()
        if person is not None:
            self.presence.leave(live, person)

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
