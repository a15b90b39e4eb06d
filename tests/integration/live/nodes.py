"""Two processes' engines in one: each has its own event loop, database client and feed, as in a server of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import msgspec

from chatroom.base.errors import ChatroomError
from chatroom.base.models import Author, Draft, Room
from chatroom.live import change_stream_store as changes
from chatroom.live.bridge import Bridge
from chatroom.live.engine import Application, Engine, Limits
from chatroom.live.feed import ChangeStreamFeed, Feed, Hint, Known, poll
from chatroom.live.follower import follow
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.rooms import LiveRoom
from chatroom.messages.appending import Appending
from chatroom.messages.async_store import AsyncMessages
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.mongo.database import Database
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.messaging import Messaging
from tests.people import ALICE
from tests.waiting import PATIENCE_SECONDS, wait_until, wait_until_in_loop

LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
T = TypeVar("T")


class Node:
    """An engine on a loop and thread of its own."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        safety_seconds: float = 5.0,
        polling_seconds: float = 0.05,
        tail_messages: int = 2000,
        watch: Callable[..., Any] | None = None,
        make_store: Callable[..., MessageStore] = MessageStore,
    ) -> None:
        self.name = name
        self.database = database
        self.store = make_store(database, origin=name)
        self.bridge = Bridge()
        self.messages = Messaging(self.store, line=self.bridge)
        # A store that is broken on purpose would be gone round.
        self.store_now = AsyncMessages(database, self.store) if make_store is MessageStore else None
        self._watch = watch or partial(changes.watch, database, name)
        self._safety_seconds = safety_seconds
        self._polling_seconds = polling_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self.feed: Feed
        self._has_feed = threading.Event()
        self.engine: Engine = self.call(self._make_engine(tail_messages))
        self.call(self.engine.start())
        assert self._has_feed.wait(PATIENCE_SECONDS)

    async def _make_engine(self, tail_messages: int) -> Engine:
        return Engine(
            self.bridge,
            Appending(self.store, self.messages.texts, self.store_now),
            self.store,
            PresenceStore(self.database, process=self.name, lease_seconds=30),
            application=Application(
                find_room=RoomStore(self.database).find,
                hear_notices=Notices(NoticeStore(self.database), apply=self.bridge.apply).hear,
                ended_sessions=set,
                prolong_session=lambda session_id, *, is_active: None,
                find_exclusion=lambda user_id: None,
                make_feed=self._make_feed,
                renew_site=lambda: None,
                posted_here=lambda room_id, messages: None,
                posted_elsewhere=lambda user_id: None,
            ),
            limits=Limits(max_waiting=0, tail_messages=tail_messages, tail_bytes=4_000_000, lease_seconds=30),
        )

    def _make_feed(self, known: Known, hint: Hint) -> Feed:
        make_polling = partial(poll, self.store.newest_revisions, known, hint)
        if self.database.has_change_streams():
            self.feed = ChangeStreamFeed(self._watch, make_polling(seconds=self._safety_seconds), known, hint)
        else:
            self.feed = make_polling(seconds=self._polling_seconds)
        self._has_feed.set()
        return self.feed

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the node's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(2 * PATIENCE_SECONDS)

    def stop(self) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        await self.engine.stop()
        if self.store_now is not None:
            await self.store_now.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def post(self, drafts: Sequence[Draft], room: Room = LOBBY) -> list[Stored]:
        """Post drafts through the appender, all at once, and wait for the answers."""

        async def put() -> list[Stored]:
            answers = [self._put(room, draft) for draft in drafts]
            return list(await asyncio.gather(*answers))

        return self.call(put())

    def _put(self, room: Room, item: Any) -> "asyncio.Future[Stored]":
        answer: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()

        def done(outcome: Stored | ChatroomError) -> None:
            if isinstance(outcome, Stored):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)

        self.engine.appender.put(room.id, item, done)
        return answer

    def change(self, make: Callable[[str, int | None], Any], room: Room = LOBBY) -> Stored:
        async def put() -> Stored:
            return await self._put(room, make)

        return self.call(put())

    def reader(self, cursor: int | None = 0, **options: Any) -> "Reader":
        reader = Reader(self, cursor, **options)
        reader.connect()
        return reader


class Seen(msgspec.Struct):
    id: str
    sequence: int
    revision: int
    client_id: str = ""
    text: str | None = None


class Frame(msgspec.Struct):
    type: str
    revision: int = 0
    messages: list[Seen] = []
    missed: int | None = None


_decoder = msgspec.json.Decoder(Frame)


class Reader:
    """Somebody who follows the lobby, keeps what was seen, and may come back with the cursor at any node."""

    def __init__(self, node: Node, cursor: int | None, *, pause: float = 0, person: Author = ALICE) -> None:
        self.node = node
        self.cursor = cursor
        self.pause = pause
        self.person = person
        self.seen: list[tuple[int, int]] = []
        self.messages: dict[str, Seen] = {}
        self.missed: list[int] = []
        self._task: asyncio.Task[None] | None = None

    def connect(self, node: Node | None = None) -> None:
        self.node = node or self.node
        self.node.call(self._connect())

    async def _connect(self) -> None:
        live = await self.node.engine.enter(LOBBY, self.person)
        self._task = asyncio.create_task(self._follow(live))

    async def _follow(self, live: LiveRoom) -> None:
        try:
            await follow(
                self._send,
                live.tail,
                live.reader.read_page,
                cursor=self.cursor,
                format="text",
                send_now=self._send_now,
                news=live.news,
            )
        finally:
            self.node.engine.leave(live, self.person)

    async def _send(self, frame: bytes) -> None:
        self._take(_decoder.decode(frame))
        await asyncio.sleep(self.pause)  # some readers are slow

    def _send_now(self, frame: bytes) -> bool:
        if self.pause == 0:
            self._take(_decoder.decode(frame))
        return self.pause == 0

    def _take(self, frame: Frame) -> None:
        if frame.missed is not None:
            self.missed.append(frame.missed)
            self.cursor = frame.revision
        for message in frame.messages:
            self.seen.append((message.sequence, message.revision))
            known = self.messages.get(message.id)
            if known is None or known.revision < message.revision:
                self.messages[message.id] = message
        if frame.type == "changes":
            assert self.cursor is None or frame.revision > self.cursor, "the cursor went back"
            self.cursor = frame.revision

    def disconnect(self) -> None:
        """Vanish, possibly in the middle of a frame; what came whole was seen."""

        async def cancel() -> None:
            assert self._task is not None
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

        self.node.call(cancel())

    def wait_for(self, revision: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the cursor has come so far."""

        def has_come() -> bool:
            if (self.cursor or 0) >= revision:
                return True
            assert self._task is not None
            assert not self._task.done(), self._task
            return False

        self.node.call(wait_until_in_loop(has_come, f"the reader did not come to {revision}", seconds))

    def wait_until_caught_up(self, times: int) -> None:
        """Wait until it was told so often that all there was has come; it must not have been told more often."""
        wait_until(lambda: len(self.missed) >= times)
        assert len(self.missed) == times

    def view(self) -> list[tuple[int, int, str | None]]:
        """What this reader would show: by sequence, each with its latest revision and text."""
        return sorted((m.sequence, m.revision, m.text) for m in self.messages.values())


def history(store: MessageStore) -> list[tuple[int, int, str | None]]:
    """What is stored, in the shape of a reader's view."""
    messages = store.changed_after(LOBBY.id, 0, 100_000)
    return sorted((m.sequence, m.revision, None if m.deleted_at else m.text) for m in messages)


def check_log(database: Database) -> None:
    """Revisions are dense: each was given once, and none is missing."""
    given = sorted(n for document in database["messages"].find({"room": LOBBY.id}) for n in document["revisions"])
    assert given == list(range(1, len(given) + 1))


def check_posts(reader: Reader, count: int, start: int = 0) -> None:
    """Where nothing was changed, each message came exactly once and in order."""
    assert reader.seen == [(n, n) for n in range(start + 1, count + 1)]
