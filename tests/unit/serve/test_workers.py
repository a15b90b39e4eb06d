"""How a worker that stands still is told from one that starts, works, or slept with its machine."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from chatroom.serve import server, workers
from chatroom.serve.workers import Pulse

LOOKS = 75


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    pulse = Pulse()
    yield pulse
    pulse.close()
    os.close(pulse.writer)


def test_a_worker_that_starts_slowly_is_left_alone(pulse: Pulse) -> None:
    assert not any(pulse.is_lost() for _ in range(10 * LOOKS))


def test_a_worker_first_reports_its_start(pulse: Pulse) -> None:
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


def test_a_stalled_worker_is_detected(pulse: Pulse) -> None:
    os.write(pulse.writer, b"...")
    assert [pulse.is_lost() for _ in range(LOOKS + 1)] == [False] * LOOKS + [True]


class Acted:
    """A worker whose ends are written beforehand: for each look, what it has said and how it has ended."""

    def __init__(self, looks: list[tuple[str, int | None]]) -> None:
        self.listener = self.process = self.pulse = self
        self.pid = self.returncode = 1
        self.start = ""
        self._looks = iter(looks)

    def poll(self) -> int | None:
        self.start, code = next(self._looks, ("ready", None))
        return code

    def is_lost(self) -> bool:
        return False

    def terminate(self) -> None: ...

    def end(self, _: float) -> None: ...


class Ended(BaseException):
    """A signal, as far as the supervisor can tell."""


class TestSupervising:
    @pytest.fixture
    def supervise(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int | None, list[str]]]:
        """Supervise workers that act so, one after the other, until no more are written."""
        monkeypatch.setattr(workers, "_POLL_SECONDS", 0)
        monkeypatch.setattr(workers, "_RESTART_SECONDS", 0)

        def run(*acts: list[tuple[str, int | None]]) -> tuple[int | None, list[str]]:
            waiting = list(acts)
            said: list[str] = []

            def make(_: object) -> Acted:
                if not waiting:
                    raise Ended
                return Acted(waiting.pop(0))

            monkeypatch.setattr(workers, "Worker", make)
            try:
                return workers.supervise([Mock(), Mock()], said.append), said
            except Ended:
                return None, said

        return run

    @pytest.mark.parametrize("code", [workers.BAD_SETUP, server.FAILED])
    def test_a_failed_first_start_is_not_repeated(self, supervise: Any, code: int) -> None:
        assert supervise([("", None), ("", code)]) == (code, [])

    @pytest.mark.parametrize("code", [workers.BAD_SETUP, server.FAILED])
    def test_a_site_that_runs_survives_one_that_cannot_start(
        self, supervise: Any, code: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """O10: As while a password is being changed."""
        first = [("ready", None)] * 4 + [("ready", 1)]
        assert supervise(first, [("ready", code)], [("", code)], [("ready", None)] * 9) == (None, ["ready"])
        assert caplog.text.count("is replaced") == 3
