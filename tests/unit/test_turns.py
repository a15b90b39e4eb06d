import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatroom import turns
from chatroom.turns import in_turns, waiting

SECONDS = 5


class Crowd:
    """Calls that count themselves, and end when the test says so."""

    def __init__(self, at_once: int = 2) -> None:
        self.inside = self.most = 0
        self.may_end = threading.Event()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(20)
        self.answer = in_turns(self._answer, at_once)

    def _answer(self, meanwhile: Callable[[], None] = lambda: None) -> str:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        meanwhile()
        self.may_end.wait(SECONDS)
        with self._lock:
            self.inside -= 1
        return "answered"

    def ask(self, count: int, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
        """Ask that many times at once; return the answers."""
        asked = [self._pool.submit(self.answer, meanwhile) for _ in range(count)]
        self.settle()
        self.may_end.set()
        return [each.result(SECONDS) for each in asked]

    def settle(self) -> None:
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", SECONDS)


def test_no_more_compute_at_once_than_have_a_turn_and_all_are_answered() -> None:
    crowd = Crowd(at_once=2)
    assert crowd.ask(10) == ["answered"] * 10
    assert crowd.most == 2


def test_who_waits_for_long_lets_others_have_the_turn() -> None:
    crowd = Crowd(at_once=1)

    def wait() -> None:
        with waiting():
            crowd.may_end.wait(SECONDS)

    assert crowd.ask(5, wait) == ["answered"] * 5
    assert crowd.most == 5


def test_a_turn_is_no_lock_where_nobody_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    crowd = Crowd(at_once=1)
    assert crowd.ask(4) == ["answered"] * 4
    assert crowd.most == 4


def test_a_turn_is_given_back_after_a_failure_too() -> None:
    @in_turns
    def fail() -> None:
        raise ValueError("no answer")

    for _ in range(2 * turns.AT_ONCE):
        began = time.monotonic()
        with pytest.raises(ValueError, match="no answer"):
            fail()
        assert time.monotonic() - began < SECONDS / 2


def test_without_a_turn_there_is_nothing_to_give() -> None:
    with waiting():
        pass
    assert in_turns(lambda: "answered")() == "answered"
