from datetime import timedelta

from chatroom.live import checks
from tests.loops import in_loop
from tests.people import CAST
from tests.unit.live.harness import FakeConnection, Ticks, away, started

ALICE, BOB, _ = CAST


@in_loop
async def test_s04_connections_of_ended_sessions_are_closed(tick: Ticks) -> None:
    process = await started()
    kept, ended = FakeConnection(process, "kept"), FakeConnection(process, "ended")
    await tick()
    process.ended = {"ended", "another"}
    await tick()
    assert (kept.ends, ended.ends) == ([], [4401])
    await process.engine.stop()


@in_loop
async def test_a_user_who_may_not_log_in_sees_the_reason_even_if_the_notice_is_late(tick: Ticks) -> None:
    process = await started()
    banned, also, other = (FakeConnection(process, name) for name in ("banned", "banned", "other"))
    process.exclusions["banned"] = "You are banned: " + "é" * 200
    process.ended = {"banned", "other"}
    await tick()
    assert (banned.ends, also.ends, other.ends) == ([4403], [4403], [4401])
    assert banned.reason == "You are banned: " + "é" * 53, "a close frame takes at most 123 bytes"
    await process.engine.stop()


@in_loop
async def test_a_connection_ends_without_the_reason_if_the_database_does_not_answer(tick: Ticks) -> None:
    process = await started()
    banned = FakeConnection(process, "banned")
    process.ended = {"banned"}
    process.engine.session_check._end._find_exclusion = away
    await tick()
    assert banned.ends == [4401]
    await process.engine.stop()


@in_loop
async def test_s05_a_connection_does_not_outlive_its_session(tick: Ticks) -> None:
    process = await started()
    long, short = FakeConnection(process, "a", minutes=10), FakeConnection(process, "b", minutes=5)
    process.now += timedelta(minutes=5)
    await tick()
    assert (long.ends, short.ends) == ([], [4401])
    assert process.looked_up == [("b", False)]
    await process.engine.stop()


@in_loop
async def test_s05_another_tab_may_have_prolonged_the_session(tick: Ticks) -> None:
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


@in_loop
async def test_s05_sessions_are_prolonged_at_ticks_of_their_own_and_once_for_all_their_tabs(tick: Ticks) -> None:
    process = await started()
    people = [f"person {number}" for number in range(60)]
    tabs = [FakeConnection(process, name) for name in people for _ in range(3)]
    for tab in tabs:
        process.prolonged[tab.session_id] = process.now + timedelta(hours=2)
    tabs[0].was_active = True  # one of three
    for tab in tabs[3:]:
        tab.was_active = True
    at_once = []
    for _ in range(checks.PROLONG_TICKS):
        before = len(process.looked_up)
        await tick()
        at_once.append(len(process.looked_up) - before)
    assert sorted(process.looked_up) == sorted((name, True) for name in people)
    assert max(at_once) < 20
    assert not any(tab.was_active for tab in tabs)
    assert all(tab.expires_at == process.prolonged[tab.session_id] for tab in [tabs[0], *tabs[3:]])
    await process.engine.stop()


@in_loop
async def test_s05_posting_prolongs_the_session_once_in_a_while(tick: Ticks) -> None:
    process = await started()
    active, idle = FakeConnection(process, "active"), FakeConnection(process, "idle")
    process.prolonged["active"] = process.now + timedelta(hours=2)
    active.was_active = True
    await tick(2 * checks.PROLONG_TICKS)
    assert process.looked_up == [("active", True)]
    assert active.expires_at == process.prolonged["active"]
    assert not active.was_active
    assert (active.ends, idle.ends) == ([], [])
    await process.engine.stop()
