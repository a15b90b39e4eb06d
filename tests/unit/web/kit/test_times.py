"""Times in the reader's zone. tests/js/times.test.js checks the same moments in scripts."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask

from chatroom.base import time_zones
from chatroom.base.time_zones import find_zone, places, zone_names
from chatroom.services import Services
from chatroom.web.kit.times import times_in, with_times
from tests.visitors import Visitor

CASES = json.loads((Path(__file__).parents[3] / "corpus/times.json").read_text())
AT = datetime(2026, 11, 21, 23, 5, 9, tzinfo=UTC)


def test_day_and_time_of_moments_around_changes_of_the_clocks() -> None:
    for zone, moment, day, clock, _ in CASES["moments"]:
        times, at = times_in(zone), datetime.fromisoformat(moment)
        assert (times.day_of(at).isoformat(), times.clock(at)) == (day, clock), f"{moment} in {zone}"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-28T18:00:00Z", "23:45"),
        ("2026-11-29T02:15:00Z", "08:00 tomorrow"),
        ("2026-11-30T02:15:00Z", "30 November 2026, 08:00"),
    ],
)
def test_a_time_that_comes(moment: str, shown: str) -> None:
    now = datetime(2026, 11, 28, 17, tzinfo=UTC)
    assert times_in("Asia/Kathmandu").soon(datetime.fromisoformat(moment), now) == shown


def test_a_day_starts_at_its_first_moment_also_where_clocks_skip_midnight() -> None:
    for zone, day, start in CASES["days"]:
        assert times_in(zone).start_of(date.fromisoformat(day)) == datetime.fromisoformat(start), f"{day} in {zone}"


@pytest.mark.parametrize(
    ("zone", "moment", "full"),
    [
        ("", "21 November 2026, 23:05 UTC", "Saturday, 21 November 2026, 23:05:09 UTC"),
        ("UTC", "21 November 2026, 23:05", "Saturday, 21 November 2026, 23:05:09 UTC"),
        ("Europe/Vienna", "22 November 2026, 00:05", "Sunday, 22 November 2026, 00:05:09 GMT+1"),
        ("Asia/Kathmandu", "22 November 2026, 04:50", "Sunday, 22 November 2026, 04:50:09 GMT+5:45"),
        ("America/St_Johns", "21 November 2026, 19:35", "Saturday, 21 November 2026, 19:35:09 GMT-3:30"),
    ],
)
def test_formats(zone: str, moment: str, full: str) -> None:
    assert (times_in(zone).moment(AT), times_in(zone).full(AT)) == (moment, full)


def test_zones_are_listed_by_region_and_old_names_are_known() -> None:
    assert {"Europe", "Asia", "Africa", "America", "Pacific", "Australia"} <= set(places())
    assert places()["America"]["America/Argentina/Buenos_Aires"] == "Buenos Aires (Argentina)"
    assert {"Asia/Calcutta", "Asia/Kolkata", "US/Eastern", "Europe/Kiev", "UTC"} <= zone_names()
    assert all(find_zone(name) for zones in places().values() for name in zones)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "localtime", "Factory", "europe/vienna", "\0"])
def test_i10_unknown_zones(name: str) -> None:
    assert find_zone(name) is None


def test_a_machine_without_zones_knows_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_zones, "zone_names", lambda: frozenset({"UTC"}))
    assert (find_zone("UTC"), find_zone("Asia/Tokyo")) == (UTC, None)


def test_without_a_known_zone_times_are_in_utc() -> None:
    assert times_in("Mars/Olympus").start_of(date(2026, 11, 21)) == datetime(2026, 11, 21, tzinfo=UTC)
    assert times_in("Mars/Olympus").clock(AT) == "23:05 UTC"


class TestPages:
    """Which zone a page uses: the chosen one, the browser's, or UTC."""

    def time_on(self, visitor: Visitor) -> str:
        found = re.search(r"message__time.*?<time[^>]*>([^<]*)</time>", visitor.get("/chatroom").text)
        assert found
        return found[1]

    def test_the_chosen_zone_then_the_browsers_then_utc(self, alice: Visitor, services: Services) -> None:
        alice.say("what time is it?")
        services.database["messages"].update_many({}, {"$set": {"sent_at": AT}})
        assert self.time_on(alice) == "23:05 UTC"
        assert "Times are in UTC." in alice.get("/chatroom").text
        alice.set_cookie("time_zone", "Asia/Calcutta")
        assert self.time_on(alice) == "04:35"
        page = alice.get("/chatroom").text
        assert "Times are in Asia/Calcutta." in page
        assert '<time datetime="2026-11-22" data-time="day">Sunday, 22 November 2026</time>' in page
        alice.submit("/account/profile", display_name="Alice", about="", time_zone="Europe/Vienna")
        assert self.time_on(alice) == "00:05"
        assert 'data-time-zone="Europe/Vienna"' in alice.get("/chatroom").text

    @pytest.mark.parametrize("cookie", ["Mars/Olympus", "../../../etc/localtime", "x" * 3000, "%00", "\u00e9"])
    def test_i10_a_cookie_with_another_value_is_ignored(self, alice: Visitor, cookie: str) -> None:
        alice.say("what time is it?")
        alice.set_cookie("time_zone", cookie)
        assert self.time_on(alice).endswith(" UTC")

    def test_a_day_begins_in_the_readers_zone(self, alice: Visitor, services: Services) -> None:
        alice.say("late")
        services.database["messages"].update_many({}, {"$set": {"sent_at": AT}})
        assert alice.get("/chatroom?date=2026-11-22").location == "/chatroom/lobby"
        alice.set_cookie("time_zone", "Europe/Vienna")
        assert alice.get("/chatroom?date=2026-11-22").location == "/chatroom/lobby/1"

    def test_times_in_sentences_are_in_the_readers_zone_too(self, app: Flask) -> None:
        with app.test_request_context(headers={"Cookie": "time_zone=Europe/Vienna"}):
            shown = with_times("Muted until 21 November 2026, 23:05 UTC: <b>99 Smarch 2026, 25:61 UTC")
        assert shown == (
            'Muted until <time datetime="2026-11-21T23:05:00Z" data-time="full"'
            ' title="Sunday, 22 November 2026, 00:05:00 GMT+1">22 November 2026, 00:05</time>:'
            " &lt;b&gt;99 Smarch 2026, 25:61 UTC"
        )

    def test_a_time_at_the_end_of_the_calendar_stays_as_it_was_typed(self, app: Flask) -> None:
        with app.test_request_context(headers={"Cookie": "time_zone=Asia/Tokyo"}):
            assert with_times("31 December 9999, 23:59 UTC") == "31 December 9999, 23:59 UTC"


@pytest.mark.parametrize(
    ("zone", "now", "morning"),
    [
        ("", "2026-11-21T22:00:00+00:00", "2026-11-22T08:00:00+00:00"),
        ("", "2026-11-21T07:30:00+00:00", "2026-11-22T08:00:00+00:00"),
        ("", "2026-11-22T03:59:59+00:00", "2026-11-22T08:00:00+00:00"),
        ("", "2026-11-22T04:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("Europe/Vienna", "2026-11-21T22:30:00+00:00", "2026-11-22T07:00:00+00:00"),
        ("Europe/Vienna", "2026-10-24T20:00:00+00:00", "2026-10-25T07:00:00+00:00"),
        ("Pacific/Auckland", "2026-11-21T22:30:00+00:00", "2026-11-22T19:00:00+00:00"),
    ],
)
def test_the_next_morning_is_at_8_and_the_night_belongs_to_the_day_before(zone: str, now: str, morning: str) -> None:
    assert times_in(zone).morning_after(datetime.fromisoformat(now)) == datetime.fromisoformat(morning)
