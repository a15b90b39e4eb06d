"""What is logged is bounded, by the minute and by whom it is about, and what was left out is said."""

import logging
from typing import Any

from chatroom.base import log_limits as flood
from chatroom.base.log_limits import MOST_ABOUT_ONE, MOST_OF_KIND, MOST_OF_LOGGER, WINDOW_SECONDS, LogLimits


def record(message: str = "it failed: %s", *arguments: Any, level: int = logging.WARNING, **extra: Any) -> Any:
    return logging.getLogger("chatroom.x").makeRecord(
        "chatroom.x", level, "x.py", 1, message, arguments, None, extra=extra
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def written(it: LogLimits, count: int, **extra: Any) -> int:
    return sum(len(it.take(record("it failed: %s", n, **extra))) for n in range(count))


def test_lines_about_one_person_are_limited_separately() -> None:
    """L18."""
    it = LogLimits(Clock())
    assert written(it, 10_000, user="mallory") == MOST_ABOUT_ONE
    assert written(it, 1, user="alice") == 1
    assert written(it, 1, address="192.0.2.1") == 1
    assert len(it.take(record("another kind", user="mallory"))) == 1


def test_all_of_one_kind_are_bounded_too() -> None:
    """L16."""
    it = LogLimits(Clock())
    assert sum(written(it, 1, user=f"user-{n}") for n in range(2 * MOST_OF_KIND)) == MOST_OF_KIND


def test_a_library_that_puts_what_a_client_sent_into_the_kind() -> None:
    """L16: nor does the count of what was left out grow with it."""
    it = LogLimits(Clock())
    assert sum(len(it.take(record(f"unknown: {n}"))) for n in range(2 * MOST_OF_LOGGER)) == MOST_OF_LOGGER
    assert len(it._left_out) == 1
    assert len(it._seen) <= 2 * MOST_OF_LOGGER + 1


def test_the_next_line_says_how_many_were_left_out() -> None:
    """L18."""
    clock = Clock()
    it = LogLimits(clock)
    written(it, MOST_ABOUT_ONE + 7, user="mallory")
    clock.now += WINDOW_SECONDS
    summary, line = it.take(record("something else"))
    assert summary.getMessage() == "7 lines were left out because there were too many"
    assert (summary.name, summary.kind) == ("chatroom.x", "it failed: %s")
    assert line.getMessage() == "something else"
    assert written(it, 100, user="mallory") == MOST_ABOUT_ONE


def test_debug_level_shows_all_lines() -> None:
    it = LogLimits(Clock())
    assert sum(len(it.take(record("step", level=logging.DEBUG))) for _ in range(100)) == 100


def test_a_key_is_short() -> None:
    it = LogLimits(Clock())
    it.take(record("x" * 10_000, user="y" * 10_000))
    assert all(len(part) <= max(flood.LONGEST_KEY, len("chatroom.x")) for key in it._seen for part in key)
