"""How a worker that stands still is told from one that starts, works, or slept with its machine."""

import os
from collections.abc import Iterator

import pytest

from chatroom.workers import Pulse

LOOKS = 75


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    pulse = Pulse()
    yield pulse
    pulse.close()
    os.close(pulse.writer)


def test_a_worker_that_starts_slowly_is_left_alone(pulse: Pulse) -> None:
    assert not any(pulse.is_lost() for _ in range(10 * LOOKS))


def test_how_its_start_went_is_what_a_worker_says_first(pulse: Pulse) -> None:
    assert not pulse.is_lost()
    assert pulse.start == ""
    os.write(pulse.writer, b"waiting..")
    assert not pulse.is_lost()
    os.write(pulse.writer, b".")
    assert not pulse.is_lost()
    assert pulse.start == "waiting"


def test_a_worker_that_works_is_left_alone(pulse: Pulse) -> None:
    for _ in range(10):
        os.write(pulse.writer, b".")
        assert not any(pulse.is_lost() for _ in range(LOOKS))


def test_a_worker_that_stands_still_is_noticed(pulse: Pulse) -> None:
    os.write(pulse.writer, b"...")
    assert [pulse.is_lost() for _ in range(LOOKS + 1)] == [False] * LOOKS + [True]
