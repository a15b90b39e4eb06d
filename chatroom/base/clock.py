"""The clock that decides what has expired and labels what is stored. Tests pass another one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def as_stored(moment: datetime) -> datetime:
    """Round a moment down to the millisecond, as BSON stores it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
