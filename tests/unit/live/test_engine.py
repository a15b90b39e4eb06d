import gc
from typing import Any

import pytest

from chatroom.base.errors import SettingsError, Unavailable
from chatroom.rooms.access import LOBBY
from chatroom.site.metrics import PrometheusMetrics
from tests.loops import in_loop
from tests.metrics import counted
from tests.people import CAST, draft
from tests.unit.live.harness import FakeConnection, Process, Ticks, started

ALICE, _, _ = CAST


class TestStart:
    @pytest.mark.parametrize("failure", [Unavailable("away"), SettingsError("not allowed")])
    @in_loop
    async def test_an_outage_at_the_start_is_retried(self, tick: Ticks, failure: Exception) -> None:
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


class TestMetrics:
    @in_loop
    async def test_what_is_stored_sent_and_refused_is_counted(self, tick: Ticks) -> None:
        process = await started(metrics=PrometheusMetrics(), max_waiting=2)
        bob, alice = await process.connect("bob"), await process.connect()
        posts = [{"type": "post", "room": "lobby", "text": "hi", "client_id": f"a{number}"} for number in range(3)]
        await alice.say(*posts)  # two are stored, one is refused
        await process.connect("bob", {"room": "lobby", "after": "0"})
        await tick()
        samples = counted(process.engine.metrics)
        assert samples["chatroom_posts_total"] == samples["chatroom_batch_messages_sum"] == 2
        assert samples["chatroom_store_seconds_count"] == samples["chatroom_batch_messages_count"]
        assert samples["chatroom_refusals_total{reason=busy}"] == 1
        assert samples["chatroom_deliveries_total"] == 2 * 2 + 2
        assert samples["chatroom_delivery_seconds_count{source=memory}"] >= 1
        assert (samples["chatroom_connections"], samples["chatroom_followers"]) == (3, 3)
        assert bob.frames("refused") == []


class TestStopping:
    @in_loop
    async def test_stopping_releases_everything(self, tick: Ticks) -> None:
        process = await started()
        await process.engine.enter(LOBBY, ALICE)
        await tick()
        assert process.presences.here(LOBBY.id) == [ALICE]
        process.engine.appender.put(LOBBY.id, draft("a1"), lambda outcome: None)
        await process.engine.stop()
        assert process.store.newest_revision(LOBBY.id) == 1
        assert process.presences.here(LOBBY.id) == []
        assert not process.feed.is_running
        assert not process.bridge.is_open

    @in_loop
    async def test_stopping_during_a_database_outage(self, tick: Ticks) -> None:
        process = await started()

        def away() -> None:
            raise Unavailable("away")

        process.presences.end_all = away  # type: ignore[method-assign]
        await process.engine.stop()

    @in_loop
    async def test_stopping_in_the_middle_of_a_chore_leaves_nothing_behind(self, tick: Ticks) -> None:
        process = await started()
        FakeConnection(process, "kept")
        process.engine.hold(process.engine.session_check._ended)
        await tick()
        await process.engine.stop()
        gc.collect()  # a chore that never ran would warn here


class TestChores:
    @pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a bug")])
    @in_loop
    async def test_a_chore_that_fails_is_tried_again_and_stops_no_other(self, tick: Ticks, failure: Exception) -> None:
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
