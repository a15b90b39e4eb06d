"""The days that a query names: dates, and words such as `yesterday` and `last-week`. Weeks begin on Monday.

A word stands for its first day, so `after:last-week` includes last week; `after:2026-01-31` does not include the 31st.
"""

from datetime import UTC, date, datetime, time, timedelta

from chatroom.base.errors import Refused

FIRST_YEAR, LAST_YEAR = 1971, 2100
DAY = timedelta(days=1)


def since_of(value: str, now: datetime) -> datetime | None:
    """Return from when `after:value` finds messages, in UTC. The zone of `now` is the reader's. None for no day."""
    named = _named(value, now.date())
    dated = _dated(value)
    return _start(named or (dated and dated + DAY), now)


def until_of(value: str, now: datetime) -> datetime | None:
    """Return before when `before:value` finds messages, in UTC, or None for no day."""
    return _start(_named(value, now.date()) or _dated(value), now)


def as_word(value: str) -> str:
    """Return the usual form of a word for a day: `last-week` for `Last week`."""
    return "-".join(value.lower().replace("_", " ").replace("-", " ").split())


def _named(value: str, today: date) -> date | None:
    week, month, year = today - today.weekday() * DAY, today.replace(day=1), today.replace(month=1, day=1)
    return {
        "today": today,
        "yesterday": today - DAY,
        "this-week": week,
        "last-week": week - 7 * DAY,
        "this-month": month,
        "last-month": (month - DAY).replace(day=1),
        "this-year": year,
        "last-year": (year - DAY).replace(month=1, day=1),
    }.get(as_word(value))


def _dated(value: str) -> date | None:
    try:
        day = datetime.strptime(value.strip()[:20], "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _start(day: date | None, now: datetime) -> datetime | None:
    return datetime.combine(day, time(), tzinfo=now.tzinfo).astimezone(UTC) if day else None


def not_a_day(value: str, expected: str) -> Refused:
    """Return the refusal of a value that names no day."""
    return Refused("invalid", f"“{value[:40]}” is not a date. {expected}")
