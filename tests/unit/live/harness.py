"""The engine and its endpoint on mongomock, without threads, sockets or waiting: one turn of the loop for each step."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Room
from chatroom.live import (
    connection,
    engine,
    follower,
    following,
    notice_receiver,
    room_reader,
    rooms,
)
from chatroom.live import (
    read_positions as positions,
)
from chatroom.live.bridge import Bridge
from chatroom.live.engine import Application, Engine
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.live.sockets.endpoint import Entrance, LiveEndpoint
from chatroom.live.sockets.visitor import Chat, ConnectionLimits, Visitor
from chatroom.live.writing import appender, batch_writer
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.people.tokens import EVERYTHING
from chatroom.rooms.access import LOBBY
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.site.metrics import NO_METRICS
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.databases import in_memory, make_rooms
from tests.loops import settle
from tests.messaging import Messaging
from tests.people import ALICE, BOB, MALLORY, person, rendered

DEN = Room(id="den", slug="den", title="The den of Alice and Bob", kind="private")
PEOPLE = {"alice": ALICE, "bob": BOB, "mallory": MALLORY}
THOSE_WHO_SLEEP = (appender, batch_writer, connection, engine, follower, notice_receiver, positions)
THOSE_WHO_SLEEP += (following, room_reader, rooms)
NO_LIMITS = ConnectionLimits(connections=0, connections_per_user=0, connections_per_address=0, rooms_per_connection=0)


class InlineEngine(Engine):
    """Calls the store on the loop, after one turn."""

    _go: asyncio.Event | None = None
    _held: Callable[..., Any] | None = None

    def hold(self, function: Callable[..., Any] | None = None) -> asyncio.Event:
        """Let calls, all or those of one function, wait until the event is set."""
        self._held, self._go = function, asyncio.Event()
        return self._go

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        await asyncio.sleep(0)
        if self._go is not None and self._held in (None, function):
            await self._go.wait()
        return function(*arguments)


class FakeFeed:
    """A feed that hints when the test says so."""

    def __init__(self, known: Callable[[], Mapping[str, int]], hint: Callable[[str, int], None]) -> None:
        self.known = known
        self.hint = hint
        self.is_running = False

    def start(self) -> None:
        self.is_running = True

    def stop(self) -> None:
        self.is_running = False


class Process:
    """One process: an engine and an endpoint over a database, which several processes may share."""

    def __init__(self, database: Database | None = None, name: str = "here", **options: Any) -> None:
        self.database = database or in_memory()
        self.posted_elsewhere: list[str] = []
        self.now = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
        self.store = MessageStore(self.database, origin=name)
        self.posting: list[tuple[str, str]] = []
        self.too_fast = False
        self.bridge = Bridge()
        self.messages = Messaging(
            self.store,
            line=self.bridge,
            count=self.count,
            take_turn=OwnMembershipStore(self.database).take_turn,
            clock=lambda: self.now,
        )
        self.presences = PresenceStore(self.database, process=name, lease_seconds=30, clock=lambda: self.now)
        self.notices = Notices(NoticeStore(self.database), apply=self.bridge.apply)
        self.rooms = make_rooms(self.database, self.messages.writer, self.notices)
        self.rooms.making.ensure_lobby()
        self.ended: set[str] = set()
        self.prolonged: dict[str, datetime] = {}
        self.looked_up: list[tuple[str, bool]] = []
        self.exclusions: dict[str, str] = {}
        self.feed: FakeFeed
        self.engine = InlineEngine(
            self.bridge,
            self.messages.appending,
            self.store,
            self.presences,
            application=Application(
                find_room=self.rooms.store.find,
                hear_notices=self.notices.hear,
                ended_sessions=lambda: self.ended,
                prolong_session=self.prolong,
                find_exclusion=self.exclusions.get,
                read_rights=options.pop("read_rights", None),
                metrics=options.pop("metrics", NO_METRICS),
                make_feed=self.make_feed,
                renew_site=lambda: None,
                posted_here=lambda _room_id, _messages: None,
                posted_elsewhere=self.posted_elsewhere.append,
                find_moderators=lambda room_id, with_site: AccessStore(self.database).moderators_of(
                    room_id, with_site=with_site
                ),
            ),
            limits=engine.Limits(
                max_waiting=options.pop("max_waiting", 0),
                tail_messages=options.pop("tail_messages", 100),
                tail_bytes=1_000_000,
                lease_seconds=30,
            ),
            clock=lambda: self.now,
        )
        self.marked: list[tuple[str, str, int]] = []
        self.marks: list[int] = []
        self.grant = EVERYTHING
        self.chat = Chat(
            rooms=self.rooms.access,
            posting=self.messages.posting,
            changes=self.messages.changes,
            history=self.messages.history,
            mark_read=self.mark_read,
            limits=options.pop("limits", NO_LIMITS),
        )
        entrance = Entrance(
            address_of=lambda scope: scope["client"][0],
            sign_in=self.sign_in,
            is_own_origin=lambda scope: header(scope, "origin") == "https://room.test",
        )
        self.endpoint = LiveEndpoint(self.engine, self.chat, entrance)
        assert not options

    def mark_read(self, access: Access, sequence: int, unread_marks: int) -> None:
        self.marked.append((access.user_id, access.room.id, sequence))
        self.marks.append(unread_marks)

    def make_feed(self, known: Any, hint: Any) -> FakeFeed:
        self.feed = FakeFeed(known, hint)
        return self.feed

    def sign_in(self, scope: Mapping[str, Any]) -> Visitor | None:
        bearer = header(scope, "authorization").removeprefix("Bearer ")
        name = bearer or header(scope, "cookie").removeprefix("session=")
        if name not in PEOPLE:
            return None
        return Visitor(
            person=person(PEOPLE[name]),
            grant=self.grant,
            session_id=f"session of {name}",
            expires_at=self.now + timedelta(hours=1),
            address=scope["client"][0],
            is_by_cookie=not bearer,
        )

    def prolong(self, session_id: str, *, is_active: bool) -> datetime | None:
        self.looked_up.append((session_id, is_active))
        return self.prolonged.get(session_id)

    def count(self, user_id: str, address: str) -> None:
        self.posting.append((user_id, address))
        if self.too_fast:
            raise Refused("too_fast", "Wait a little.", retry_after=1.5)

    def post(self, *client_ids: str, room: str = LOBBY.id, author: Author = BOB) -> None:
        """Store messages past the engine, as another process would."""
        self.store.append(room, [rendered(client_id, author=author) for client_id in client_ids])

    async def connect(self, name: str = "alice", query: Mapping[str, Any] | None = None, **headers: str) -> "Client":
        """Open a websocket and let it settle."""
        client = Client(self, name, {"room": "lobby"} if query is None else query, headers)
        await settle()
        return client


class Client:
    """A fake browser at the other end of the ASGI interface."""

    def __init__(self, process: Process, name: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        self.events: list[dict[str, Any]] = []
        self.can_receive = asyncio.Event()
        self.can_receive.set()
        self.failure: Exception | None = None
        self.reads = 0
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        given = headers or {"authorization": f"Bearer {name}"}
        self.scope = {
            "type": "websocket",
            "path": "/live",
            "query_string": urlencode(query).encode(),
            "headers": [(key.encode(), value.encode("latin-1")) for key, value in given.items()],
            "client": ("192.0.2.1", 5000),
        }
        self.task = asyncio.create_task(process.endpoint(self.scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        event = await self._incoming.get()
        self.reads += 1
        return event

    async def _send(self, event: dict[str, Any]) -> None:
        await self.can_receive.wait()
        if self.failure is not None:
            raise self.failure
        self.events.append(event)
        if event["type"] == "websocket.close":
            self._incoming.put_nowait({"type": "websocket.disconnect", "code": event["code"]})

    async def say(self, *frames: dict[str, Any] | str) -> None:
        """Send frames and let them settle."""
        for frame in frames:
            text = frame if isinstance(frame, str) else json.dumps(frame)
            self._incoming.put_nowait({"type": "websocket.receive", "text": text})
        await settle()

    async def say_bytes(self, data: bytes) -> None:
        self._incoming.put_nowait({"type": "websocket.receive", "bytes": data})
        await settle()

    async def leave(self) -> None:
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await settle()

    @property
    def status(self) -> int | None:
        """The status of a refused handshake; None when it was accepted."""
        start = self.events[0]
        return start["status"] if start["type"] == "websocket.http.response.start" else None

    @property
    def close_code(self) -> int | None:
        return next((e["code"] for e in self.events if e["type"] == "websocket.close"), None)

    def frames(self, kind: str | None = None) -> list[dict[str, Any]]:
        frames = [json.loads(e["text"]) for e in self.events if e["type"] == "websocket.send"]
        return [frame for frame in frames if kind in {None, frame["type"]}]

    def seen(self, room: str = "lobby") -> list[str]:
        """The client ids of the messages that it got, in order."""
        changes = [frame for frame in self.frames("changes") if frame["room"] == room]
        return [message["client_id"] for frame in changes for message in frame["messages"]]


class FakeConnection:
    def __init__(self, process: Process, name: str, minutes: int = 60) -> None:
        self.user_id = name
        self.session_id = name
        self.expires_at = process.now + timedelta(minutes=minutes)
        self.was_active = False
        self.ends: list[int] = []
        self.reason = ""
        process.engine.connections.add(self)

    def prolong(self, expires_at: datetime) -> None:
        self.expires_at = expires_at
        self.was_active = False

    def end(self, code: int, reason: str) -> None:
        self.ends.append(code)
        self.reason = reason


def header(scope: Mapping[str, Any], name: str) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.decode() == name), "")


def let_sleep(
    monkeypatch: pytest.MonkeyPatch,
    sleep: Callable[[float], Coroutine[Any, Any, None]],
    modules: Sequence[ModuleType] = THOSE_WHO_SLEEP,
) -> None:
    """Let these modules, and nobody else, sleep in another way."""
    own = SimpleNamespace(**vars(asyncio) | {"sleep": sleep})
    for module in modules:
        monkeypatch.setattr(module, "asyncio", own)


class Ticks:
    """Every pause of the engine ends when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._next: asyncio.Event | None = None
        let_sleep(monkeypatch, self._wait)

    async def _wait(self, seconds: float) -> None:
        if not seconds:
            await asyncio.sleep(0)
            return
        self._next = self._next or asyncio.Event()
        await self._next.wait()

    async def __call__(self, count: int = 1) -> None:
        await settle()
        for _ in range(count):
            if self._next is not None:
                self._next.set()
                self._next = None
            await settle()


def away(*arguments: Any) -> Any:
    raise Unavailable("away")


async def started(**options: Any) -> Process:
    process = Process(**options)
    await process.engine.start()
    return process


async def never(*arguments: Any) -> Any:
    await asyncio.Event().wait()
