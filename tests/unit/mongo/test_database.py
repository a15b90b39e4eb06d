from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pymongo
import pytest
from pymongo import compression_support
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, SettingsError, Unavailable
from chatroom.base.models import Room, Slug
from chatroom.moderation.figures_store import SiteRoomStore
from chatroom.mongo import database as store_database
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.directory_store import DirectoryStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.rooms_store import RoomStore
from tests.databases import COLLECTIONS
from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS

NAMES = ["users", "sessions", "invites", "rooms", "memberships", "messages"]


def connect(uri: str, **settings: Any) -> Database:
    return Database.connect(Settings(mongo_uri=uri, **settings))


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The address of a port where nobody listens."""
    port = Port()
    yield f"mongodb://127.0.0.1:{port.number}/"
    port.release()


@pytest.mark.parametrize(
    "options",
    [
        "",
        "?wTimeoutMS=100",
        "?journal=true",
        "?w=0",
        "?w=1",
        "?w=1&journal=false",
        "?w=majority&wTimeoutMS=1",
        "?retryWrites=false",
        "?readConcernLevel=local",
        "?readPreference=secondary",
    ],
)
def test_d02_every_write_waits_for_a_majority_despite_the_uri(nowhere: str, options: str) -> None:
    database = connect(nowhere + options, store_timeout_seconds=3.0)
    try:
        for name in NAMES:
            collection = database[name]
            assert collection.write_concern.document == {"w": "majority", "j": True, "wtimeout": 3000}, name
            assert collection.read_concern.level == "majority", name
            assert collection.read_preference == pymongo.ReadPreference.PRIMARY, name
        assert database.client.options.retry_writes
        assert database.client.codec_options.tz_aware
    finally:
        database.close()


@pytest.mark.integration
@pytest.mark.parametrize("options", ["", "&w=0", "&w=1&journal=false"])
def test_d02_the_write_concern_on_the_wire(mongod: EmbeddedMongo, options: str) -> None:
    sent: list[Any] = []

    class Listener(pymongo.monitoring.CommandListener):
        def started(self, event: Any) -> None:
            if event.command_name == "insert":
                sent.append(event.command["writeConcern"])

        def succeeded(self, event: Any) -> None: ...
        def failed(self, event: Any) -> None: ...

    client: Any = pymongo.MongoClient(mongod.root_uri + options, event_listeners=[Listener()])
    with client:
        database = Database(client, "test_wire", timeout_seconds=PATIENCE_SECONDS)
        with database.bounded():
            database["messages"].insert_one({"room": "x"})
        client.drop_database("test_wire")

    # Inside `bounded`, pymongo replaces wtimeout by a bound of the whole call.
    assert [{key: concern[key] for key in ("w", "j")} for concern in sent] == [{"w": "majority", "j": True}]


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://",
        "mongodb://:",
        "mongodb://127.0.0.1:99999/",
        "mongodb://127.0.0.1:x/",
        "mongodb://u:p@127.0.0.1/?authSource=",
        "mongodb://127.0.0.1/?w=0&journal=true",
        "mongodb://127.0.0.1/?tls=maybe",
        "mongodb://127.0.0.1/?tsl=true",
        "mongodb://127.0.0.1/?tlsCAFile=/nothing/here",
        "mongodb://127.0.0.1/?directConnection=true&directConnection=false",
        "mongodb+srv://cluster0.invalid/",
    ],
)
def test_an_unusable_uri_gets_a_readable_error(uri: str) -> None:
    """O10."""
    with pytest.raises(SettingsError, match="MONGO_URI cannot be used"):
        connect(uri).is_answering()


@pytest.mark.parametrize("uri", ["mongodb://ann:hush/hush@127.0.0.1/", "mongodb://ann:hu:sh@127.0.0.1/"])
def test_o06_no_part_of_a_password_is_shown(uri: str) -> None:
    with pytest.raises(SettingsError) as error:
        connect(uri)
    assert "hu" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://a.mongo.cosmos.azure.com/?tls=true",
        "mongodb://a.docdb.amazonaws.com/",
        "mongodb://127.0.0.1/?compressors=snappy,zstd,lz4",
    ],
)
def test_a_uri_that_pymongo_only_warns_of_is_used(
    uri: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "pymongo.client")  # else it logs
    monkeypatch.setattr(store_database, "MongoClient", partial(pymongo.MongoClient, connect=False))
    monkeypatch.setattr(compression_support, "_have_snappy", lambda: False)
    monkeypatch.setattr(compression_support, "_have_zstd", lambda: False)
    connect(uri).close()


@pytest.fixture
def at_start() -> Database:
    """One that nothing has been asked of."""
    return connect("mongomock://")


BAD_AUTH = [
    OperationFailure("not allowed", 13),
    OperationFailure("wrong password", 18),
    OperationFailure("bad auth : Authentication failed.", 8000),
    OperationFailure("user is not allowed to do action [find] on [chatroom.people.sessions]", 8000),
    OperationFailure("(Unauthorized) not authorized on chatroom to execute command", 8000),
    ConfigurationError("no dns"),
]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (AutoReconnect("gone"), Unavailable),
        (ServerSelectionTimeoutError("none"), Unavailable),
        (ExecutionTimeout("late"), Unavailable),
        (OperationFailure("no primary", 10107), Unavailable),
        (DuplicateKeyError("twice"), Unavailable),
        (OperationFailure("you are over your space quota, using 513 MB of 512 MB", 8000), Unavailable),
        *((raised, SettingsError) for raised in BAD_AUTH),
        (ValueError("a fault of ours"), ValueError),
    ],
)
def test_pymongo_errors_become_readable_errors(
    at_start: Database, raised: Exception, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as error, at_start.bounded():
        raise raised
    if expected is Unavailable:
        assert "does not answer" in str(error.value)


REMEDIES = ("readWrite", "password", "password", "readWrite", "readWrite", "no dns")


@pytest.mark.parametrize(("raised", "remedy"), list(zip(BAD_AUTH, REMEDIES, strict=True)))
def test_a_refused_account_is_told_what_to_change(at_start: Database, raised: Exception, remedy: str) -> None:
    with pytest.raises(SettingsError, match=remedy), at_start.bounded():
        raise raised


def test_the_log_has_the_reason_of_a_failed_bulk_write_and_none_of_its_documents(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failure = {"index": 0, "code": 8, "errmsg": "28: No space left on device", "op": {"_id": "lobby secretly"}}
    for details in ({"writeErrors": [failure]}, {"writeErrors": [], "writeConcernErrors": [failure]}):
        with pytest.raises(Unavailable), connect("mongomock://").bounded():
            raise BulkWriteError(details)
    assert caplog.text.count("BulkWriteError: 8, 28: No space left on device") == 2
    assert "secretly" not in caplog.text


@pytest.mark.parametrize("raised", BAD_AUTH)
def test_a_running_site_treats_refused_credentials_as_a_temporary_failure(
    database: Database, raised: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """O10: As while its password is being changed: whoever can bear that the database is away can bear this."""
    database.ensure_indexes({})
    with pytest.raises(Unavailable), database.bounded():
        raise raised
    assert str(raised) in caplog.text


def test_a_start_without_the_database_is_finished(at_start: Database) -> None:
    with pytest.raises(Unavailable), at_start.bounded():
        raise AutoReconnect("gone")
    with pytest.raises(Unavailable), at_start.bounded():
        raise OperationFailure("wrong password", 18)


ODD = ["\0", "a\0b", "^", ".*", "\\", "(" * 40, "\ufffe", "\U0010ffff"]


@pytest.mark.parametrize("text", ODD)
def test_any_text_can_be_looked_for(database: Database, text: str) -> None:
    """I09: what people type reaches queries as a value, and never as a pattern."""
    hall = Room(id="hall", slug=Slug("hall"), title="Hall")
    users, directory, rooms = UserStore(database), DirectoryStore(database), RoomStore(database)
    users.add("alice", "Alice", "hash")
    rooms.ensure(hall)
    assert directory.search(text) == []
    assert directory.list_like(text, "", 9) == []
    assert directory.list_named_like(text, 9) == []
    assert MemberStore(database).list_like(hall, text, 9) == ([], [])
    assert SiteRoomStore(database).list_like(text, ("", ""), 9) == []
    assert rooms.find_by_slug(text) is None


@pytest.mark.integration
@pytest.mark.parametrize("value", ["\ud800", 2**63, -(2**70), {"a\0b": 1}])
def test_values_that_cannot_be_stored_are_refused(real_database: Database, value: object) -> None:
    """I09: at one edge, as bad input, and not as a fault of the database."""
    with pytest.raises(Refused) as refusal, real_database.bounded():
        real_database["users"].find_one({"username_key": value})
    assert refusal.value.reason == "invalid"


def test_typed_text_is_never_used_as_a_pattern() -> None:
    """I09."""
    package = Path(__file__).resolve().parents[3] / "chatroom"
    with_patterns = [path.name for path in package.rglob("*.py") if "$regex" in path.read_text()]
    assert with_patterns == ["former_slugs_store.py"]  # a pattern of our own


@pytest.mark.parametrize("given", [0.5, None])
def test_every_call_is_bounded(database: Database, given: float | None) -> None:
    from pymongo import _csot

    with database.bounded(given):
        assert _csot.get_timeout() == (given or database.timeout_seconds)
    assert _csot.get_timeout() is None


def test_an_unreachable_server_is_detected_within_the_bound(nowhere: str) -> None:
    database = connect(nowhere, store_timeout_seconds=0.3)
    try:
        assert not database.is_answering(0.2)
        with pytest.raises(Unavailable):
            database.has_change_streams()
    finally:
        database.close()


def test_it_answers(database: Database) -> None:
    assert database.is_answering(PATIENCE_SECONDS)


def test_the_name(database: Database) -> None:
    assert connect("mongomock://", mongo_db="den").name == "den"


def test_mongomock_has_no_change_streams() -> None:
    assert not connect("mongomock://").has_change_streams()


@pytest.mark.integration
def test_a_replica_set_has_change_streams(real_database: Database) -> None:
    assert real_database.has_change_streams()


@pytest.mark.parametrize(
    ("uri", "level"),
    [
        ("mongodb://h/", "WARNING"),
        ("mongodb://%2Fx%2Fmongod.sock/", "INFO"),
        ("mongodb://u:p@%2fx%2fmongod.sock/db?authSource=db", "INFO"),
        ("mongodb://u:p%2Fq.sock@h/?tlsCAFile=%2Fetc%2Fca.sock", "WARNING"),
    ],
)
def test_o02_a_server_with_a_known_vulnerability_is_reported(
    uri: str, level: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """O02: the embedded one, which only its owner can reach, without alarm."""
    caplog.set_level("INFO")
    database = Database(connect("mongomock://").client, "x", uri=uri)
    monkeypatch.setattr(database.client, "admin", SimpleNamespace(command=lambda *_, **__: {}), raising=False)
    monkeypatch.setattr(database.client, "server_info", lambda: {"versionArray": [6, 0, 5, 0]})
    database.warn_if_outdated()
    assert [record.levelname for record in caplog.records] == [level]
    assert caplog.records[0].message == database.complaint()
    assert "MongoDB 6.0.5 is out of support" in database.complaint()
    caplog.clear()
    monkeypatch.setattr(database.client, "server_info", lambda: {"versionArray": [8, 0, 32, 0]})
    database.warn_if_outdated()
    assert not caplog.records


def test_in_memory_nothing_is_wrong() -> None:
    assert connect("mongomock://").complaint() == ""


def test_making_the_indexes_again_changes_nothing(database: Database) -> None:
    database.ensure_indexes(COLLECTIONS)
    before = database["messages"].index_information()
    database.ensure_indexes(COLLECTIONS)

    assert database["messages"].index_information() == before
    assert all(name == "_id_" or next(iter(index["key"]))[0] == "room" for name, index in before.items())
    assert before["room_revisions"]["unique"]
    assert before["room_client_id_author"]["unique"]


def test_d11_documents_that_contradict_an_index_stop_the_start(database: Database) -> None:
    slugs = [{"_id": n, "slug": "a secret name"} for n in range(2)]
    database["rooms"].drop()
    try:
        database["rooms"].insert_many(slugs)

        with pytest.raises(SettingsError, match="collection rooms") as error:
            database.ensure_indexes([CollectionModel("rooms", [pymongo.IndexModel("slug", unique=True)])])

        assert "secret" not in str(error.value)
        database["rooms"].delete_many({})
        database.ensure_indexes([CollectionModel("rooms", [pymongo.IndexModel("slug", unique=True)])])
    finally:  # the next tests have the same database
        database["rooms"].drop()
        database.ensure_indexes(COLLECTIONS)
