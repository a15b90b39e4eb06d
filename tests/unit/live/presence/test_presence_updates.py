from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.live.presence.presence_updates import ELSEWHERE_TICKS
from chatroom.rooms.access import LOBBY
from tests.loops import in_loop
from tests.people import CAST
from tests.unit.live.harness import DEN, Process, Ticks, away, started

ALICE, BOB, _ = CAST


@in_loop
async def test_a_new_person_is_present_from_the_next_tick(tick: Ticks) -> None:
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
async def test_a_short_visit_takes_no_lease(tick: Ticks) -> None:
    process = await started()
    live = await process.engine.enter(LOBBY, ALICE)
    process.engine.leave(live, ALICE)
    await tick()
    assert process.presences.here(LOBBY.id) == []
    await process.engine.stop()


@in_loop
async def test_a_person_who_returns_keeps_the_lease(tick: Ticks) -> None:
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
async def test_during_an_outage_the_people_of_this_process_stay_present(tick: Ticks) -> None:
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
async def test_leaving_while_the_lease_is_taken_leaves_no_presence(tick: Ticks) -> None:
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
async def test_leaving_during_an_outage_ends_the_lease_later(tick: Ticks) -> None:
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
