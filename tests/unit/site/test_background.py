"""Work in the background: by one process, again after a failure, at once when it is woken, and not after the stop."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database
from chatroom.services import Services
from chatroom.site.background import BackgroundThread, Lease, stop_all
from chatroom.site.leases_store import LeaseStore
from tests.conftest import Clock
from tests.waiting import PATIENCE_SECONDS, wait_until

NEVER = 3600.0


class Work:
    """Counts its calls, and fails in them as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.calls = 0
        self._failures = list(failures)

    def __call__(self) -> None:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)


Make = Callable[..., BackgroundThread]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes threads, which are stopped at the end."""
    made: list[BackgroundThread] = []

    def make(
        work: Callable[[], object],
        *,
        pause_seconds: float = 0.01,
        stop_seconds: float = PATIENCE_SECONDS,
        lease: Lease | None = None,
    ) -> BackgroundThread:
        made.append(BackgroundThread("work", work, lease=lease, pause_seconds=pause_seconds, stop_seconds=stop_seconds))
        return made[-1]

    yield make
    stop_all(made)


class TestLeases:
    def test_a_lease_is_exclusive_until_it_expires(self, database: Database, clock: Clock) -> None:
        one, two = (LeaseStore(database, holder=name, clock=clock) for name in ("one", "two"))
        assert one.take("work", 15)
        assert not two.take("work", 15)
        clock.advance(seconds=10)
        assert one.take("work", 15)
        clock.advance(seconds=10)
        assert not two.take("work", 15)
        clock.advance(seconds=6)
        assert two.take("work", 15)
        assert not one.take("work", 15)

    def test_given_back(self, database: Database, clock: Clock) -> None:
        one, two = (LeaseStore(database, holder=name, clock=clock) for name in ("one", "two"))
        assert one.take("work", 15)
        two.give_back("work")
        assert not two.take("work", 15)
        one.give_back("work")
        assert two.take("work", 15)

    def test_the_database_is_asked_when_a_third_has_passed(self, database: Database) -> None:
        long, short = (
            Lease(LeaseStore(database, holder="one"), name, seconds) for name, seconds in [("a", 60), ("b", 0)]
        )
        assert long.is_held()
        assert short.is_held()
        database["leases"].update_many(
            {}, {"$set": {"holder": "two", "expires_at": datetime.now(UTC) + timedelta(hours=1)}}
        )
        assert long.is_held()
        assert not short.is_held()


class TestTheThread:
    def test_it_works_again_and_again(self, make: Make) -> None:
        work = Work()
        make(work).start()
        wait_until(lambda: work.calls >= 3)

    @pytest.mark.parametrize("failure", [Unavailable("away"), ValueError("a bug")])
    def test_failed_work_is_retried_and_only_a_bug_is_logged(
        self, make: Make, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        work = Work(failure)
        make(work).start()
        wait_until(lambda: work.calls >= 2)
        bugs = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert len(bugs) == isinstance(failure, ValueError)

    def test_woken_it_does_not_wait_for_the_end_of_the_pause(self, make: Make) -> None:
        work = Work()
        thread = make(work, pause_seconds=NEVER)
        thread.start()
        thread.wake()
        wait_until(lambda: work.calls == 1)

    def test_stopped_it_works_no_longer_and_ends(self, make: Make) -> None:
        work = Work()
        thread = make(work, pause_seconds=NEVER)
        thread.start()
        assert thread.is_started
        thread.stop()
        assert not thread.is_started
        assert work.calls == 0
        assert not thread.may_go_on()

    def test_running_work_is_told_to_stop(self, make: Make) -> None:
        begun, ended = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            while thread.may_go_on(0.001):
                pass
            ended.set()

        thread = make(work)
        thread.start()
        assert begun.wait(PATIENCE_SECONDS)
        thread.stop()
        assert ended.is_set()

    def test_all_threads_are_stopped_before_the_first_join(self, make: Make) -> None:
        first_begun, second_begun, second_ended = threading.Event(), threading.Event(), threading.Event()
        has_seen_the_second_end: list[bool] = []

        def hang() -> None:
            first_begun.set()
            has_seen_the_second_end.append(second_ended.wait(PATIENCE_SECONDS))

        def work() -> None:
            second_begun.set()
            while second.may_go_on(0.001):
                pass
            second_ended.set()

        first, second = make(hang, pause_seconds=0), make(work)
        for thread in (first, second):
            thread.start()
        assert first_begun.wait(PATIENCE_SECONDS)
        assert second_begun.wait(PATIENCE_SECONDS)
        stop_all([first, second])
        assert has_seen_the_second_end[0]

    def test_without_the_thread_there_is_no_pause_and_no_lease(self, database: Database, make: Make) -> None:
        lease = Lease(LeaseStore(database, holder="one"), "work", 60)
        assert make(Work(), lease=lease).may_go_on(NEVER)
        assert database["leases"].count_documents({}) == 0


class TestOneOfAllProcesses:
    def test_only_the_holder_works_and_another_takes_over(self, database: Database, make: Make) -> None:
        works = {name: Work() for name in ("one", "two")}
        one, two = (
            make(work, lease=Lease(LeaseStore(database, holder=name), "work", 60)) for name, work in works.items()
        )
        one.start()
        wait_until(lambda: works["one"].calls > 0)
        two.start()
        before = works["one"].calls
        wait_until(lambda: works["one"].calls > before + 5)
        assert works["two"].calls == 0
        one.stop()
        wait_until(lambda: works["two"].calls > 0)
        two.stop()
        assert database["leases"].count_documents({}) == 0

    def test_work_of_each_process_and_work_of_the_lease_holder(self, services: Services) -> None:
        assert {each.name: each.lease is not None for each in services.threads} == {
            "site": False,
            "acts": True,
            "approval": True,
            "files": True,
            "retention": True,
            "indexer": True,
            "clearing": True,
            "account_deletion": True,
            "deliveries": True,
            "reminders": True,
        }
