"""Show times in the reader's time zone, in one format. static/state/kit/times.js shows the same times in scripts.

The zone is the one that the user chose in the profile, or the one that the browser's script reported in a cookie.
Without either, times are in UTC, and say so.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

import msgspec
from flask import request
from markupsafe import Markup, escape

from chatroom.base.time_zones import find_zone
from chatroom.web.kit.login import current_user

COOKIE = "time_zone"
NO_OFFSET = timedelta()
NIGHT = timedelta(hours=4)
MORNING = 8
STATED = re.compile(r"(\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC)")
"""A time in a sentence, as `chatroom.base.durations.until` writes it."""


class Times(msgspec.Struct, frozen=True):
    """The formats of one reader. `zone` is the name of the time zone, or empty if it is not known."""

    zone: str = ""
    tz: tzinfo = UTC

    def clock(self, moment: datetime) -> str:
        """Return `13:45`, or `13:45 UTC` if the zone is not known."""
        return f"{moment.astimezone(self.tz):%H:%M}" + ("" if self.zone else " UTC")

    def moment(self, moment: datetime) -> str:
        """Return `21 November 2026, 13:45`."""
        return f"{moment.astimezone(self.tz):%-d %B %Y}, {self.clock(moment)}"

    def soon(self, moment: datetime, now: datetime) -> str:
        """Return `08:00`, `08:00 tomorrow`, or a moment with its date: a time that comes."""
        days = (self.day_of(moment) - self.day_of(now)).days
        return self.moment(moment) if days > 1 else self.clock(moment) + (" tomorrow" if days else "")

    def full(self, moment: datetime) -> str:
        """Return `Saturday, 21 November 2026, 13:45:10 GMT+1`."""
        local = moment.astimezone(self.tz)
        return f"{day_text(local.date())}, {local:%H:%M:%S} {_offset_of(local)}"

    def day_of(self, moment: datetime) -> date:
        """Return the day of a moment in the reader's zone."""
        return moment.astimezone(self.tz).date()

    def morning_after(self, moment: datetime) -> datetime:
        """Return 8 o'clock on the next morning, in UTC. Before 4 o'clock, it is still the night before."""
        day = self.day_of(moment - NIGHT) + timedelta(days=1)
        return datetime(day.year, day.month, day.day, MORNING, tzinfo=self.tz).astimezone(UTC)

    def start_of(self, day: date) -> datetime:
        """Return the first moment of a day, in UTC. Where the clocks skip midnight, this is the first moment after."""
        return datetime(day.year, day.month, day.day, tzinfo=self.tz).astimezone(UTC)


def times_of_reader() -> Times:
    """Return the formats for the user of this request."""
    chosen = current_user.user.time_zone if current_user.is_authenticated else ""
    return times_in(chosen) if find_zone(chosen) else times_in(found_zone())


@lru_cache(maxsize=1000)
def times_in(zone: str) -> Times:
    """Return the formats for a time zone, or for UTC if the zone is not known."""
    tz = find_zone(zone)
    return Times(zone, tz) if tz else Times()


def reports_zone() -> bool:
    """Return whether this browser has reported a time zone. Only a browser that runs the site's scripts does."""
    return COOKIE in request.cookies


def found_zone() -> str:
    """Return the time zone that this browser reported, or "" if it reported none, or an unknown one."""
    name = request.cookies.get(COOKIE, "")
    return name if find_zone(name) else ""


def day_text(day: date) -> str:
    """Return `Saturday, 21 November 2026`."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def with_times(text: str) -> Markup:
    """Show the times that a sentence states in UTC in the reader's zone, for example the end of a ban."""
    return Markup().join(_time_of(piece) if STATED.fullmatch(piece) else escape(piece) for piece in STATED.split(text))


def _time_of(stated: str) -> Markup:
    try:
        moment = datetime.strptime(stated, "%d %B %Y, %H:%M UTC").replace(tzinfo=UTC)
        full, shown = (show(moment) for show in (times_of_reader().full, times_of_reader().moment))
    except (ValueError, OverflowError):  # a reason may contain anything
        return escape(stated)
    at = moment.isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}" data-time="full" title="{}">{}</time>').format(at, full, shown)


def _offset_of(local: datetime) -> str:
    offset = local.utcoffset() or NO_OFFSET
    if not offset:
        return "UTC"
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < NO_OFFSET else "+"
    return f"GMT{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")
