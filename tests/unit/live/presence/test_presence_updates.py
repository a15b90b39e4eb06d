from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.live.presence.presence_updates import ELSEWHERE_TICKS
from chatroom.rooms.access import LOBBY
from tests.people import CAST
from tests.unit.live.harness import DEN, Process, Ticks, away, in_loop, started

ALICE, BOB, _ = CAST


@in_loop
async def test_who_comes_is_here_from_the_next_tick(tick: Ticks) -> None:
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


@in_loop
async def test_who_only_passed_through_holds_no_lease(tick: Ticks) -> None:
    process = await started()
    live = await process.engine.enter(LOBBY, ALICE)
    process.engine.leave(live, ALICE)
    await tick()
    assert process.presences.here(LOBBY.id) == []
    await process.engine.stop()


@in_loop
async def test_who_left_and_came_back_keeps_the_lease(tick: Ticks) -> None:
    process = await started()
    live = await process.engine.enter(LOBBY, ALICE)
    await tick()
    process.engine.leave(live, ALICE)
    await process.engine.enter(LOBBY, ALICE)
    await tick()
    assert process.presences.here(LOBBY.id) == [ALICE]
    await process.engine.stop()


@in_loop
async def test_people_of_other_processes_are_seen(tick: Ticks) -> None:
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


@in_loop
async def test_leases_that_were_lost_are_taken_again(tick: Ticks) -> None:
    process = await started()
    await process.engine.enter(LOBBY, ALICE)
    await tick()
    process.database["presences"].delete_many({})
    await tick(12)
    assert process.presences.here(LOBBY.id) == [ALICE]
    await process.engine.stop()


@in_loop
async def test_while_the_database_is_away_the_own_people_are_still_seen(tick: Ticks) -> None:
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


@in_loop
async def test_who_left_while_the_lease_was_being_taken_is_not_a_ghost(tick: Ticks) -> None:
    """A lease of nobody would be renewed with the others, for as long as the process lives."""
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


@in_loop
async def test_who_left_while_the_database_was_away_is_ended_later(tick: Ticks) -> None:
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


@in_loop
async def test_each_room_has_its_own_people(tick: Ticks) -> None:
    process = await started()
    lobby = await process.engine.enter(LOBBY, ALICE)
    den = await process.engine.enter(DEN, BOB)
    await tick()
    assert b"Bob" not in lobby.presence.frame(0)
    assert b"Alice" not in den.presence.frame(0)
    await process.engine.stop()
