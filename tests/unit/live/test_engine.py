import asyncio
import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chatroom.errors import Refused, SettingsError, Unavailable
from chatroom.live import engine as engines
from chatroom.live.engine import LiveRoom
from chatroom.live.leases import ELSEWHERE_TICKS
from chatroom.models import Message
from chatroom.rooms import LOBBY
from tests.people import ALICE, BOB, draft
from tests.unit.live.harness import DEN, Process, run, settle


class Ticks:
    """The engine's tick, when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._next: asyncio.Event | None = None
        sleep = asyncio.sleep

        async def wait(seconds: float) -> None:
            if not seconds:
                await sleep(0)
                return
            self._next = self._next or asyncio.Event()
            await self._next.wait()

        monkeypatch.setattr(engines.asyncio, "sleep", wait)

    async def __call__(self, count: int = 1) -> None:
        await settle()
        for _ in range(count):
            if self._next is not None:
                self._next.set()
                self._next = None
            await settle()


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    return Ticks(monkeypatch)


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
    def test_a_room_begins_at_its_newest_revision(self) -> None:
        async def test() -> None:
            process = Process()
            process.post("a1", "a2")
            live = await process.engine.enter(LOBBY, ALICE)
            assert (live.tail.start, live.tail.revision) == (2, 2)

        run(test)

    def test_those_who_enter_together_get_the_same(self) -> None:
        async def test() -> None:
            process = Process()
            lives = await asyncio.gather(*[process.engine.enter(LOBBY, ALICE) for _ in range(5)])
            assert len(set(map(id, lives))) == 1
            assert lives[0].connections == 5
            assert await process.engine.enter(LOBBY, BOB) is lives[0]

        run(test)

    def test_what_is_written_while_it_opens_is_not_lost(self) -> None:
        """No hint can reach a room before it is known; so it reads on once it is."""

        async def test() -> None:
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

        run(test)

    def test_a_room_that_cannot_be_opened_fails_for_all_and_is_tried_again(self) -> None:
        async def test() -> None:
            process = Process()
            newest = process.store.newest_revision

            def away(room: str) -> int:
                raise Unavailable("away")

            process.store.newest_revision = away  # type: ignore[method-assign]
            outcomes = await asyncio.gather(
                *[process.engine.enter(LOBBY, ALICE) for _ in range(3)], return_exceptions=True
            )
            assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
            process.store.newest_revision = newest  # type: ignore[method-assign]
            assert (await process.engine.enter(LOBBY, ALICE)).connections == 1

        run(test)

    def test_who_gave_up_while_it_opened_leaves_nothing_behind(self) -> None:
        async def test() -> None:
            process = Process()

            def away(room: str) -> int:
                raise Unavailable("away")

            process.store.newest_revision = away  # type: ignore[method-assign]
            visit = asyncio.create_task(process.engine.enter(LOBBY, ALICE))
            await asyncio.sleep(0)
            visit.cancel()
            await settle()
            gc.collect()
            assert process.engine._entering == {}

        run(test)

    def test_an_empty_room_is_forgotten_after_a_while(self, tick: Ticks) -> None:
        async def test() -> None:
            process = Process()
            await process.engine.start()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            await tick(engines.FORGET_TICKS + 5)
            assert LOBBY.id in process.engine._rooms
            process.engine.leave(live, ALICE)
            await tick(engines.FORGET_TICKS)
            assert LOBBY.id in process.engine._rooms
            await tick()
            assert process.engine._rooms == {}
            await process.engine.stop()

        run(test)


class TestHints:
    def test_a_hint_makes_it_read_on(self) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            process.post("a1", "a2", "a3")
            process.feed.hint(LOBBY.id, 2)
            await settle()
            assert revisions(live) == [1, 2, 3]

        run(test)

    def test_doubled_and_late_hints_read_nothing_again(self) -> None:
        async def test() -> None:
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

        run(test)

    def test_a_wrong_hint_does_no_harm(self) -> None:
        """The feed asks for everything after a failure; the true hint that follows still counts."""

        async def test() -> None:
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

        run(test)

    def test_a_hint_that_comes_while_the_store_is_read_is_not_lost(self) -> None:
        async def test() -> None:
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

        run(test)

    def test_hints_come_from_another_thread(self) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            process.post("a1")
            await asyncio.to_thread(process.feed.hint, LOBBY.id, 1)
            await settle()
            assert revisions(live) == [1]

        run(test)

    def test_a_hint_after_the_end_is_nobodys(self) -> None:
        processes = []

        async def test() -> None:
            process = await started()
            await process.engine.enter(LOBBY, ALICE)
            processes.append(process)

        run(test)
        processes[0].feed.hint(LOBBY.id, 1)

    def test_a_long_absence_is_read_page_by_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engines, "FRAME_MESSAGES", 3)

        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            process.post(*[f"a{n}" for n in range(8)])
            reads = count_reads(process)
            process.feed.hint(LOBBY.id, 1)
            await settle()
            assert revisions(live) == list(range(1, 9))
            assert reads == [0, 3, 6]

        run(test)

    def test_a_store_that_is_away_is_asked_again(self, tick: Ticks) -> None:
        async def test() -> None:
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

        run(test)

    def test_the_feed_knows_which_rooms_are_followed_and_how_far(self) -> None:
        async def test() -> None:
            process = await started()
            process.post("a1")
            await process.engine.enter(LOBBY, ALICE)
            await settle()
            assert process.feed.known() == {LOBBY.id: 1}

        run(test)


class TestStart:
    @pytest.mark.parametrize("failure", [Unavailable("away"), SettingsError("not allowed")])
    def test_a_database_that_is_away_at_the_start_is_asked_again(self, tick: Ticks, failure: Exception) -> None:
        async def test() -> None:
            process = Process()
            make_feed = process.engine._make_feed
            process.post("a1")

            def fail(*arguments: Any) -> Any:
                raise failure

            process.engine._make_feed = fail
            await process.engine.start()
            live = await process.engine.enter(LOBBY, ALICE)
            await tick(2)
            process.post("a2")
            process.engine._make_feed = make_feed
            await tick(2)
            assert process.feed.is_running
            assert live.tail.revision == 2  # what came before the feed did is read then
            await process.engine.stop()

        run(test)


class TestPosting:
    def test_a_post_reaches_the_tail_without_a_hint(self) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
            await settle()
            assert revisions(live) == [1]

        run(test)

    def test_a_post_to_a_room_that_nobody_follows_is_stored(self) -> None:
        async def test() -> None:
            process = await started()
            process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
            await settle()
            assert process.store.newest_revision(LOBBY.id) == 1

        run(test)

    def test_a_post_after_another_process_fills_the_gap_between(self) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            process.post("theirs1", "theirs2")  # no hint comes
            process.engine.appender.put(LOBBY.id, draft("ours"), lambda outcome: None)
            await settle()
            assert revisions(live) == [1, 2, 3]

        run(test)

    def test_a_page_posts_from_its_own_thread(self) -> None:
        async def test() -> None:
            process = await started()
            stored = await asyncio.to_thread(process.messages.post, LOBBY, draft("a1"))
            assert stored.message.sequence == 1
            again = await asyncio.to_thread(process.messages.post, LOBBY, draft("a1"))
            assert again.is_repeated

        run(test)

    def test_a_page_is_told_when_too_many_wait(self) -> None:
        async def test() -> None:
            process = await started(max_waiting=1)
            process.engine.appender._run = never
            process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
            await settle()  # in flight
            process.engine.appender.put(LOBBY.id, draft("a2"), lambda outcome: None)
            with pytest.raises(Refused) as refusal:
                await asyncio.to_thread(process.engine.post_from_thread, LOBBY, draft("a3"))
            assert refusal.value.reason == "busy"

        run(test)

    def test_a_page_does_not_wait_for_ever(self) -> None:
        async def test() -> None:
            process = await started()

            process.engine.appender._run = never
            with pytest.raises(Unavailable, match="not stored yet"):
                await asyncio.to_thread(process.engine.post_from_thread, LOBBY, draft("a1"), 0.01)

        run(test)

    def test_what_is_stored_after_the_page_gave_up_is_told_to_nobody(self) -> None:
        async def test() -> None:
            process = await started()
            go = asyncio.Event()
            run_inline = process.engine.run

            async def late(function: Callable[..., Any], *arguments: Any) -> Any:
                await go.wait()
                return await run_inline(function, *arguments)

            process.engine.appender._run = late
            with pytest.raises(Unavailable):
                await asyncio.to_thread(process.engine.post_from_thread, LOBBY, draft("a1"), 0.01)
            go.set()
            await settle()
            assert process.store.newest_revision(LOBBY.id) == 1

        run(test)

    def test_a_page_that_posts_after_the_loop_has_ended_is_told(self) -> None:
        processes = []

        async def test() -> None:
            processes.append(await started())

        run(test)
        with pytest.raises(Unavailable):
            processes[0].engine.post_from_thread(LOBBY, draft("a1"))


class TestPages:
    def test_those_who_ask_for_the_same_page_at_once_share_one_query(self) -> None:
        async def test() -> None:
            process = await started()
            process.post("a1", "a2")
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            reads = count_reads(process)
            pages = await asyncio.gather(*[process.engine.read_page(live, 0, "text") for _ in range(5)])
            assert reads == [0]
            assert len(set(map(id, [page[0] for page in pages]))) == 1
            assert pages[0][1:] == (2, 2)
            assert live.pages == {}

        run(test)

    def test_who_leaves_while_a_page_is_read_takes_it_from_nobody(self) -> None:
        async def test() -> None:
            process = await started()
            process.post("a1")
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            first = asyncio.create_task(process.engine.read_page(live, 0, "text"))
            second = asyncio.create_task(process.engine.read_page(live, 0, "text"))
            await asyncio.sleep(0)
            first.cancel()
            assert (await second)[1:] == (1, 1)

        run(test)

    def test_a_page_is_bounded_in_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from chatroom.live import tail

        monkeypatch.setattr(tail, "FRAME_BYTES", 400)

        async def test() -> None:
            process = await started()
            process.post(*[f"a{n}" for n in range(5)])
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            frame, cursor, count = await process.engine.read_page(live, 0, "text")
            assert len(frame) < 600
            assert cursor == count < 5

        run(test)

    def test_a_database_that_is_behind_is_asked_again_later(self) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await settle()
            with pytest.raises(Unavailable):
                await process.engine.read_page(live, 3, "text")
            assert live.pages == {}

        run(test)


class FakeConnection:
    def __init__(self, process: Process, name: str, minutes: int = 60) -> None:
        self.user_id = name
        self.session_id = name
        self.expires_at = process.now + timedelta(minutes=minutes)
        self.was_active = False
        self.ends: list[int] = []
        process.engine.connections.add(self)

    def end(self, code: int, reason: str) -> None:
        self.ends.append(code)


class TestHouse:
    def test_s04_connections_of_ended_sessions_are_closed(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            kept, ended = FakeConnection(process, "kept"), FakeConnection(process, "ended")
            await tick()
            process.ended = {"ended", "another"}
            await tick()
            assert (kept.ends, ended.ends) == ([], [4401])
            await process.engine.stop()

        run(test)

    def test_s05_a_connection_does_not_outlive_its_session(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            long, short = FakeConnection(process, "a", minutes=10), FakeConnection(process, "b", minutes=5)
            process.now += timedelta(minutes=5)
            await tick()
            assert (long.ends, short.ends) == ([], [4401])
            assert process.looked_up == [("b", False)]
            await process.engine.stop()

        run(test)

    def test_s05_another_tab_may_have_prolonged_the_session(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            connection = FakeConnection(process, "a", minutes=5)
            process.prolonged["a"] = process.now + timedelta(minutes=9)
            process.now += timedelta(minutes=5)
            await tick(2)
            assert connection.ends == []
            assert process.looked_up == [("a", False)]
            process.prolonged.clear()
            process.now += timedelta(minutes=4)
            await tick()
            assert connection.ends == [4401]
            await process.engine.stop()

        run(test)

    def test_s05_who_posts_here_prolongs_the_session_once_in_a_while(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            active, idle = FakeConnection(process, "active"), FakeConnection(process, "idle")
            process.prolonged["active"] = process.now + timedelta(hours=2)
            active.was_active = True
            await tick(2 * engines.PROLONG_TICKS)
            assert process.looked_up == [("active", True)]
            assert active.expires_at == process.prolonged["active"]
            assert not active.was_active
            assert (active.ends, idle.ends) == ([], [])
            await process.engine.stop()

        run(test)

    @pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a bug")])
    def test_a_chore_that_fails_is_tried_again_and_stops_no_other(self, tick: Ticks, failure: Exception) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            connection = FakeConnection(process, "ended")
            process.ended = {"ended"}
            asked = process.engine._ended_sessions

            def fail() -> set[str]:
                raise failure

            process.engine._ended_sessions = fail
            await tick()
            assert live.presence.version == 1
            process.engine._ended_sessions = asked
            await tick()
            assert connection.ends == [4401]
            await process.engine.stop()

        run(test)

    def test_stopping_gives_everything_back(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            await process.engine.enter(LOBBY, ALICE)
            await tick()
            assert process.presences.here(LOBBY.id) == [ALICE]
            process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
            await process.engine.stop()
            assert process.store.newest_revision(LOBBY.id) == 1
            assert process.presences.here(LOBBY.id) == []
            assert not process.feed.is_running
            assert process.messages.post_through is None

        run(test)

    def test_stopping_while_the_database_is_away(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()

            def away() -> None:
                raise Unavailable("away")

            process.presences.end_all = away  # type: ignore[method-assign]
            await process.engine.stop()

        run(test)

    def test_stopping_in_the_middle_of_a_chore_leaves_nothing_behind(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            FakeConnection(process, "kept")
            stuck = asyncio.Event()
            run_inline = process.engine.run

            async def wait(function: Callable[..., Any], *arguments: Any) -> Any:
                if function is process.engine._ended_sessions:
                    await stuck.wait()
                return await run_inline(function, *arguments)

            process.engine.run = wait  # type: ignore[method-assign]
            await tick()
            await process.engine.stop()
            gc.collect()  # a chore that never ran would warn here

        run(test)


class TestPresence:
    def test_who_comes_is_here_from_the_next_tick(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await tick()
            assert b"Alice" in live.presence.frame(0)
            assert process.presences.here(LOBBY.id) == [ALICE]
            process.engine.leave(live, ALICE)
            await tick()
            assert b"Alice" not in live.presence.frame(0)
            assert process.presences.here(LOBBY.id) == []
            await process.engine.stop()

        run(test)

    def test_who_only_passed_through_holds_no_lease(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            process.engine.leave(live, ALICE)
            await tick()
            assert process.presences.here(LOBBY.id) == []
            await process.engine.stop()

        run(test)

    def test_who_left_and_came_back_keeps_the_lease(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await tick()
            process.engine.leave(live, ALICE)
            await process.engine.enter(LOBBY, ALICE)
            await tick()
            assert process.presences.here(LOBBY.id) == [ALICE]
            await process.engine.stop()

        run(test)

    def test_people_of_other_processes_are_seen(self, tick: Ticks) -> None:
        async def test() -> None:
            here = await started()
            there = Process(here.database, "there")
            there.presences.take([(LOBBY.id, BOB)])
            live = await here.engine.enter(LOBBY, ALICE)
            await tick(ELSEWHERE_TICKS)
            assert b"Bob" in live.presence.frame(0)
            there.presences.end_all()
            await tick(ELSEWHERE_TICKS)
            assert b"Bob" not in live.presence.frame(0)
            await here.engine.stop()

        run(test)

    def test_leases_that_were_lost_are_taken_again(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            await process.engine.enter(LOBBY, ALICE)
            await tick()
            process.database.presences.delete_many({})
            await tick(12)
            assert process.presences.here(LOBBY.id) == [ALICE]
            await process.engine.stop()

        run(test)

    def test_while_the_database_is_away_the_own_people_are_still_seen(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            take = process.presences.take
            process.presences.take = away  # type: ignore[method-assign, assignment]
            live = await process.engine.enter(LOBBY, ALICE)
            await tick()
            assert b"Alice" in live.presence.frame(0)
            process.presences.take = take  # type: ignore[method-assign]
            await tick()
            assert process.presences.here(LOBBY.id) == [ALICE]
            await process.engine.stop()

        run(test)

    def test_who_left_while_the_lease_was_being_taken_is_not_a_ghost(self, tick: Ticks) -> None:
        """A lease of nobody would be renewed with the others, for as long as the process lives."""

        async def test() -> None:
            process = await started()
            take = process.presences.take
            live = await process.engine.enter(LOBBY, ALICE)
            await process.engine.enter(LOBBY, BOB)

            def leave_and_fail(leases: Any) -> None:
                process.engine.leave(live, ALICE)
                raise Unavailable("away")

            process.presences.take = leave_and_fail  # type: ignore[method-assign]
            await tick()
            process.presences.take = take  # type: ignore[method-assign]
            await tick(3)
            assert process.presences.here(LOBBY.id) == [BOB]
            await process.engine.stop()

        run(test)

    def test_who_left_while_the_database_was_away_is_ended_later(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            live = await process.engine.enter(LOBBY, ALICE)
            await tick()
            end = process.presences.end
            process.presences.end = away  # type: ignore[method-assign, assignment]
            process.engine.leave(live, ALICE)
            await tick(2)
            process.presences.end = end  # type: ignore[method-assign]
            await tick()
            assert process.presences.here(LOBBY.id) == []
            await process.engine.stop()

        run(test)

    def test_each_room_has_its_own_people(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            lobby = await process.engine.enter(LOBBY, ALICE)
            den = await process.engine.enter(DEN, BOB)
            await tick()
            assert b"Bob" not in lobby.presence.frame(0)
            assert b"Alice" not in den.presence.frame(0)
            await process.engine.stop()

        run(test)


def away(*arguments: Any) -> Any:
    raise Unavailable("away")


async def started(**options: Any) -> Process:
    process = Process(**options)
    await process.engine.start()
    return process


async def never(*arguments: Any) -> Any:
    await asyncio.Event().wait()
