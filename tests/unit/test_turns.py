import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from chatroom import turns
from chatroom.turns import in_turns, waiting
from tests.waiting import PATIENCE_SECONDS, wait_until


class Places(threading.BoundedSemaphore):
    """Places of which one knows how often one was asked for, and who got one."""

    made: "list[Places]"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.asked = 0
        self.got: list[bool] = []
        self._count = threading.Lock()
        self.made.append(self)

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        with self._count:
            self.asked += 1
        got = super().acquire(blocking, timeout)
        self.got.append(got)
        return got


class Crowd:
    """Calls that count themselves, and end when the test says so."""

    def __init__(self, at_once: int = 2) -> None:
        self.inside = self.most = 0
        self.may_end = threading.Event()
        self._lock = threading.Lock()
        self.answer = in_turns(self._answer, at_once)
        (self.places,) = Places.made

    def _answer(self, meanwhile: Callable[[], None] = lambda: None) -> str:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        meanwhile()
        self.may_end.wait(PATIENCE_SECONDS)
        with self._lock:
            self.inside -= 1
        return "answered"

    def ask(self, count: int, meanwhile: Callable[[], None] = lambda: None, *, inside: int) -> list[str]:
        """Ask that many times at once, and let all end when so many are inside; return the answers."""
        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(self.answer, meanwhile) for _ in range(count)]
            try:
                wait_until(lambda: self.places.asked >= count and self.inside == inside)
            finally:
                self.may_end.set()
            return [each.result(PATIENCE_SECONDS) for each in asked]


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> list[Places]:
    """The places that the functions of a test share; whoever waits for one here has the patience to get it."""
    monkeypatch.setattr(Places, "made", [], raising=False)
    monkeypatch.setattr(turns, "threading", SimpleNamespace(BoundedSemaphore=Places))
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 10 * PATIENCE_SECONDS)
    return Places.made


def test_no_more_compute_at_once_than_have_a_turn_and_all_are_answered() -> None:
    crowd = Crowd(at_once=2)
    assert crowd.ask(10, inside=2) == ["answered"] * 10
    assert crowd.most == 2


def test_who_waits_for_long_lets_others_have_the_turn() -> None:
    crowd = Crowd(at_once=1)

    def wait() -> None:
        with waiting():
            crowd.may_end.wait(PATIENCE_SECONDS)

    assert crowd.ask(5, wait, inside=5) == ["answered"] * 5
    assert crowd.most == 5


def test_a_turn_is_no_lock_where_nobody_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    crowd = Crowd(at_once=1)
    assert crowd.ask(4, inside=4) == ["answered"] * 4
    assert crowd.most == 4


def test_a_turn_is_given_back_after_a_failure_too(monkeypatch: pytest.MonkeyPatch, places: list[Places]) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0)

    @in_turns
    def fail() -> None:
        raise ValueError("no answer")

    for _ in range(2 * turns.AT_ONCE):
        with pytest.raises(ValueError, match="no answer"):
            fail()
    assert places[0].got == [True] * 2 * turns.AT_ONCE


def test_without_a_turn_there_is_nothing_to_give() -> None:
    with waiting():
        pass
    assert in_turns(lambda: "answered")() == "answered"
