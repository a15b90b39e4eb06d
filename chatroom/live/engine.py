"""One process's live side: its rooms' tails, the appender, the feed, presence, and every open connection.

It belongs to one event loop; other threads enter only where a docstring says so.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from chatroom.errors import ChatroomError, Refused, Unavailable
from chatroom.live import protocol, typing
from chatroom.live.appender import Appender
from chatroom.live.connections import Connection, Connections
from chatroom.live.follower import News
from chatroom.live.hearing import Hearing
from chatroom.live.leases import Leases
from chatroom.live.presence import Presence
from chatroom.live.protocol import Format
from chatroom.live.tail import FRAME_MESSAGES, Tail, bounded_frame
from chatroom.messages import Change, Messages
from chatroom.models import Author, Draft, Message, Notice, Room
from chatroom.notices import Notices
from chatroom.store.messages import MessageStore, Stored
from chatroom.store.presences import PresenceStore

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
FORGET_TICKS = 60
PROLONG_TICKS = 20
CHORE_TICKS = 10
FINISH_SECONDS = 3.0
LEAVE_SECONDS = 2.0
STORE_THREADS = 8
LATELY = timedelta(seconds=2)


class Feed(Protocol):
    """Where hints of other processes' changes come from."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


MakeFeed = Callable[[Callable[[], Mapping[str, int]], Callable[[str, int], None]], Feed]
"""Given which revision of which room is known, and where to hint, make the feed; called in a thread."""


class ProlongSession(Protocol):
    """Until when a session is good now, counted anew if its holder was active; None when it has ended."""

    def __call__(self, session_id: str, *, is_active: bool) -> datetime | None: ...


class LiveRoom:
    """A room that somebody follows in this process."""

    def __init__(self, room: Room, tail: Tail) -> None:
        self.room = room
        self.tail = tail
        self.presence = Presence(room.slug)
        self.typing = typing.Typing(room.slug)
        self.news: tuple[News, ...] = (self.presence, self.typing)
        self.connections = 0
        self.empty_ticks = 0
        self.is_hinted = False
        """Whether a hint is on its way from a feed's thread to the event loop."""
        self.is_behind = False
        """Whether the store may have what the tail has not."""
        self.refreshing: asyncio.Task[None] | None = None
        self.pages: dict[tuple[int, Format], asyncio.Task[tuple[bytes, int, int]]] = {}


class Engine:
    """Everything live in one process. Make it on the event loop, `start` it, and `stop` it before the loop ends."""

    def __init__(
        self,
        messages: Messages,
        store: MessageStore,
        presences: PresenceStore,
        *,
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
        chores: Sequence[Callable[[], object]] = (),
        renew_site: Callable[[], object] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.messages = messages
        self._store = store
        self._notices = notices
        self._make_feed = make_feed
        self._ended_sessions = ended_sessions
        self._prolong_session = prolong_session
        self._posted_elsewhere = posted_elsewhere
        self._chores = chores
        self._posted_here = posted_here
        self._clock = clock
        self._tail_messages = tail_messages
        self._tail_bytes = tail_bytes
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store")
        self._rooms: dict[str, LiveRoom] = {}
        self._entering: dict[str, asyncio.Task[LiveRoom]] = {}
        self._feed: Feed | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._presences = presences
        self._leases = Leases(presences, self.run, renew_ticks=max(1, int(lease_seconds / 3 / TICK_SECONDS)))
        self._doing_chores: asyncio.Task[None] | None = None
        self.connections = Connections()
        self.hearing = Hearing(self.connections, find_room, self.run, renew_site=renew_site)
        self.appender = Appender(
            messages.append,
            messages.append_now,
            self.run,
            newest=self._known_revision,
            published=self._publish,
            max_waiting=max_waiting,
        )

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what blocks in a thread of the store's."""
        return await self._loop.run_in_executor(self._pool, function, *arguments)

    async def run_all(self, functions: Iterable[Callable[[], Any]]) -> None:
        """Call what blocks side by side, each in a thread of the store's."""
        await asyncio.gather(*(self.run(function) for function in functions))

    async def start(self) -> None:
        """Begin to listen for other processes' changes, and take posts from the pages."""
        self.messages.post_through = self.post_from_thread
        self.messages.change_through = self.change_from_thread
        self.messages.note_through = self.note_from_thread
        self._notices.apply_through = self._hear_from_thread
        chores = (self._start_feed(), self._keep_house(), self.hearing.renew_site())
        self._tasks = {self._loop.create_task(chore) for chore in chores}

    async def stop(self) -> None:
        """Store what waits, give the leases back, and stop listening."""
        self.messages.post_through = self.messages.change_through = self._notices.apply_through = None
        self.messages.note_through = None
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

    def post_from_thread(self, room: Room, draft: Draft, timeout_seconds: float = 10.0) -> Stored:
        """Post from another thread, in a group with what others post; raise `Unavailable` when that takes too long."""
        return self._put_from_thread(room, draft, timeout_seconds)

    def change_from_thread(self, room: Room, change: Change, timeout_seconds: float = 10.0) -> Message:
        """Change a message from another thread; raise `Unavailable` when that takes too long."""
        return self._put_from_thread(room, change, timeout_seconds).message

    def note_from_thread(self, room: Room, line: Draft) -> None:
        """Put a line of the room's own behind what is being stored, and do not wait for it."""

        def put() -> None:
            with contextlib.suppress(Refused):  # too much waits already: the line is left out
                self.appender.put(room.id, line, lambda _: None)

        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(put)

    def _put_from_thread(self, room: Room, item: Draft | Change, timeout_seconds: float) -> Stored:
        outcome: concurrent.futures.Future[Stored] = concurrent.futures.Future()

        def done(result: Stored | ChatroomError) -> None:
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # nobody waits any more
                if isinstance(result, ChatroomError):
                    outcome.set_exception(result)
                else:
                    outcome.set_result(result)

        def put() -> None:
            try:
                self.appender.put(room.id, item, done)
            except Refused as refusal:
                done(refusal)

        try:
            self._loop.call_soon_threadsafe(put)
        except RuntimeError as error:  # the loop has ended
            raise Unavailable("The server restarts. Please try again in a moment.") from error
        try:
            return outcome.result(timeout_seconds)
        except concurrent.futures.TimeoutError:
            outcome.cancel()
            raise Unavailable(
                "The message is not stored yet, and the room goes on trying. Sending it again does no harm."
            ) from None

    async def enter(self, room: Room, person: Author | None) -> LiveRoom:
        """Find the live side of a room, made on the first visit, and count the person in; None looks from outside."""
        live = self._rooms.get(room.id)
        if live is None:
            task = self._entering.get(room.id)
            if task is None:
                task = self._entering[room.id] = self._loop.create_task(self._open(room))
                task.add_done_callback(partial(_forget, self._entering, room.id))
            live = await asyncio.shield(task)
        live.connections += 1
        if person is not None and live.presence.enter(person):
            self._leases.take(room.id, person)
        return live

    def leave(self, live: LiveRoom, person: Author | None) -> None:
        """Count a person's connection out."""
        live.connections -= 1
        if person is not None and live.presence.leave(person):
            self._leases.end(live.room.id, person)

    def rename(self, live: LiveRoom, person: Author) -> None:
        """Show somebody who is in a room under another name."""
        if live.presence.rename(person):
            self._leases.take(live.room.id, person)

    def type(self, room: Room, person: Author) -> None:
        """Show that somebody writes in a room; nothing happens where nobody looks."""
        live = self._rooms.get(room.id)
        if live is not None:
            live.typing.type(person, self._clock())

    async def _start_feed(self) -> None:
        """Find out which feed the database allows, as soon as it answers."""
        while self._feed is None:
            try:
                self._feed = await self.run(self._make_feed, self._known_revisions, self._hint_from_thread)
            except ChatroomError as error:
                log.warning("other processes are not heard of yet: %s", error)
                await asyncio.sleep(TICK_SECONDS)
        self._feed.start()
        for live in list(self._rooms.values()):
            self._refresh(live)

    async def read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Read changes after `cursor` from the store, as a frame; those who ask for the same share one query."""
        key = (cursor, format)
        task = live.pages.get(key)
        if task is None:
            task = live.pages[key] = self._loop.create_task(self._read_page(live, cursor, format))
            task.add_done_callback(partial(_forget, live.pages, key))
        return await asyncio.shield(task)

    async def _read_page(self, live: LiveRoom, cursor: int, format: Format) -> tuple[bytes, int, int]:
        found: list[Message] = await self.run(self._store.changed_after, live.room.id, cursor, FRAME_MESSAGES)
        if not found:  # a primary that is being replaced may not have come so far yet
            raise Unavailable("The database is behind.")
        pieces = ((message.revision, protocol.encode_message(message, format)) for message in found)
        return bounded_frame(live.room.slug, pieces, found[-1].revision)

    async def _open(self, room: Room) -> LiveRoom:
        tail = Tail(room.slug, 0, max_messages=self._tail_messages, max_bytes=self._tail_bytes)
        live = LiveRoom(room, tail)
        tail.restart(await self.run(self._store.newest_revision, room.id))
        self._rooms[room.id] = live
        # Hints reach it only from here on: what changed since its revision was read is read now.
        self._refresh(live)
        return live

    def _known_revision(self, room_id: str) -> int | None:
        live = self._rooms.get(room_id)
        return live.tail.revision if live else None

    def _known_revisions(self) -> dict[str, int]:
        return {room_id: live.tail.revision for room_id, live in list(self._rooms.items())}

    def _publish(self, room_id: str, messages: list[Message]) -> None:
        self._posted_here(room_id, messages)
        live = self._rooms.get(room_id)
        if live is not None:
            _note_said(live, messages)
            if not live.tail.offer(messages):
                self._refresh(live)

    def _hint_from_thread(self, room_id: str, revision: int) -> None:
        live = self._rooms.get(room_id)
        # One hint on its way stands for all that follow: the store is read after it has arrived.
        if live is None or live.is_hinted or revision <= live.tail.revision:
            return
        live.is_hinted = True
        try:
            self._loop.call_soon_threadsafe(self._follow_hint, live)
        except RuntimeError:
            return  # the loop has ended

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
                found = await self.run(self._store.changed_after, live.room.id, live.tail.revision, FRAME_MESSAGES)
            except ChatroomError:  # logged where it was noticed
                live.is_behind = True
                await asyncio.sleep(TICK_SECONDS / 2)
                continue
            _note_said(live, found)
            live.tail.fill(found)
            self._count_posts(found)
            live.is_behind = live.is_behind or len(found) == FRAME_MESSAGES

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

    async def _keep_house(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            tick += 1
            self._forget_empty_rooms()
            for chore in (self._end_sessions, self._hear, self._keep_presence, self._keep_typing, self._do_chores):
                try:
                    await chore(tick)
                except Unavailable:
                    continue  # logged where it was noticed; the next tick tries again
                except Exception:
                    log.exception("a chore of the engine failed and is tried again")

    async def _do_chores(self, tick: int) -> None:
        """What the application wants done now and then; one that takes long is not begun twice."""
        if tick % CHORE_TICKS == 0 and (self._doing_chores is None or self._doing_chores.done()):
            self._doing_chores = self._loop.create_task(self._run_chores())

    async def _run_chores(self) -> None:
        for chore in self._chores:
            try:
                await self.run(chore)
            except Unavailable:
                continue  # logged where it was noticed
            except Exception:
                log.exception("a chore of the application failed and is tried again")

    def _forget_empty_rooms(self) -> None:
        for room_id, live in list(self._rooms.items()):
            live.empty_ticks = 0 if live.connections else live.empty_ticks + 1
            if live.empty_ticks > FORGET_TICKS:
                del self._rooms[room_id]

    async def _hear(self, _: int) -> None:
        await self.hearing.apply(await self.run(self._notices.hear))

    def _hear_from_thread(self, notice: Notice) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hear_own, notice)

    def _hear_own(self, notice: Notice) -> None:
        task = self._loop.create_task(self.hearing.apply([notice]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_sessions(self, tick: int) -> None:
        if not self.connections:
            return
        ended = await self.run(self._ended_sessions)
        now = self._clock()
        due = []
        for connection in self.connections:
            if connection.session_id in ended:
                connection.end(4401, "the session ended")
            elif connection.expires_at <= now or (connection.was_active and tick % PROLONG_TICKS == 0):
                due.append(connection)
        await asyncio.gather(*map(self._look_up_session, due))

    async def _look_up_session(self, connection: Connection) -> None:
        """End a connection whose time is up, unless another tab has prolonged the session, or a post on this one."""
        prolong = partial(self._prolong_session, connection.session_id, is_active=connection.was_active)
        expires_at: datetime | None = await self.run(prolong)
        if expires_at is None:
            connection.end(4401, "the session ended")
        else:
            connection.expires_at = expires_at
            connection.was_active = False

    async def _keep_presence(self, tick: int) -> None:
        try:
            watched = {id: live.presence for id, live in self._rooms.items() if live.presence.is_watched}
            await self._leases.keep(tick, watched)
        finally:
            for live in self._rooms.values():
                if not live.presence.is_watched:
                    live.presence.forget()
                elif live.presence.publish():
                    live.tail.wake()

    async def _keep_typing(self, tick: int) -> None:
        watched = {id: live for id, live in self._rooms.items() if live.presence.is_watched}
        try:
            rooms = {id: live.typing for id, live in watched.items()}
            await typing.keep(self._presences, self.run, rooms, tick, self._clock())
        finally:
            for live in watched.values():
                if live.typing.publish(self._clock()):
                    live.tail.wake()


def _note_said(live: LiveRoom, messages: Iterable[Message]) -> None:
    for message in messages:
        if message.revision == message.sequence:
            live.typing.stop(message.author.id, message.sent_at)


def _forget(tasks: dict[Any, asyncio.Task[Any]], key: Any, task: asyncio.Task[Any]) -> None:
    """Take a finished task out, and its error with it: those who waited for it have it already."""
    tasks.pop(key, None)
    if not task.cancelled():
        task.exception()
