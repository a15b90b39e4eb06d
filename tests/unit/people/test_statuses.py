"""Statuses, "do not disturb" and quiet hours: what may be said, and when it holds."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Notice, Quiet, Status, User
from chatroom.mongo.database import Database
from chatroom.people.statuses import LONGEST_STATUS, Statuses, current_status, end_of, quiet_until
from chatroom.people.statuses_store import StatusStore
from chatroom.people.users_store import UserStore
from tests.conftest import Clock

NOW = datetime(2026, 11, 21, 21, 30, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")  # one hour after UTC in November
NIGHT = Quiet(start="22:00", end="07:00", time_zone="Europe/Berlin")


@pytest.fixture
def told() -> list[Notice]:
    return []


@pytest.fixture
def statuses(database: Database, told: list[Notice], clock: Clock) -> Statuses:
    return Statuses(StatusStore(database), told.append, {"🌴": "🌴", "palm_tree": "🌴"}.get, clock=clock)


@pytest.fixture
def user(database: Database) -> User:
    return UserStore(database).add("alice", "Alice", "hash")


def read(database: Database, user: User) -> User:
    found = UserStore(database).find(user.id)
    assert found
    return found


class TestStatus:
    def test_it_is_stored_and_told(
        self, statuses: Statuses, database: Database, user: User, told: list[Notice]
    ) -> None:
        until = NOW + timedelta(hours=1)
        said = statuses.set_status(user, ":palm_tree:", "  On\nholiday\u200b ", until)
        assert said == Status("🌴", "On holiday", until) == read(database, user).status
        assert read(database, user).person.status == said
        assert told == [Notice(kind="user", user=user.id)]

    def test_nothing_said_clears_it(self, statuses: Statuses, database: Database, user: User) -> None:
        statuses.set_status(user, "🌴", "", None)
        assert statuses.set_status(user, " ", "\u2028", None) is None
        assert "status" not in (database["users"].find_one({}) or {})

    @pytest.mark.parametrize(
        ("emoji", "text", "said"),
        [
            ("x", "", "Choose one emoji"),
            ("🌴🌴", "", "Choose one emoji"),
            ("", "x" * (LONGEST_STATUS + 1), "at most 80"),
        ],
    )
    def test_refusals(self, statuses: Statuses, user: User, emoji: str, text: str, said: str) -> None:
        with pytest.raises(Refused, match=said):
            statuses.set_status(user, emoji, text, None)

    def test_it_ends_by_the_clock(self) -> None:
        status = Status("🌴", "", NOW)
        assert current_status(status, NOW - timedelta(seconds=1)) == status
        assert current_status(status, NOW) is None
        assert current_status(Status("🌴"), NOW) == Status("🌴")


class TestEnds:
    @pytest.mark.parametrize(
        ("ends", "day", "end"),
        [
            ("30m", "", "2026-11-21T22:00:15"),
            ("1h", "", "2026-11-21T22:30:15"),
            ("today", "", "2026-11-21T23:00:00"),
            ("tomorrow", "", "2026-11-22T07:00:00"),
            ("day", "2026-11-21", "2026-11-21T23:00:00"),
            ("day", "2026-11-30", "2026-11-30T23:00:00"),
        ],
    )
    def test_in_the_time_zone_of_the_user(self, ends: str, day: str, end: str) -> None:
        assert end_of(ends, day, BERLIN, NOW) == datetime.fromisoformat(end).replace(tzinfo=UTC)

    def test_never(self) -> None:
        assert end_of("never", "", BERLIN, NOW) is None

    @pytest.mark.parametrize(
        ("ends", "day"),
        [("", ""), ("2h", ""), ("day", ""), ("day", "tomorrow"), ("day", "2026-11-20"), ("day", "2027-11-23")],
    )
    def test_refusals(self, ends: str, day: str) -> None:
        with pytest.raises(Refused):
            end_of(ends, day, BERLIN, NOW)


class TestQuiet:
    @pytest.mark.parametrize(
        ("clock", "end"),
        [  # in UTC; Berlin is an hour later
            ("2026-11-21T20:59", None),
            ("2026-11-21T21:00", "2026-11-22T06:00"),
            ("2026-11-22T05:59", "2026-11-22T06:00"),
            ("2026-11-22T06:00", None),
        ],
    )
    def test_hours_over_midnight(self, clock: str, end: str | None) -> None:
        found = quiet_until(NIGHT, datetime.fromisoformat(clock).replace(tzinfo=UTC))
        assert found == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)

    def test_hours_of_a_day_and_an_unknown_zone(self) -> None:
        noon = NOW.replace(hour=12)
        assert quiet_until(Quiet(start="12:00", end="13:00", time_zone="UTC"), noon) == noon.replace(
            hour=13, minute=0, second=0
        )
        assert quiet_until(Quiet(start="12:00", end="13:00", time_zone="Nowhere"), noon) is None

    def test_the_later_end_counts(self) -> None:
        until = NOW + timedelta(days=2)
        assert quiet_until(Quiet(until, "22:00", "07:00", "Europe/Berlin"), NOW) == until
        assert quiet_until(Quiet(until), NOW) == until
        assert quiet_until(Quiet(NOW), NOW) is None
        assert quiet_until(None, NOW) is None

    def test_both_kinds_are_set_apart_from_each_other(
        self, statuses: Statuses, database: Database, user: User, told: list[Notice]
    ) -> None:
        statuses.set_quiet_hours(user, "22:00", "07:00", "Europe/Berlin")
        statuses.set_undisturbed(read(database, user), NOW)
        assert read(database, user).quiet == Quiet(NOW, "22:00", "07:00", "Europe/Berlin")
        statuses.set_quiet_hours(read(database, user), "", "", "")
        assert read(database, user).person.quiet == Quiet(NOW)
        statuses.set_undisturbed(read(database, user), None)
        assert "quiet" not in (database["users"].find_one({}) or {})
        assert len(told) == 4

    @pytest.mark.parametrize(
        ("start", "end", "zone"),
        [
            ("22:00", "", "UTC"),
            ("", "07:00", "UTC"),
            ("24:00", "07:00", "UTC"),
            ("22:00", "7:00", "UTC"),
            ("22:00", "22:00", "UTC"),
            ("22:00", "07:00", ""),
            ("22:00", "07:00", "Nowhere"),
        ],
    )
    def test_refusals(self, statuses: Statuses, user: User, start: str, end: str, zone: str) -> None:
        with pytest.raises(Refused):
            statuses.set_quiet_hours(user, start, end, zone)

    def test_who_may_be_disturbed(self, statuses: Statuses, database: Database, clock: Clock) -> None:
        users = UserStore(database)
        alice, bob, carol = (users.add(name, name.title(), "hash") for name in ("alice", "bob", "carol"))
        statuses.set_undisturbed(alice, clock() + timedelta(hours=1))
        statuses.set_quiet_hours(carol, "12:00", "13:00", "UTC")
        assert statuses.disturbable([alice.id, bob.id, carol.id]) == {bob.id}
        clock.advance(hours=1)
        assert statuses.disturbable([alice.id, bob.id, carol.id]) == {alice.id, bob.id, carol.id}
        assert statuses.disturbable([]) == set()
