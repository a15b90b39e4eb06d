import asyncio
import gc
from collections.abc import Sequence

import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import Message
from chatroom.live import room_reader, rooms
from chatroom.live.rooms import LiveRoom
from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.rooms.access import LOBBY
from tests.loops import in_loop, run, settle
from tests.people import ALICE, BOB, draft, rendered
from tests.unit.live.harness import Client, Process, Ticks, started
from tests.waiting import PATIENCE_SECONDS, wait_until_in_loop


def revisions(live: LiveRoom) -> list[int]:
    return [entry.message.revision for entry in live.tail._entries]


def count_reads(process: Process) -> list[int]:
    """Count how often the tail is read on from the store, and from where."""
    reads: list[int] = []
    read = process.store.changed_after

    def changed_after(room: str, revision: int, limit: int) -> list[Message]:
        reads.append(revision)
        return read(room, revision, limit)

    process.store.changed_after = changed_after  # type: ignore[method-assign]
    return reads


class TestRooms:
    @in_loop
    async def test_a_room_begins_at_its_newest_revision(self) -> None:
        process = Process()
        process.post("a1", "a2")
        live = await process.engine.enter(LOBBY, ALICE)
        assert (live.tail.start, live.tail.revision) == (2, 2)

    @in_loop
    async def test_simultaneous_followers_share_a_room(self) -> None:
        process = Process()
        lives = await asyncio.gather(*[process.engine.enter(LOBBY, ALICE) for _ in range(5)])
        assert len(set(map(id, lives))) == 1
        assert lives[0].connections == 5
        assert await process.engine.enter(LOBBY, BOB) is lives[0]

    @in_loop
    async def test_writes_during_the_opening_are_not_lost(self) -> None:
        """No hint can reach a room before it is known; so it reads on once it is."""
        process = Process()
        newest = process.store.newest_revision

        def newest_revision(room: str) -> int:
            revision = newest(room)
            process.post("late")
            return revision

        process.store.newest_revision = newest_revision  # type: ignore[method-assign]
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        assert (live.tail.start, live.tail.revision) == (0, 1)

    @in_loop
    async def test_a_room_that_cannot_be_opened_fails_for_all_and_is_tried_again(self) -> None:
        process = Process()
        newest = process.store.newest_revision

        def away(room: str) -> int:
            raise Unavailable("away")

        process.store.newest_revision = away  # type: ignore[method-assign]
        outcomes = await asyncio.gather(*[process.engine.enter(LOBBY, ALICE) for _ in range(3)], return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        process.store.newest_revision = newest  # type: ignore[method-assign]
        assert (await process.engine.enter(LOBBY, ALICE)).connections == 1

    @in_loop
    async def test_a_cancelled_opening_leaves_nothing(self) -> None:
        process = Process()

        def away(room: str) -> int:
            raise Unavailable("away")

        process.store.newest_revision = away  # type: ignore[method-assign]
        visit = asyncio.create_task(process.engine.enter(LOBBY, ALICE))
        await asyncio.sleep(0)
        visit.cancel()
        await settle()
        gc.collect()
        assert process.engine.rooms._opening == {}

    @in_loop
    async def test_an_empty_room_is_forgotten_after_a_while(self, tick: Ticks) -> None:
        process = Process()
        await process.engine.start()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        await tick(rooms.FORGET_TICKS + 5)
        assert LOBBY.id in process.engine.rooms._rooms
        process.engine.leave(live, ALICE)
        await tick(rooms.FORGET_TICKS)
        assert LOBBY.id in process.engine.rooms._rooms
        await tick()
        assert process.engine.rooms._rooms == {}
        await process.engine.stop()


class TestHints:
    @in_loop
    async def test_a_hint_makes_it_read_on(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post("a1", "a2", "a3")
        process.feed.hint(LOBBY.id, 2)
        await settle()
        assert revisions(live) == [1, 2, 3]

    @in_loop
    async def test_doubled_and_late_hints_read_nothing_again(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post("a1", "a2", "a3")
        reads = count_reads(process)
        for revision in (1, 2, 3, 3, 1):
            process.feed.hint(LOBBY.id, revision)
        await settle()
        for revision in (1, 2, 3):
            process.feed.hint(LOBBY.id, revision)
        await settle()
        assert revisions(live) == [1, 2, 3]
        assert len(reads) == 1

    @in_loop
    async def test_a_wrong_hint_does_no_harm(self) -> None:
        """The feed asks for everything after a failure; the true hint that follows still counts."""
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.feed.hint(LOBBY.id, 1)
        process.feed.hint("nowhere", 7)
        await settle()
        assert revisions(live) == []
        process.post("a1")
        process.feed.hint(LOBBY.id, 1)
        await settle()
        assert revisions(live) == [1]

    @in_loop
    async def test_a_hint_during_a_read_is_not_lost(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        read = process.store.changed_after
        moments: list[int] = []

        def changed_after(room: str, revision: int, limit: int) -> list[Message]:
            found = read(room, revision, limit)  # before the next is stored ...
            if len(moments) < 3:
                moments.append(revision)
                process.post(f"late{len(moments)}")
                process.feed.hint(LOBBY.id, live.tail.revision + 1)  # ... and its hint comes before we are done
            return found

        process.store.changed_after = changed_after  # type: ignore[method-assign]
        process.feed.hint(LOBBY.id, 1)
        await settle()
        assert revisions(live) == [1, 2, 3]

    @in_loop
    async def test_hints_come_from_another_thread(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post("a1")
        await asyncio.to_thread(process.feed.hint, LOBBY.id, 1)
        await settle()
        assert revisions(live) == [1]

    def test_a_hint_after_the_end_is_nobodys(self) -> None:
        processes = []

        async def test() -> None:
            process = await started()
            await process.engine.enter(LOBBY, ALICE)
            processes.append(process)

        run(test)
        processes[0].feed.hint(LOBBY.id, 1)

    @in_loop
    async def test_a_long_absence_is_read_page_by_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room_reader, "FRAME_MESSAGES", 3)
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post(*[f"a{n}" for n in range(8)])
        reads = count_reads(process)
        process.feed.hint(LOBBY.id, 1)
        await settle()
        assert revisions(live) == list(range(1, 9))
        assert reads == [0, 3, 6]

    @in_loop
    async def test_a_read_is_retried_during_an_outage(self, tick: Ticks) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post("a1")
        read = process.store.changed_after

        def away(room: str, revision: int, limit: int) -> list[Message]:
            raise Unavailable("away")

        process.store.changed_after = away  # type: ignore[method-assign]
        process.feed.hint(LOBBY.id, 1)
        await tick(3)
        assert revisions(live) == []
        process.store.changed_after = read  # type: ignore[method-assign]
        await tick(2)
        assert revisions(live) == [1]

    @in_loop
    async def test_the_feed_knows_which_rooms_are_followed_and_how_far(self) -> None:
        process = await started()
        process.post("a1")
        await process.engine.enter(LOBBY, ALICE)
        await settle()
        assert process.feed.known() == {LOBBY.id: 1}


class TestPublishing:
    @in_loop
    async def test_a_post_reaches_the_tail_without_a_hint(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
        await settle()
        assert revisions(live) == [1]

    @in_loop
    async def test_a_post_to_a_room_that_nobody_follows_is_stored(self) -> None:
        process = await started()
        process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
        await settle()
        assert process.store.newest_revision(LOBBY.id) == 1

    @in_loop
    async def test_a_post_after_another_process_fills_the_gap_between(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        process.post("theirs1", "theirs2")  # no hint comes
        process.engine.appender.put(LOBBY.id, draft("ours"), lambda outcome: None)
        await settle()
        assert revisions(live) == [1, 2, 3]


class SlowWrite:
    """A write on the event loop that waits until the test lets it go."""

    def __init__(self, process: Process) -> None:
        self.may_end = asyncio.Event()
        self._store = process.store
        process.messages.appending._store_now = self  # type: ignore[assignment]

    async def append(self, room: str, drafts: Sequence[Rendered], after: int) -> list[Stored]:
        await self.may_end.wait()
        return self._store.append(room, drafts, after=after)


class TestTogether:
    """What another process stored, while this one is storing something too."""

    async def write_at_once(self) -> tuple[Client, SlowWrite]:
        process = Process()
        client = await process.connect()
        write = SlowWrite(process)
        process.engine.appender.put(LOBBY.id, draft("ours"), lambda _: None)
        await settle()
        MessageStore(process.database, origin="there").append(LOBBY.id, [rendered("theirs", author=BOB)])
        process.engine.rooms.hint_from_thread(LOBBY.id, 1)
        await settle()
        return client, write

    @in_loop
    async def test_both_batches_are_in_one_frame(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room_reader, "TOGETHER_SECONDS", PATIENCE_SECONDS)
        client, write = await self.write_at_once()
        assert client.seen() == []
        write.may_end.set()
        await settle()
        assert client.seen() == ["theirs", "ours"]
        assert len(client.frames("changes")) == 1

    @in_loop
    async def test_a_slow_write_delays_nobody(self) -> None:
        client, write = await self.write_at_once()
        await wait_until_in_loop(client.seen)
        assert client.seen() == ["theirs"]
        write.may_end.set()
        await settle()
        assert client.seen() == ["theirs", "ours"]


class TestPages:
    @in_loop
    async def test_simultaneous_readers_of_a_page_share_one_query(self) -> None:
        process = await started()
        process.post("a1", "a2")
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        reads = count_reads(process)
        pages = await asyncio.gather(*[live.reader.read_page(0, "text") for _ in range(5)])
        assert reads == [0]
        assert len(set(map(id, [page[0] for page in pages]))) == 1
        assert pages[0][1:] == (2, 2)
        assert live.reader._pages == {}

    @in_loop
    async def test_a_reader_who_leaves_does_not_cancel_the_page_of_others(self) -> None:
        process = await started()
        process.post("a1")
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        first = asyncio.create_task(live.reader.read_page(0, "text"))
        second = asyncio.create_task(live.reader.read_page(0, "text"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)[1:] == (1, 1)

    @in_loop
    async def test_a_page_is_bounded_in_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from chatroom.live import tail

        monkeypatch.setattr(tail, "FRAME_BYTES", 400)
        process = await started()
        process.post(*[f"a{n}" for n in range(5)])
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        frame, cursor, count = await live.reader.read_page(0, "text")
        assert len(frame) < 600
        assert cursor == count < 5

    @in_loop
    async def test_a_database_that_is_behind_is_asked_again_later(self) -> None:
        process = await started()
        live = await process.engine.enter(LOBBY, ALICE)
        await settle()
        with pytest.raises(Unavailable):
            await live.reader.read_page(3, "text")
        assert live.reader._pages == {}
