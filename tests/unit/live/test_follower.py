import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import Message
from chatroom.live import follower as followers
from chatroom.live import tail as tails
from chatroom.live.follower import follow
from chatroom.live.presence.presence import Presence
from chatroom.live.protocol import Format, encode_message
from chatroom.live.sockets.websocket import never_now
from chatroom.live.tail import Tail, bounded_frame
from tests.loops import in_loop, settle
from tests.people import CAST
from tests.unit.live.messages import message

ALICE, BOB, _ = CAST


class Room:
    """A tail over a store that is a list, and a reader."""

    def __init__(self, stored: int = 0, *, held: int = 100, page: int = 3) -> None:
        self.log = [message(n) for n in range(1, stored + 1)]
        self.tail = Tail("lobby", 0, max_messages=held, max_bytes=1_000_000)
        self.tail.fill(self.log[-held:])
        self.tail.show()
        if stored > held:
            self.tail.start = stored - held
        self.presence = Presence("lobby")
        self.page = page
        self.pages: list[int] = []
        self.is_away = False
        self.frames: list[dict[str, Any]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.task: asyncio.Task[None] | None = None

    async def read_page(self, cursor: int, format: Format) -> tuple[str, int, int]:
        self.pages.append(cursor)
        if self.is_away:
            raise Unavailable("away")
        found = [m for m in self.log if m.revision > cursor][: self.page]
        pieces = ((m.revision, encode_message(m, format)) for m in found)
        return bounded_frame("lobby", pieces, found[-1].revision)

    async def send(self, frame: bytes) -> None:
        await self.gate.wait()
        self.frames.append(json.loads(frame))

    def send_now(self, frame: bytes) -> bool:
        if self.gate.is_set():
            self.frames.append(json.loads(frame))
        return self.gate.is_set()

    def post(self, *messages: Message) -> None:
        self.log = [m for m in self.log if m.id not in {new.id for new in messages}] + list(messages)
        assert self.tail.offer(messages)

    def follow(self, cursor: int | None, format: Format = "text") -> None:
        self.task = asyncio.create_task(
            follow(
                self.send,
                self.tail,
                self.read_page,
                cursor=cursor,
                format=format,
                send_now=self.send_now,
                news=[self.presence],
            )
        )

    async def settle(self) -> None:
        await settle()

    def seen(self) -> list[int]:
        return [m["revision"] for f in self.frames if f["type"] == "changes" for m in f["messages"]]

    def missed(self) -> list[int]:
        return [f["missed"] for f in self.frames if f["type"] == "caught_up"]


def run(test: Callable[[], Coroutine[Any, Any, Room]]) -> Room:
    async def main() -> Room:
        room = await test()
        assert room.task is not None
        assert not room.task.done()
        room.task.cancel()
        await asyncio.gather(room.task, return_exceptions=True)
        return room

    return asyncio.run(main())


def test_without_a_cursor_it_follows_from_now_on() -> None:
    async def test() -> Room:
        room = Room(5)
        room.follow(None)
        await room.settle()
        room.post(message(6))
        await room.settle()
        return room

    room = run(test)
    assert [f["type"] for f in room.frames] == ["caught_up", "changes"]
    assert room.missed() == [0]
    assert room.frames[0]["revision"] == 5
    assert room.seen() == [6]


@pytest.mark.parametrize("cursor", [0, 1, 5, 12, 16, 19, 20])
def test_d08_history_then_tail_then_live_and_the_exact_number_that_was_missed(cursor: int) -> None:
    async def test() -> Room:
        room = Room(20, held=4)  # the tail begins after 16
        room.follow(cursor)
        await room.settle()
        room.post(message(21))
        await room.settle()
        return room

    room = run(test)
    assert room.seen() == list(range(cursor + 1, 22))
    assert room.missed() == [20 - cursor]
    assert [f["type"] for f in room.frames][-2:] == ["caught_up", "changes"]
    assert bool(room.pages) == (cursor < 16)


def test_messages_during_a_history_read_arrive_once() -> None:
    async def test() -> Room:
        room = Room(20, held=4)
        read_page = room.read_page

        async def busy_read_page(cursor: int, format: Format) -> tuple[str, int, int]:
            newest = room.tail.revision
            page = await read_page(cursor, format)
            if newest < 30:
                room.post(message(newest + 1), message(newest + 2))
            return page

        room.read_page = busy_read_page  # type: ignore[method-assign]
        room.follow(0)
        await room.settle()
        room.post(message(31))
        await room.settle()
        return room

    room = run(test)
    assert room.seen() == list(range(1, 32))
    assert room.missed() == [30]


def test_it_catches_up_once_only() -> None:
    async def test() -> Room:
        room = Room(3)
        room.follow(0)
        await room.settle()
        for n in range(4, 8):
            room.post(message(n))
            await room.settle()
        return room

    room = run(test)
    assert room.missed() == [3]
    assert room.seen() == list(range(1, 8))


def test_a_slow_send_buffers_nothing_and_continues_with_one_frame() -> None:
    """While a reader does not read, nothing is kept for it; then it gets all it missed together."""

    async def test() -> Room:
        room = Room(0)
        room.follow(0)
        await room.settle()
        room.gate.clear()
        room.post(message(1))
        await room.settle()  # this frame is on its way
        for n in range(2, 60):
            room.post(message(n))
            await room.settle()
        room.post(message(7, 60))
        room.gate.set()
        await room.settle()
        return room

    room = run(test)
    changes = [[m["revision"] for m in f["messages"]] for f in room.frames if f["type"] == "changes"]
    assert changes == [[1], [n for n in range(2, 61) if n != 7]]


def test_a_slow_reader_behind_the_tail_reads_the_store() -> None:
    async def test() -> Room:
        room = Room(0, held=2)
        room.follow(0)
        await room.settle()
        room.gate.clear()
        room.post(message(1))
        await room.settle()
        for n in range(2, 12):
            room.post(message(n))
        room.gate.set()
        await room.settle()
        return room

    room = run(test)
    assert room.pages
    assert room.seen() == list(range(1, 12))
    assert room.missed() == [0]


def test_one_slow_reader_delays_no_other() -> None:
    async def test() -> Room:
        room = Room(0)
        stuck = asyncio.Event()

        async def stuck_send(frame: str) -> None:
            await stuck.wait()

        slow = asyncio.create_task(
            follow(stuck_send, room.tail, room.read_page, cursor=0, format="text", send_now=never_now)
        )
        room.follow(0)
        for n in range(1, 5):
            room.post(message(n))
            await room.settle()
        slow.cancel()
        return room

    assert run(test).seen() == [1, 2, 3, 4]


def test_reads_are_retried_during_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "STORE_PAUSE_SECONDS", 0)

    async def test() -> Room:
        room = Room(20, held=4)
        room.is_away = True
        room.follow(2)
        await room.settle()
        assert len(room.pages) > 2
        assert set(room.pages) == {2}
        assert room.frames == []
        room.is_away = False
        await room.settle()
        return room

    assert run(test).seen() == list(range(3, 21))


def test_a_cursor_that_is_ahead_of_this_process_waits_for_it() -> None:
    """Another process gave it; what comes up to it is here already."""

    async def test() -> Room:
        room = Room(5)
        room.follow(8)
        await room.settle()
        room.post(message(6), message(7))
        await room.settle()
        room.post(message(8), message(9))
        await room.settle()
        return room

    room = run(test)
    assert room.frames[0] == {"type": "caught_up", "room": "lobby", "revision": 8, "missed": 0}
    assert room.seen() == [9]


def test_presence_follows_catching_up_and_then_every_version() -> None:
    async def test() -> Room:
        room = Room(2)
        room.presence.enter(ALICE)
        room.presence.publish()
        room.follow(0)
        await room.settle()
        room.presence.enter(BOB)
        room.presence.publish()
        room.tail.wake()
        await room.settle()
        room.tail.wake()  # for nothing
        await room.settle()
        return room

    room = run(test)
    assert [f["type"] for f in room.frames] == ["changes", "caught_up", "presence", "presence"]
    assert [p["id"] for p in room.frames[2]["here"]] == [ALICE.id]
    assert [p["id"] for p in room.frames[3]["came"]] == [BOB.id]


def test_a_slow_reader_gets_the_whole_presence_list_once() -> None:
    async def test() -> Room:
        room = Room(0)
        room.presence.publish()
        room.follow(0)
        await room.settle()
        room.gate.clear()
        for person in (ALICE, BOB):
            room.presence.enter(person)
            room.presence.publish()
            room.tail.wake()
            await room.settle()
        room.presence.leave(ALICE)
        room.presence.publish()
        room.gate.set()
        await room.settle()
        return room

    room = run(test)
    presence = [f for f in room.frames if f["type"] == "presence"]
    assert "here" in presence[0]
    assert len(presence) == 3  # empty; Alice came (it was on its way); and now
    assert [p["id"] for p in presence[-1]["here"]] == [BOB.id]


@pytest.mark.parametrize("format", ["text", "html"])
def test_messages_have_the_requested_format(format: Format) -> None:
    async def test() -> Room:
        room = Room(6, held=2)
        room.follow(0, format)
        await room.settle()
        return room

    for frame in run(test).frames[:-1]:
        assert all((format in m) and (("html" if format == "text" else "text") not in m) for m in frame["messages"])


@in_loop
async def test_a_failing_send_ends_it() -> None:
    room = Room(1)

    async def send(frame: str) -> None:
        raise ConnectionResetError

    with pytest.raises(OSError):  # noqa: PT011
        await follow(send, room.tail, room.read_page, cursor=0, format="text", send_now=never_now)


def test_the_frames_are_shared_among_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = tails.bounded_frame

    def count(slug: str, pieces: Any, newest: int) -> tuple[str, int, int]:
        made.append(newest)
        return original(slug, pieces, newest)

    monkeypatch.setattr(tails, "bounded_frame", count)

    async def test() -> Room:
        room = Room(0)
        others = [
            asyncio.create_task(
                follow(room.send, room.tail, room.read_page, cursor=0, format="text", send_now=never_now)
            )
            for _ in range(20)
        ]
        room.follow(0)
        await room.settle()
        room.post(message(1))
        await room.settle()
        for other in others:
            other.cancel()
        return room

    room = run(test)
    assert room.seen() == [1] * 21
    assert made == [1]
