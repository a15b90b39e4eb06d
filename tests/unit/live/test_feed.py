import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.live import feed as feeds
from chatroom.live.feed import ChangeStreamFeed, Feed, poll
from tests.waiting import PATIENCE_SECONDS


class Hints:
    """Hints as they came, and a way to wait for a number of them."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self._changed = threading.Condition()

    def __call__(self, room: str, revision: int) -> None:
        with self._changed:
            self.seen.append((room, revision))
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[tuple[str, int]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, PATIENCE_SECONDS), self.seen
            return list(self.seen)


class Script:
    """What each opening of a change stream yields; at the end it waits until it is stopped."""

    def __init__(self, *openings: list[Any]) -> None:
        self.openings = list(openings)
        self.opened = 0
        self.is_idle = threading.Event()

    def __call__(self, is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
        self.opened += 1
        for step in self.openings.pop(0) if self.openings else [(None, 0)]:
            if isinstance(step, BaseException):
                raise step
            yield step
        if not self.openings:
            self.is_idle.set()
            while not is_stopped():
                threading.Event().wait(0.001)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "FIRST_PAUSE_SECONDS", 0.0001)


def quiet(known: Mapping[str, int]) -> Mapping[str, int]:
    return {}


def make(script: Script, hints: Hints, known: Mapping[str, int]) -> ChangeStreamFeed:
    safety = poll(quiet, lambda: known, hints, seconds=60)
    return ChangeStreamFeed(script, safety, lambda: known, hints)


def follow(script: Script, count: int, known: Mapping[str, int] | None = None) -> list[tuple[str, int]]:
    hints = Hints()
    with running(make(script, hints, known or {})):
        return hints.wait_for(count)


@contextmanager
def running(feed: Feed) -> Iterator[None]:
    """Start a feed, and stop it: then its threads come to their end."""
    feed.start()
    try:
        yield
    finally:
        feed.stop()
        polling = feed._safety if isinstance(feed, ChangeStreamFeed) else feed
        assert not polling.is_started
        if isinstance(feed, ChangeStreamFeed):
            feed._thread.join(PATIENCE_SECONDS)
            assert not feed._thread.is_alive()


class TestChangeStream:
    def test_changes_become_hints_as_they_come(self) -> None:
        assert follow(Script([(None, 0), ("lobby", 1), ("den", 7), ("lobby", 1)]), 3) == [
            ("lobby", 1),
            ("den", 7),
            ("lobby", 1),
        ]

    def test_the_feed_polls_every_room_once_after_it_opens(self) -> None:
        """What was written between the reading of a room and the opening of the stream is not lost."""
        assert follow(Script([(None, 0)]), 2, {"lobby": 3, "den": 0}) == [("lobby", 4), ("den", 1)]

    @pytest.mark.parametrize("failure", [Unavailable("broken"), ValueError("a bug"), KeyError("room")])
    def test_d09_f13_a_failed_stream_is_reopened_and_rooms_are_polled(self, failure: Exception) -> None:
        script = Script([(None, 0), ("lobby", 4), failure], [failure], [(None, 0), ("lobby", 9)])

        assert follow(script, 4, {"lobby": 3}) == [("lobby", 4), ("lobby", 4), ("lobby", 4), ("lobby", 9)]
        assert script.opened == 3

    def test_a_stream_that_ends_by_itself_is_opened_again(self) -> None:
        script = Script([(None, 0), ("lobby", 4)], [(None, 0), ("lobby", 5)])

        assert follow(script, 2) == [("lobby", 4), ("lobby", 5)]

    def test_a_hint_that_fails_does_not_end_it(self, caplog: pytest.LogCaptureFixture) -> None:
        seen = threading.Event()
        calls: list[int] = []

        def hint(room: str, revision: int) -> None:
            calls.append(revision)
            if len(calls) == 1:
                raise RuntimeError("the loop has ended")
            seen.set()

        script = Script([(None, 0), ("lobby", 4)], [(None, 0), ("lobby", 5)])
        safety = poll(quiet, dict, hint, seconds=60)
        feed = ChangeStreamFeed(script, safety, dict, hint)
        with running(feed):
            assert seen.wait(PATIENCE_SECONDS)
        assert calls == [4, 5]
        assert "failed once" in caplog.text

    def test_a_silent_stream_is_watched_by_polling(self) -> None:
        hints = Hints()
        script = Script([(None, 0)])
        safety = poll(lambda known: {"lobby": 8}, lambda: {"lobby": 7}, hints, seconds=0.001)
        feed = ChangeStreamFeed(script, safety, dict, hints)
        with running(feed):
            assert hints.wait_for(2)[0] == ("lobby", 8)

    def test_it_stops_between_two_tries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(feeds, "FIRST_PAUSE_SECONDS", 1000.0)
        failed = threading.Event()

        def watch(is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
            failed.set()
            raise Unavailable("broken")
            yield None, 0

        feed = ChangeStreamFeed(watch, poll(quiet, dict, Hints(), seconds=60), dict, Hints())
        with running(feed):
            assert failed.wait(PATIENCE_SECONDS)


class TestPolling:
    def test_it_polls_known_rooms_and_reports_those_with_changes(self) -> None:
        hints = Hints()
        asked: list[Mapping[str, int]] = []

        def newest(known: Mapping[str, int]) -> Mapping[str, int]:
            asked.append(known)
            return {"lobby": 5}

        feed = poll(newest, lambda: {"lobby": 3, "den": 1}, hints, seconds=0.001)
        with running(feed):
            assert hints.wait_for(2)[:2] == [("lobby", 5)] * 2
        assert asked[0] == {"lobby": 3, "den": 1}

    @pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a bug")])
    def test_it_continues_after_a_failure(self, failure: Exception) -> None:
        hints = Hints()
        failures = [failure, failure]

        def newest(known: Mapping[str, int]) -> Mapping[str, int]:
            if failures:
                raise failures.pop()
            return {"lobby": 5}

        feed = poll(newest, dict, hints, seconds=0.001)
        with running(feed):
            assert hints.wait_for(1)[0] == ("lobby", 5)
