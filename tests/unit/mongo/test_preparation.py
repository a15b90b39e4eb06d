import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatroom.base.errors import Unavailable
from chatroom.mongo import preparation
from chatroom.mongo.preparation import Preparation


def test_it_is_done_once() -> None:
    done: list[int] = []
    once = Preparation(lambda: done.append(1))
    once.ensure()
    once.ensure()
    assert done == [1]
    once.forget()
    once.ensure()
    assert done == [1, 1]


def test_simultaneous_threads_prepare_once() -> None:
    done: list[int] = []
    all_are_here = threading.Barrier(4)

    def come(_: int) -> None:
        all_are_here.wait()
        once.ensure()

    once = Preparation(lambda: done.append(1))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come, range(4)))
    assert done == [1]


def test_after_a_failure_there_is_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def fail() -> None:
        tries.append(1)
        raise Unavailable("The database is away.")

    once = Preparation(fail)
    for _ in range(3):
        with pytest.raises(Unavailable):
            once.ensure()
    assert tries == [1]
    monkeypatch.setattr(once, "_again_at", 0.0)
    monkeypatch.setattr(preparation, "PAUSE_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        once.ensure()
    assert tries == [1, 1]
