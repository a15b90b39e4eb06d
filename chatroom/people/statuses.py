"""What users say about the present: a status, "do not disturb", and quiet hours.

All of them end by the clock. Nothing is written when they end: whoever shows them compares the time.
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial

import msgspec

from chatroom.base.clock import Clock, as_stored, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Notice, Quiet, Status, User
from chatroom.base.time_zones import find_zone
from chatroom.names import one_line
from chatroom.people.statuses_store import StatusStore

LONGEST_STATUS = 80
MOST_DAYS = 366
ENDS = {
    "30m": "For 30 minutes",
    "1h": "For 1 hour",
    "today": "Today",
    "tomorrow": "Until tomorrow, 8:00",
    "day": "Until the end of a day",
    "never": "Until I change it",
}
"""When a status or "do not disturb" ends, as forms offer it."""
MORNING = time(8)
_lengths = {"30m": timedelta(minutes=30), "1h": timedelta(hours=1)}
_clock = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

FindEmoji = Callable[[str], str | None]


class Statuses:
    """Changes what users say about the present, and tells their connections."""

    def __init__(
        self,
        store: StatusStore,
        tell: Callable[[Notice], object],
        find_emoji: FindEmoji,
        *,
        clock: Clock = utc_now,
    ) -> None:
        """Create the part. `find_emoji` returns the usual form of an emoji or a short code, or None."""
        self._store = store
        self._tell = tell
        self._find_emoji = find_emoji
        self._clock = clock

    def set_status(self, user: User, emoji: str, text: str, until: datetime | None) -> Status | None:
        """Store a status; without emoji and text, remove it. Raises `Refused` with the reason."""
        status = Status(self._clean_emoji(emoji), _clean_text(text), until)
        said = status if status.emoji or status.text else None
        self._store.put(user.id, "status", said)
        self._tell_of(user)
        return said

    def set_undisturbed(self, user: User, until: datetime | None) -> None:
        """Let nothing disturb the user until a moment; None ends that."""
        self._set_quiet(user, msgspec.structs.replace(user.quiet or Quiet(), until=until))

    def set_quiet_hours(self, user: User, start: str, end: str, time_zone: str) -> None:
        """Let nothing disturb the user between two times of every day; two empty texts end that."""
        hours = ("", "", "")
        if start or end:
            hours = (_clean_clock(start), _clean_clock(end), time_zone)
            if start == end:
                raise Refused("invalid", "Quiet hours begin and end at different times.")
            if find_zone(time_zone) is None:
                raise Refused("invalid", "Choose your time zone in your profile first.")
        start, end, time_zone = hours
        self._set_quiet(user, Quiet(user.quiet.until if user.quiet else None, start, end, time_zone))

    def disturbable(self, user_ids: Collection[str]) -> set[str]:
        """Return those of these users who may be disturbed now."""
        quiet = self._store.quiet_of(user_ids) if user_ids else {}
        return {each for each in user_ids if quiet_until(quiet.get(each), self._clock()) is None}

    def _set_quiet(self, user: User, quiet: Quiet) -> None:
        self._store.put(user.id, "quiet", quiet)
        self._tell_of(user)

    def _tell_of(self, user: User) -> None:
        self._tell(Notice(kind="user", user=user.id))  # makes connections read the user again

    def _clean_emoji(self, text: str) -> str:
        text = text.strip().strip(":")
        emoji = self._find_emoji(text) if text else ""
        if emoji is None:
            raise Refused("invalid", "Choose one emoji, or write its name, such as :palm_tree:.")
        return emoji


def end_of(ends: str, day: str, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the end that a form asks for (a key of `ENDS`), in UTC; None for `never`. Raises `Refused`.

    `day` is the date for `day`, as `2026-11-28`.
    """
    local, at = now.astimezone(zone), partial(_moment, zone=zone)
    if ends in _lengths:
        return as_stored(now + _lengths[ends])
    if ends == "never":
        return None
    if ends == "today":
        return at(local.date() + timedelta(days=1), time())
    if ends == "tomorrow":
        return at(local.date() + timedelta(days=1), MORNING)
    if ends != "day":
        raise Refused("invalid", "Choose from the list how long this lasts.")
    try:
        chosen = date.fromisoformat(day)
    except ValueError as error:
        raise Refused("invalid", "Choose the day on which this ends, such as 2026-11-28.") from error
    if not local.date() <= chosen <= local.date() + timedelta(days=MOST_DAYS):
        raise Refused("invalid", "Choose a day from today on, within a year.")
    return at(chosen + timedelta(days=1), time())


def current_status(status: Status | None, now: datetime) -> Status | None:
    """Return a status unless it has ended. static/state/people/says.js has this rule and the next one too."""
    return status if status and (status.until is None or status.until > now) else None


def quiet_until(quiet: Quiet | None, now: datetime) -> datetime | None:
    """Return when a user may be disturbed again, in UTC, or None if that is now."""
    if quiet is None:
        return None
    ends = [end for end in (quiet.until, _end_of_hours(quiet, now)) if end and end > now]
    return max(ends, default=None)


def _end_of_hours(quiet: Quiet, now: datetime) -> datetime | None:
    zone = find_zone(quiet.time_zone)
    if not quiet.start or zone is None:
        return None
    local = now.astimezone(zone)
    clock, start, end = local.time(), time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    is_over_midnight = start > end
    if not (clock >= start or clock < end if is_over_midnight else start <= clock < end):
        return None
    ends_on = local.date() + timedelta(days=1 if is_over_midnight and clock >= start else 0)
    return _moment(ends_on, end, zone=zone)


def _moment(day: date, clock: time, *, zone: tzinfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _clean_text(text: str) -> str:
    text = one_line(text)
    if len(text) > LONGEST_STATUS:
        raise Refused("too_long", f"The text is too long: at most {LONGEST_STATUS} characters are allowed.")
    return text


def _clean_clock(text: str) -> str:
    if not _clock.fullmatch(text):
        raise Refused("invalid", "Quiet hours need two times, such as 22:00 and 07:00.")
    return text
