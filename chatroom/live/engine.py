"""The engine of live delivery in one process: rooms, appender, feed, presence, and all open connections.

The engine belongs to one event loop. Other threads use the `bridge`. Periodic tasks run once a second. If a task fails,
the other tasks still run.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import ChatroomError, Unavailable
from chatroom.base.models import Message, Notice, Person, Room
from chatroom.live.bridge import Bridge
from chatroom.live.checks import ReadRights, RightsCheck, SessionCheck, SessionEnd
from chatroom.live.connections import Connections
from chatroom.live.feed import Feed, Hint, Known
from chatroom.live.notice_receiver import FindModerators, NoticeReceiver
from chatroom.live.presence.presence_updates import PresenceUpdates
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.room_reader import Hear, Source
from chatroom.live.rooms import LiveRoom, LiveRooms
from chatroom.live.tail import Tail
from chatroom.live.writing.appender import Appender
from chatroom.messages.appending import Appending
from chatroom.messages.messages_store import MessageStore
from chatroom.site.metrics import NO_METRICS, Metrics

log = logging.getLogger(__name__)

FINISH_SECONDS = 3.0
LEAVE_SECONDS = 2.0
STORE_THREADS = 8
TICK_SECONDS = 1.0


class Limits(msgspec.Struct, frozen=True):
    """The settings of an engine."""

    max_waiting: int
    tail_messages: int
    tail_bytes: int
    lease_seconds: float


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """The functions that the engine calls. Only `posted_here` and `posted_elsewhere` are called on the event loop."""

    find_room: Callable[[str], Room | None]
    hear_notices: Callable[[], Sequence[Notice]]
    ended_sessions: Callable[[], set[str]]
    prolong_session: Callable[..., datetime | None]
    find_exclusion: Callable[[str], str | None]
    make_feed: Callable[[Known, Hint], Feed]
    renew_site: Callable[[], object]
    posted_here: Callable[[str, Sequence[Message]], None]
    posted_elsewhere: Callable[[str], None]
    find_moderators: FindModerators = lambda _room_id, _with_site: ()
    metrics: Metrics = NO_METRICS
    read_rights: ReadRights | None = None
    """Reads the current rights. If it is None, the cached rights are not checked."""


class Engine:
    """Create the engine on its event loop, then call `start`. Call `stop` before the loop ends."""

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
            find_moderators=application.find_moderators,
        )
        self.metrics = application.metrics
        self.rooms = self._make_rooms(store, application, limits, clock)
        self.appender = Appender(
            appending,
            self.run,
            newest=self.rooms.revision,
            published=self.rooms.publish,
            max_waiting=limits.max_waiting,
            metrics=self.metrics,
        )
        renew_ticks = max(1, int(limits.lease_seconds / 3 / TICK_SECONDS))
        self.presence = PresenceUpdates(self.rooms, presences, self.run, renew_ticks=renew_ticks, clock=clock)
        end = SessionEnd(self.run, application.find_exclusion)
        self.session_check = SessionCheck(
            self.connections,
            self.run,
            end,
            ended=application.ended_sessions,
            prolong=application.prolong_session,
            clock=clock,
        )
        self._chores = [self.session_check.take, self.receiver.hear, self.presence.keep, self.presence.keep_typing]
        if application.read_rights is not None:
            self._chores.append(RightsCheck(self.connections, self.run, end, application.read_rights).take)

    def _make_rooms(self, store: MessageStore, application: Application, limits: Limits, clock: Clock) -> LiveRooms:
        hear: Hear = lambda *written: self.appender.hear(*written)  # noqa: E731, PLW0108  (made later, from the rooms)
        source = Source(store, self.run, hear, application.posted_elsewhere, clock)
        make_tail = partial(
            Tail, max_messages=limits.tail_messages, max_bytes=limits.tail_bytes, metrics=application.metrics
        )
        return LiveRooms(source, make_tail, posted_here=application.posted_here)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a blocking function in one of the engine's threads."""
        return await self._loop.run_in_executor(self._pool, function, *arguments)

    async def start(self) -> None:
        """Start to receive changes of other processes, and to accept posts through the bridge."""
        self.bridge.open(self.appender, self._hear_own)
        work = (self._start_feed(), self._do_chores(), self.receiver.renew_site())
        self._tasks = {self._loop.create_task(each) for each in work}

    async def stop(self) -> None:
        """Store all queued drafts, release the presence leases, and stop the feed."""
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
            log.warning("the presence leases were not released; they expire by themselves")
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def enter(self, room: Room, person: Person | None) -> LiveRoom:
        """Open a room, and count a connection in it. If `person` is not None, show this person as present."""
        live = await self.rooms.open(room)
        live.enter()
        if person is not None:
            self.presence.enter(live, person)
        return live

    def leave(self, live: LiveRoom, person: Person | None) -> None:
        """Undo `enter` when the connection leaves the room."""
        live.leave()
        if person is not None:
            self.presence.leave(live, person)

    async def _start_feed(self) -> None:
        """Start the feed that the database supports, as soon as the database answers."""
        while self._feed is None:
            try:
                self._feed = await self.run(self._make_feed, self.rooms.revisions, self.rooms.hint_from_thread)
            except ChatroomError as error:
                log.warning("messages of other processes do not arrive yet: %s", error)
                await asyncio.sleep(TICK_SECONDS)
        self._feed.start()
        self.rooms.refresh()

    async def _do_chores(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            tick += 1
            self.rooms.forget_empty()
            self._measure()
            for chore in self._chores:
                try:
                    await chore(tick)
                except Unavailable:
                    continue  # already logged
                except Exception:
                    log.exception("a periodic task of the engine failed and is tried again")

    def _measure(self) -> None:
        followers = sum(live.connections for live in self.rooms)
        self.metrics.measure(
            connections=len(self.connections), followers=followers, waiting=self.appender.count_waiting()
        )

    def _hear_own(self, notice: Notice) -> None:
        task = self._loop.create_task(self.receiver.apply([notice]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
