"""Fixtures of all tests: the application, its visitors, and databases.

The cast: Alice (the first, so the administrator) and Bob are members; Mallory is logged in and not a member;
`client` is Anonymous. CSRF protection is on, as everywhere.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import hypothesis
import mongomock.store
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.fields import FIELDS
from chatroom.services import Services
from tests.databases import in_memory, new_database, replica_set
from tests.made_once import share_maps, share_templates
from tests.parallel import make_scheduler, sort_long_first
from tests.visitors import Visitor
from tests.waiting import PATIENCE_SECONDS

# The duration of an example depends on the machine, not on the code.
hypothesis.settings.register_profile("chatroom", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("chatroom")

share_maps()

# Some machines forbid it. Then each process of a run would compile all tests, and each server the whole application.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What has expired would be removed by the machine's clock, and the tests' own stands still on one day; as for mongod
# in tests/databases.py.
mongomock.store.CollectionStore._value_meets_expiry = lambda *_: False

MakeApp = Callable[..., Flask]


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """In CI, a skipped test is a failure."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but in CI no test may be skipped: {report.longrepr}"
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run long tests first in parallel runs; otherwise run browser tests last."""
    if hasattr(config, "workerinput"):
        sort_long_first(items)
    else:
        items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from thousands of tests and modules: it took a tenth of the time of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, except browser tests."""
    return make_scheduler(config, log)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_app() -> Iterator[MakeApp]:
    """Make an application on mongomock with the given settings, opened so that tests can use its services."""
    made = []

    def make(**changes: Any) -> Flask:
        defaults: dict[str, Any] = {"mongo_uri": "mongomock://", "secret_key": "k" * 32, "bcrypt_rounds": 4}
        defaults["store_timeout_seconds"] = PATIENCE_SECONDS
        app = share_templates(create_app(Settings(**{**defaults, **changes})))
        open_app(app).prepare()
        made.append(app)
        return app

    yield make
    for app in made:
        check_marks(services_of(app).database)
        services_of(app).close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def services(app: Flask) -> Services:
    return services_of(app)


@pytest.fixture
def client(app: Flask) -> Visitor:
    """Anonymous."""
    return visitor(app)


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return signed_in(app, "alice")


@pytest.fixture
def bob(app: Flask, alice: Visitor) -> Visitor:
    return signed_in(app, "bob")


@pytest.fixture
def mallory(app: Flask, alice: Visitor) -> Visitor:
    return signed_in(app, "mallory")


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    """A real mongod, one for each process of the test run."""
    with replica_set(tmp_path_factory.mktemp("mongod") / "data") as mongo:
        yield mongo


@pytest.fixture(scope="session")
def shared_database(mongod: EmbeddedMongo) -> Iterator[Database]:
    database = new_database(mongod.root_uri)
    yield database
    database.close()


@pytest.fixture
def real_database(shared_database: Database) -> Database:
    """An empty database with every index on a real server, for features that mongomock lacks."""
    collections = shared_database.client[shared_database.name]
    for collection in collections.list_collection_names():
        collections[collection].delete_many({})
    return shared_database


@pytest.fixture(params=["mongomock", pytest.param("mongod", marks=pytest.mark.integration)])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database with every index, once in memory and once on a real server."""
    database = in_memory() if request.param == "mongomock" else request.getfixturevalue("real_database")
    yield database
    check_marks(database)


def check_marks(database: Database) -> None:
    """Check that every stored field of an account is in `FIELDS`."""
    found = database.client[database.name]["users"].find({"username_key": {"$ne": None}})
    assert {name for document in found for name in document} <= set(FIELDS), "see chatroom/people/fields.py"


def services_of(app: Flask) -> Services:
    return cast("Services", app.extensions["chatroom"])


def visitor(app: Flask) -> Visitor:
    """A new visitor, in a browser without cookies."""
    app.test_client_class = Visitor
    return cast("Visitor", app.test_client())


def signed_in(app: Flask, username: str) -> Visitor:
    """A new visitor who has registered."""
    somebody = visitor(app)
    assert somebody.register(username).status_code == 303
    return somebody
