"""The store's tests are written once and run on both databases: mongomock for speed, mongod for truth."""

from collections.abc import Iterator

import pytest

from chatroom.embedded import EmbeddedMongo
from chatroom.store.database import Database
from tests.databases import INDEXES, in_memory, new_database, replica_set


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedMongo]:
    with replica_set(tmp_path_factory.mktemp("mongod") / "data") as mongo:
        yield mongo


@pytest.fixture(scope="session")
def shared_database(mongod: EmbeddedMongo) -> Iterator[Database]:
    database = new_database(mongod.root_uri)
    yield database
    database.close()


@pytest.fixture
def real_database(shared_database: Database) -> Database:
    """An empty database on a real server, for what mongomock does not do."""
    for collection in INDEXES:
        getattr(shared_database, collection).delete_many({})
    return shared_database


@pytest.fixture(params=["mongomock", pytest.param("mongod", marks=pytest.mark.integration)])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database, once in memory and once on a real server."""
    if request.param == "mongomock":
        return in_memory()
    real: Database = request.getfixturevalue("real_database")
    return real
