"""Durations of mutes and bans, as users type and read them: `15m`, `2h`, `7d`, or no limit."""

import re
from datetime import UTC, datetime, timedelta

from chatroom.base.errors import Refused

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The stored end of a mute or ban that has no time limit."""
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST_DAYS = 3650
OFFERED = {
    "15m": "15 minutes",
    "1h": "1 hour",
    "1d": "1 day",
    "7d": "1 week",
    "30d": "30 days",
    "lifted": "until lifted",
}
"""The durations that forms offer; the console accepts any number."""

_duration = re.compile(r"([1-9]\d{0,6})([mhd])")


def end_of(duration: str, now: datetime) -> datetime:
    """Return the end of a duration that begins now; raise `Refused` (`invalid`) if the text is not a duration."""
    if duration == "lifted":
        return FOREVER
    match = _duration.fullmatch(duration)
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else timedelta.max
    if length > timedelta(days=LONGEST_DAYS):
        raise Refused("invalid", f"Write a duration such as 15m, 2h or 7d (at most {LONGEST_DAYS} days), or lifted.")
    return now + length


def until(moment: datetime) -> str:
    """Return `until 21 November 2026, 12:30 UTC`, or `until it is lifted`."""
    return "until it is lifted" if moment >= FOREVER else f"until {moment:%-d %B %Y, %H:%M} UTC"
