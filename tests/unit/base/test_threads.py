import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatroom.base import threads as turns
from chatroom.base.errors import Refused
from chatroom.base.threads import Places, Workers, current_lane, give_back
from tests.busy import all_taken
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def places() -> Places:
    return Places("pictures", 1, "Too many.", retry_after=5.0)


def test_a_caller_without_a_free_place_is_refused_at_once(places: Places) -> None:
    """L16."""
    with all_taken(places), pytest.raises(Refused, match=r"Too many\.") as refusal:
        places.run(lambda: None)
    assert (refusal.value.reason, refusal.value.retry_after) == ("busy", 5.0)


def test_a_place_is_free_again_after_the_work_and_after_a_failure(places: Places) -> None:
    with pytest.raises(ZeroDivisionError):
        places.run(lambda: 1 // 0)
    assert places.run(lambda: "drawn") == "drawn"


def test_a_route_that_is_not_marked_cannot_do_it(places: Places) -> None:
    """L16: whoever forgets the mark meets this at the first call, and not when many people come."""
    token = current_lane.set("pages")
    try:
        with pytest.raises(RuntimeError, match="must be marked 'pictures'"):
            places.run(lambda: None)
        current_lane.set("pictures")
        assert places.run(lambda: "drawn") == "drawn"
    finally:
        current_lane.reset(token)


def test_others_get_the_turn_meanwhile(places: Places) -> None:
    given: list[str] = []
    token = give_back.set(lambda: given.append("back"))
    try:
        assert places.run(lambda: list(given)) == ["back"]
    finally:
        give_back.reset(token)


def test_workers_take_one_piece_of_work_more_than_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """L16: it is at hand when they come to the end of another."""
    monkeypatch.setattr(turns, "worker_count", lambda: 1)
    workers = Workers("pictures", "Too many.", retry_after=5.0)
    begun, may_end = threading.Semaphore(0), threading.Event()

    def work() -> bool:
        begun.release()
        return may_end.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(workers.run, work) for _ in range(3)]
        try:
            assert begun.acquire(timeout=PATIENCE_SECONDS)
            wait_until(lambda: any(each.done() for each in asked))
        finally:
            may_end.set()
        failures = [each.exception() for each in asked if each.exception()]
    assert [type(failure) for failure in failures] == [Refused]
    workers.close()
