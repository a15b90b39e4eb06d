import asyncio
import json
from collections.abc import Coroutine, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.base.models import Message
from chatroom.live import tail as tails
from chatroom.live.protocol import Format
from chatroom.live.tail import FRAME_MESSAGES, Entry, Tail, bounded_frame
from tests.loops import in_loop, settle
from tests.unit.live.messages import message


def make(revision: int = 0, *, max_messages: int = 100, max_bytes: int = 1_000_000) -> Tail:
    return Tail("lobby", revision, max_messages=max_messages, max_bytes=max_bytes)


def filled(*messages: Message, **options: int) -> Tail:
    tail = make(**options)
    assert tail.offer(messages)
    return tail


def read(tail: Tail, cursor: int, format: Format = "text") -> dict[str, Any]:
    frame, revision, count = tail.frame(cursor, format)
    shown: dict[str, Any] = json.loads(frame)
    assert shown["revision"] == revision
    assert len(shown["messages"]) == count
    return shown


def revisions(tail: Tail, cursor: int = 0) -> list[int]:
    return [m["revision"] for m in read(tail, cursor)["messages"]]


class TestOffer:
    def test_the_next_change_is_taken(self) -> None:
        tail = make()

        assert tail.offer([message(1), message(2)])
        assert tail.offer([message(3)])
        assert tail.revision == 3
        assert revisions(tail) == [1, 2, 3]

    def test_known_changes_are_ignored(self) -> None:
        tail = filled(message(1), message(2))

        assert tail.offer([message(1), message(2), message(2)])
        assert tail.offer([])
        assert revisions(tail) == [1, 2]

    def test_a_batch_may_be_unordered_with_duplicates(self) -> None:
        tail = make()

        assert tail.offer([message(3), message(1), message(2), message(1)])
        assert revisions(tail) == [1, 2, 3]

    def test_a_gap_is_reported_and_later_changes_are_not_taken(self) -> None:
        tail = filled(message(1))

        assert not tail.offer([message(2), message(4), message(5)])
        assert tail.revision == 2
        assert revisions(tail) == [1, 2]

    def test_an_early_change_is_taken_when_it_is_offered_again(self) -> None:
        tail = filled(message(1))
        tail.offer([message(3)])

        assert tail.offer([message(2)])
        assert tail.offer([message(3)])
        assert revisions(tail) == [1, 2, 3]

    @given(st.lists(st.lists(st.integers(1, 12), max_size=5), max_size=20), st.randoms())
    def test_the_tail_is_dense_for_any_order_of_offers(self, batches: list[list[int]], random: Any) -> None:
        tail = make()
        for batch in batches:
            before = tail.revision
            told = tail.offer([message(n) for n in batch])
            assert revisions(tail) == list(range(1, tail.revision + 1))
            assert told == (max(batch, default=0) <= tail.revision)
            assert tail.revision >= before


class TestFill:
    def test_a_gap_is_filled_from_the_store(self) -> None:
        tail = filled(message(1))
        tail.offer([message(4)])

        tail.fill([message(2), message(3), message(4)])

        assert revisions(tail) == [1, 2, 3, 4]

    def test_numbers_that_were_given_up_leave_no_gap(self) -> None:
        """Message 2 changed at 3 and at 5: the store has nothing at 2 and 3 any more."""
        tail = filled(message(1))

        tail.fill([message(4), message(2, 5)])

        assert tail.revision == 5
        assert revisions(tail) == [1, 4, 5]
        assert tail.offer([message(6)])

    def test_changes_offered_in_the_meantime_are_not_taken_twice(self) -> None:
        tail = filled(message(1))
        tail.offer([message(2), message(3)])

        tail.fill([message(2), message(3), message(4)])

        assert revisions(tail) == [1, 2, 3, 4]

    def test_nothing_changes_nothing(self) -> None:
        tail = filled(message(1))
        tail.fill([])
        assert revisions(tail) == [1]


class TestSuperseded:
    def test_a_changed_message_is_returned_once_in_its_latest_state(self) -> None:
        tail = filled(message(1), message(2), message(1, 3), message(3, 4), message(1, 5))

        shown = read(tail, 0)

        assert [(m["sequence"], m["revision"]) for m in shown["messages"]] == [(2, 2), (3, 4), (1, 5)]
        assert shown["messages"][-1]["text"] == "text 1 at 5"
        assert shown["revision"] == 5

    @pytest.mark.parametrize("cursor", [0, 1, 2, 3, 4])
    def test_from_every_cursor(self, cursor: int) -> None:
        tail = filled(message(1), message(2), message(1, 3), message(3, 4), message(1, 5))

        assert revisions(tail, cursor) == [n for n in (2, 4, 5) if n > cursor]

    def test_dropping_an_old_state_leaves_the_latest(self) -> None:
        tail = filled(message(1), message(1, 2), message(2, 3), max_messages=2)

        assert tail.start == 1
        assert revisions(tail, 1) == [2, 3]


class TestBounds:
    def test_the_oldest_are_dropped_beyond_the_number(self) -> None:
        tail = filled(*[message(n) for n in range(1, 11)], max_messages=3)

        assert (tail.start, tail.revision) == (7, 10)
        assert revisions(tail, 7) == [8, 9, 10]

    def test_the_oldest_are_dropped_beyond_the_bytes(self) -> None:
        size = Entry(message(1)).size
        tail = filled(*[message(n) for n in range(1, 10)], max_bytes=3 * size)

        assert (tail.start, tail.revision) == (6, 9)

    def test_the_newest_stays_however_large_it_is(self) -> None:
        tail = filled(message(1), message(2, text="x" * 10_000), max_bytes=1000)

        assert (tail.start, tail.revision) == (1, 2)
        assert revisions(tail, 1) == [2]

    def test_a_wide_text_counts_its_bytes(self) -> None:
        assert Entry(message(1, text="\U0001f600" * 1000)).size > Entry(message(1, text="x" * 1000)).size + 5000

    def test_a_start_that_was_given_up_is_the_oldest_that_was_dropped(self) -> None:
        """A reader at `start` needs nothing that was dropped."""
        tail = make(5, max_messages=2)
        tail.fill([message(1, 8), message(9), message(10)])

        assert tail.start == 8
        assert revisions(tail, 8) == [9, 10]


class TestFrames:
    def test_a_frame_is_made_once_for_all_at_the_same_cursor(self) -> None:
        tail = filled(message(1), message(2))

        assert tail.frame(1, "text")[0] is tail.frame(1, "text")[0]
        assert tail.frame(1, "text")[0] != tail.frame(0, "text")[0]
        assert b"html" in tail.frame(1, "html")[0]
        assert b"html" not in tail.frame(1, "text")[0]

    def test_a_message_is_encoded_once_for_each_format(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[tuple[int, Format]] = []
        encode = tails.protocol.encode_message

        def count(message: Message, format: Format) -> bytes:
            calls.append((message.sequence, format))
            return encode(message, format)

        monkeypatch.setattr(tails.protocol, "encode_message", count)
        tail = filled(message(1), message(2))
        for cursor in (0, 1):
            tail.frame(cursor, "text")
            tail.frame(cursor, "html")

        assert sorted(calls) == [(1, "html"), (1, "text"), (2, "html"), (2, "text")]

    def test_growth_makes_new_frames(self) -> None:
        tail = filled(message(1))
        tail.frame(0, "text")
        tail.offer([message(2)])

        assert revisions(tail) == [1, 2]

    def test_the_frames_that_are_kept_are_bounded(self) -> None:
        tail = filled(*[message(n) for n in range(1, 100)])
        for cursor in range(99):
            tail.frame(cursor, "text")

        assert len(tail._frames) <= tails.KEPT_FRAMES
        assert revisions(tail, 97) == [98, 99]

    def test_a_frame_is_bounded_in_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tails, "FRAME_MESSAGES", 3)
        tail = filled(*[message(n) for n in range(1, 8)])

        assert walk(tail) == [[1, 2, 3], [4, 5, 6], [7]]

    def test_a_frame_is_bounded_in_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tails, "FRAME_BYTES", 1000)
        large = "x" * 2000
        tail = filled(message(1), message(2, text=large), message(3), message(4))

        assert walk(tail) == [[1], [2], [3, 4]]

    def test_a_bounded_frame_ends_where_its_last_message_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is left out after it was changed again later, so nothing is lost between two frames."""
        monkeypatch.setattr(tails, "FRAME_MESSAGES", 2)
        tail = filled(message(1), message(2), message(3), message(2, 4), message(4, 5), message(1, 6))

        assert walk(tail) == [[3, 4], [5, 6]]

    @given(st.data())
    def test_reading_the_tail_returns_the_latest_state(self, data: Any) -> None:
        changes: list[Message] = []
        for revision in range(1, data.draw(st.integers(1, 25)) + 1):
            old = data.draw(st.sampled_from([m.sequence for m in changes] or [revision]) | st.just(revision))
            changes.append(message(old, revision))
        tail = filled(*changes, max_messages=data.draw(st.integers(1, 30)))
        cursor = data.draw(st.integers(tail.start, tail.revision))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tails, "FRAME_MESSAGES", data.draw(st.integers(1, 4)))
            seen = [n for frame in walk(tail, cursor) for n in frame]

        latest = {m.id: m.revision for m in changes}
        assert seen == sorted(n for n in latest.values() if n > cursor)

    def test_no_pieces_still_lead_to_the_newest_cursor(self) -> None:
        frame, cursor, count = bounded_frame("lobby", [], 7)

        assert (cursor, count) == (7, 0)
        assert json.loads(frame)["messages"] == []


def walk(tail: Tail, cursor: int = 0) -> list[list[int]]:
    """What a reader gets, frame by frame."""
    frames = []
    while cursor < tail.revision:
        shown = read(tail, cursor)
        assert shown["revision"] > cursor
        cursor = shown["revision"]
        frames.append([m["revision"] for m in shown["messages"]])
    return frames


def wait(tail: Tail, cursor: int | None = None) -> Coroutine[Any, Any, int]:
    """Wait at the end, as a reader who cannot be sent anything right now."""
    return tail.wait(tail.revision if cursor is None else cursor, "text", lambda _: False)


class Inbox:
    """A reader who waits, and what was sent to it meanwhile."""

    def __init__(self, tail: Tail, cursor: int) -> None:
        self.is_reading = True
        self.revisions: list[list[int]] = []
        self.task = asyncio.create_task(tail.wait(cursor, "text", self.take))

    def take(self, frame: bytes) -> bool:
        if self.is_reading:
            self.revisions.append([m["revision"] for m in json.loads(frame)["messages"]])
        return self.is_reading


class TestSendingToThoseWhoWait:
    @in_loop
    async def test_new_changes_are_sent_without_waking_the_followers(self) -> None:
        tail = filled(message(1))
        readers = [Inbox(tail, 1) for _ in range(3)]
        await settle()
        tail.offer([message(2), message(3)])
        tail.fill([message(4)])
        await settle()
        assert {len(reader.revisions) for reader in readers} == {1}  # nobody is sent it yet
        tail.show()
        tail.show()
        await settle()
        for reader in readers:
            assert reader.revisions == [[2, 3], [4]]
            assert not reader.task.done()
        tail.wake()
        assert [await reader.task for reader in readers] == [4, 4, 4]
        assert not tail._waiting

    @in_loop
    async def test_one_frame_serves_all_of_them(self) -> None:
        tail = filled(message(1))
        frames: list[bytes] = []
        waiting = [asyncio.create_task(tail.wait(1, "text", lambda frame: not frames.append(frame))) for _ in "ab"]
        await settle()
        tail.offer([message(2)])
        assert frames[0] is frames[1]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    @in_loop
    async def test_a_busy_follower_reads_the_tail_itself_and_misses_nothing(self) -> None:
        tail = filled(message(1))
        slow, quick = Inbox(tail, 1), Inbox(tail, 1)
        await settle()
        tail.offer([message(2)])
        slow.is_reading = False
        tail.offer([message(3)])
        assert await slow.task == 2
        assert slow.revisions == [[2]]
        assert quick.revisions == [[2], [3]]
        quick.task.cancel()

    @in_loop
    async def test_the_follower_continues_after_a_full_frame(self) -> None:
        tail = make(max_messages=5000)
        reader = Inbox(tail, 0)
        await settle()
        tail.offer([message(n) for n in range(1, FRAME_MESSAGES + 3)])
        assert await reader.task == FRAME_MESSAGES
        assert reader.revisions == [list(range(1, FRAME_MESSAGES + 1))]

    @in_loop
    async def test_a_follower_behind_the_tail_reads_the_store(self) -> None:
        tail = make(max_messages=2)
        reader = Inbox(tail, 0)
        await settle()
        tail.offer([message(n) for n in range(1, 6)])
        assert await reader.task == 0
        assert reader.revisions == []

    @in_loop
    async def test_a_follower_ahead_is_sent_nothing_old(self) -> None:
        tail = filled(message(1))
        ahead = Inbox(tail, 3)
        await settle()
        tail.offer([message(2), message(3)])
        assert ahead.revisions == []
        tail.offer([message(4)])
        assert ahead.revisions == [[4]]
        ahead.task.cancel()

    def test_a_failed_send_stops_nobody_else(self, caplog: pytest.LogCaptureFixture) -> None:
        async def run() -> None:
            tail = filled(message(1))

            def fail(_: bytes) -> bool:
                raise ValueError("a bug")

            broken = asyncio.create_task(tail.wait(1, "text", fail))
            await settle()
            reader = Inbox(tail, 1)
            await settle()
            tail.offer([message(2)])
            assert reader.revisions == [[2]]
            assert await broken == 1
            reader.task.cancel()

        asyncio.run(run())
        assert "a frame could not be sent" in caplog.text

    @in_loop
    async def test_a_cancelled_follower_is_sent_nothing(self) -> None:
        tail = filled(message(1))
        reader = Inbox(tail, 1)
        await settle()
        reader.task.cancel()
        tail.offer([message(2)])
        await asyncio.gather(reader.task, return_exceptions=True)
        assert reader.revisions == []
        assert not tail._waiting


class TestWaiting:
    @in_loop
    async def test_growth_wakes_all_waiting_followers(self) -> None:
        tail = make()
        waiters = [asyncio.create_task(wait(tail)) for _ in range(3)]
        await asyncio.sleep(0)
        tail.offer([message(1)])
        await asyncio.gather(*waiters)

    @pytest.mark.parametrize(
        "wake",
        [
            lambda tail: (tail.fill([message(2)]), tail.show()),
            lambda tail: tail.wake(),
        ],
    )
    @in_loop
    async def test_other_news_wake_them_too(self, wake: Any) -> None:
        tail = filled(message(1))
        waiter = asyncio.create_task(wait(tail))
        await asyncio.sleep(0)
        wake(tail)
        await waiter

    @pytest.mark.parametrize("offered", [[], [message(1)], [message(3)]])
    @in_loop
    async def test_nothing_new_wakes_nobody(self, offered: Iterable[Message]) -> None:
        tail = filled(message(1))
        waiter = asyncio.create_task(wait(tail))
        await asyncio.sleep(0)
        tail.offer(offered)
        tail.fill(offered if offered != [message(3)] else [])
        tail.show()
        await settle()
        assert not waiter.done()
        waiter.cancel()

    @in_loop
    async def test_a_cancelled_waiter_is_removed_and_stops_nobody(self) -> None:
        tail = make()
        waiters = [asyncio.create_task(wait(tail)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[1].cancel()
        await asyncio.gather(waiters[1], return_exceptions=True)
        assert len(tail._waiting) == 2  # a quiet room holds nothing for those who left
        tail.offer([message(1)])
        await asyncio.gather(waiters[0], waiters[2])
        assert not tail._waiting

    @in_loop
    async def test_a_waiter_is_cancelled_while_the_tail_grows(self) -> None:
        tail = make()
        waiter, other = asyncio.create_task(wait(tail)), asyncio.create_task(wait(tail))
        await asyncio.sleep(0)
        waiter.cancel()
        tail.offer([message(1)])
        await other
        with pytest.raises(asyncio.CancelledError):
            await waiter
