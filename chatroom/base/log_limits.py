"""Limits on the number of log lines in a minute: for each logger, for each kind of line, and for each kind and user.

Lines above a limit are left out. A later line states their number.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

WINDOW_SECONDS = 60.0
MOST_ABOUT_ONE = 30
"""The most lines of one kind about one user, about one address, or about nobody."""
MOST_OF_KIND = 1000
MOST_OF_LOGGER = 3000
"""The most lines of a logger. A library that logs text of clients can make a new kind with every line."""
LONGEST_KEY = 100

Key = tuple[str, ...]


class LogLimits:
    """Decides which lines are written. `DEBUG` lines are always written."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_at = clock()
        self._seen: Counter[Key] = Counter()
        self._left_out: Counter[tuple[str, str]] = Counter()

    def take(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """Return the lines to write: this line if it is within the limits, and summaries of lines left out earlier."""
        lines = self._begin_anew() if self._clock() - self._began_at >= WINDOW_SECONDS else []
        if record.levelno <= logging.DEBUG or self._has_room(record):
            lines.append(record)
        return lines

    def _has_room(self, record: logging.LogRecord) -> bool:
        logger, kind, whom = record.name, str(record.msg)[:LONGEST_KEY], _whom(record)
        most: dict[Key, int] = {
            (logger,): MOST_OF_LOGGER,
            (logger, kind): MOST_OF_KIND,
            (logger, kind, whom): MOST_ABOUT_ONE,
        }
        if any(self._seen[key] >= most[key] for key in most):
            self._left_out[logger, kind if (logger, kind) in self._seen else ""] += 1
            return False
        self._seen.update(most.keys())
        return True

    def _begin_anew(self) -> list[logging.LogRecord]:
        left_out, self._left_out = self._left_out, Counter()
        self._seen.clear()
        self._began_at = self._clock()
        return [_summary(logger, kind, count) for (logger, kind), count in left_out.items()]


def _summary(logger: str, kind: str, count: int) -> logging.LogRecord:
    line = logging.LogRecord(
        logger, logging.WARNING, "", 0, "%d lines were left out because there were too many", (count,), None
    )
    line.kind = kind
    return line


def _whom(record: logging.LogRecord) -> str:
    return str(getattr(record, "user", None) or getattr(record, "address", ""))[:LONGEST_KEY]
