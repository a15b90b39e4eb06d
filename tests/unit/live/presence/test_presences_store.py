from datetime import UTC, datetime, timedelta

import pytest

from chatroom.base.models import Person
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.mongo.database import Database
from tests.people import CAST

ALICE, BOB, MALLORY = CAST

LEASE = 30


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def one(database: Database, clock: Clock) -> PresenceStore:
    return PresenceStore(database, process="one", lease_seconds=LEASE, clock=clock)


@pytest.fixture
def two(database: Database, clock: Clock) -> PresenceStore:
    return PresenceStore(database, process="two", lease_seconds=LEASE, clock=clock)


def test_a_lease_is_seen_by_other_processes(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", ALICE), ("den", BOB)])

    assert two.elsewhere(["lobby", "den", "empty"]) == {"lobby": [ALICE], "den": [BOB], "empty": []}
    assert one.elsewhere(["lobby"]) == {"lobby": []}


def test_without_people_there_is_no_query(one: PresenceStore) -> None:
    one.take([])
    one.end([])
    assert one.elsewhere([]) == {}
    assert one.renew() == 0


def test_everybody_is_here_once_by_name(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", BOB), ("lobby", ALICE), ("den", MALLORY)])
    two.take([("lobby", ALICE)])

    assert one.here("lobby") == [ALICE, BOB]
    assert two.here("lobby") == [ALICE, BOB]


def test_a_lease_ends_by_itself(one: PresenceStore, two: PresenceStore, clock: Clock) -> None:
    one.take([("lobby", ALICE)])

    clock.pass_seconds(LEASE - 1)
    assert two.here("lobby") == [ALICE]
    clock.pass_seconds(1)
    assert two.here("lobby") == []
    assert two.elsewhere(["lobby"]) == {"lobby": []}


def test_a_process_renews_its_own_leases_and_no_others(one: PresenceStore, two: PresenceStore, clock: Clock) -> None:
    one.take([("lobby", ALICE), ("den", ALICE)])
    two.take([("lobby", BOB)])

    clock.pass_seconds(LEASE - 1)
    assert one.renew() == 2
    clock.pass_seconds(LEASE - 1)

    assert two.here("lobby") == [ALICE]


def test_taking_a_lease_again_prolongs_it(one: PresenceStore, two: PresenceStore, clock: Clock) -> None:
    one.take([("lobby", ALICE)])
    clock.pass_seconds(LEASE - 1)
    one.take([("lobby", BOB), ("lobby", ALICE)])
    clock.pass_seconds(LEASE - 1)

    assert two.here("lobby") == [ALICE, BOB]


def test_renewing_a_lease_stores_the_new_name(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", ALICE)])
    renamed = Person(ALICE.id, "Alice of the Woods", "alice", is_bot=True)
    one.take([("lobby", renamed), ("lobby", BOB)])

    assert two.elsewhere(["lobby"])["lobby"] == [renamed, BOB]
    assert two.here("lobby") == [renamed, BOB]


def test_a_reader_without_a_connection_is_present_for_some_seconds(
    one: PresenceStore, two: PresenceStore, clock: Clock
) -> None:
    one.visit("lobby", ALICE)
    assert one.elsewhere(["lobby"]) == two.elsewhere(["lobby"]) == {"lobby": [ALICE]}
    clock.pass_seconds(14)
    assert one.renew() == 0
    one.visit("lobby", ALICE)
    clock.pass_seconds(14)
    assert one.here("lobby") == [ALICE]
    clock.pass_seconds(1)
    assert one.here("lobby") == []


def test_leases_end_one_by_one(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", ALICE), ("lobby", BOB), ("den", ALICE)])
    one.end([("lobby", ALICE.id), ("lobby", "nobody")])

    assert two.elsewhere(["lobby", "den"]) == {"lobby": [BOB], "den": [ALICE]}


def test_a_lease_of_another_process_is_not_ended(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", ALICE)])
    two.end([("lobby", ALICE.id)])

    assert one.here("lobby") == [ALICE]


def test_all_leases_of_a_process_end_with_it(one: PresenceStore, two: PresenceStore) -> None:
    one.take([("lobby", ALICE), ("den", BOB)])
    two.take([("lobby", MALLORY)])
    one.end_all()

    assert two.here("lobby") == [MALLORY]
    assert two.here("den") == []


def test_typing_is_seen_by_other_processes_for_a_while(one: PresenceStore, two: PresenceStore, clock: Clock) -> None:
    one.take([("lobby", ALICE), ("lobby", BOB)])
    at = clock.now.replace(microsecond=0)
    one.mark_typing([("lobby", ALICE.id), ("den", ALICE.id)], at)
    within = timedelta(seconds=6)
    assert two.typing_elsewhere(["lobby", "den"], within) == {"lobby": [(ALICE, at)], "den": []}
    assert one.typing_elsewhere(["lobby"], within) == {"lobby": []}
    one.mark_typing([("lobby", ALICE.id)], None)
    assert two.typing_elsewhere(["lobby"], within) == {"lobby": []}
    one.mark_typing([("lobby", ALICE.id)], at)
    clock.pass_seconds(7)
    assert two.typing_elsewhere(["lobby"], within) == {"lobby": []}
