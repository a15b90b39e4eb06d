import threading
import time

import pytest

from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.mongo.database import Database
from chatroom.site.limits import Limit, Limits
from chatroom.site.limits_store import MongoWindows
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration


@pytest.fixture
def windows(real_database: Database) -> MongoWindows:
    real_database.client[real_database.name]["attempts"].delete_many({})
    return MongoWindows(real_database)


def test_all_processes_count_the_same_attempts(windows: MongoWindows, real_database: Database) -> None:
    """A08."""
    here, there = (Limit("4 per hour", "x", MongoWindows(real_database)) for _ in range(2))
    began = time.monotonic()
    assert [limit.hit("alice") for limit in (here, there, here, there)] == [0, 0, 0, 0]
    for limit in (here, there):
        for wait in (limit.hit("alice"), limit.wait("alice")):
            passed = time.monotonic() - began
            assert 3600 - passed - 2 < wait <= 3600
        assert limit.hit("bob") == 0


def test_attempts_at_the_same_moment_are_counted_exactly(windows: MongoWindows) -> None:
    """A08: the first attempts of a new key at once do not look like too many, and never are too many."""
    limit = Limit("10 per hour", "x", windows)
    limit.wait("somebody")  # the library makes its indexes at its first use
    waits: list[float] = []
    threads = [threading.Thread(target=lambda: waits.append(limit.hit("alice"))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) == 10


def test_forgotten_attempts(windows: MongoWindows) -> None:
    limit = Limit("1 per hour", "x", windows)
    assert limit.hit("alice") == 0
    limit.clear("alice")
    assert limit.hit("alice") == 0
    assert limit.hit("alice") > 0


def test_counts_expire_by_themselves(windows: MongoWindows, real_database: Database) -> None:
    Limit("1 per minute", "x", windows).hit("alice")
    [index] = [
        each
        for each in real_database.client[real_database.name]["attempts"].list_indexes()
        if "expireAfterSeconds" in each
    ]
    assert index["expireAfterSeconds"] == 0


def test_the_client_is_not_closed_with_the_storage(real_database: Database) -> None:
    windows = MongoWindows(real_database)
    Limit("1 per minute", "x", windows).hit("alice")
    del windows
    assert real_database.is_answering(PATIENCE_SECONDS)


def test_typed_names_are_not_stored(windows: MongoWindows, real_database: Database) -> None:
    """O06: it may have been a password."""
    settings = Settings(login_limit_account="1 per hour", login_limit_address="5 per hour")
    limits = Limits(settings, windows, real_database.bounded)
    limits.login.enter("hunter22", "192.0.2.1", is_known_address=False)
    limits.login.fail("192.0.2.1")
    with pytest.raises(Refused):
        limits.login.enter("hunter22", "192.0.2.1", is_known_address=False)
    limits.login.succeed("hunter22", "192.0.2.1", is_known_address=False)
    limits.login.enter("hunter22", "192.0.2.1", is_known_address=False)
    kept = [document["_id"] for document in real_database.client[real_database.name]["attempts"].find()]
    assert len(kept) == 2
    assert not any("hunter22" in key for key in kept)
