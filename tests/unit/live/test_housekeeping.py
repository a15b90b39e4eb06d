import pytest

from chatroom.base.errors import Unavailable
from chatroom.rooms.access import LOBBY
from tests.people import CAST
from tests.unit.live.harness import FakeConnection, Ticks, run, started

ALICE, BOB, _ = CAST


@pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a bug")])
def test_a_chore_that_fails_is_tried_again_and_stops_no_other(tick: Ticks, failure: Exception) -> None:
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
