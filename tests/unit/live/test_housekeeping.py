from datetime import timedelta
from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.live import session_check
from chatroom.live.presence.presence_leases import ELSEWHERE_TICKS
from chatroom.rooms.access import LOBBY
from tests.people import CAST
from tests.unit.live.harness import DEN, FakeConnection, Process, Ticks, away, run, started

ALICE, BOB, _ = CAST


class TestSessions:
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

    def test_s05_sessions_are_prolonged_at_ticks_of_their_own_and_once_for_all_their_tabs(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            people = [f"person {number}" for number in range(60)]
            tabs = [FakeConnection(process, name) for name in people for _ in range(3)]
            for tab in tabs:
                process.prolonged[tab.session_id] = process.now + timedelta(hours=2)
            tabs[0].was_active = True  # one of three
            for tab in tabs[3:]:
                tab.was_active = True
            at_once = []
            for _ in range(session_check.PROLONG_TICKS):
                before = len(process.looked_up)
                await tick()
                at_once.append(len(process.looked_up) - before)
            assert sorted(process.looked_up) == sorted((name, True) for name in people)
            assert max(at_once) < 20
            assert not any(tab.was_active for tab in tabs)
            assert all(tab.expires_at == process.prolonged[tab.session_id] for tab in [tabs[0], *tabs[3:]])
            await process.engine.stop()

        run(test)

    def test_s05_who_posts_here_prolongs_the_session_once_in_a_while(self, tick: Ticks) -> None:
        async def test() -> None:
            process = await started()
            active, idle = FakeConnection(process, "active"), FakeConnection(process, "idle")
            process.prolonged["active"] = process.now + timedelta(hours=2)
            active.was_active = True
            await tick(2 * session_check.PROLONG_TICKS)
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
            asked = process.engine.session_check._ended

            def fail() -> set[str]:
                raise failure

            process.engine.session_check._ended = fail
            await tick()
            assert live.presence.version == 1
            process.engine.session_check._ended = asked
            await tick()
            assert connection.ends == [4401]
            await process.engine.stop()

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
            process.database["presences"].delete_many({})
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
