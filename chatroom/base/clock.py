"""The clock for expiry times and for the times of stored documents. Tests use another clock."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


def as_stored(moment: datetime) -> datetime:
    """Round a moment down to the millisecond, as BSON stores it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
