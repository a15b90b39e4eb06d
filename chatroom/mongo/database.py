"""The connection to MongoDB: the client, its guarantees, and the indexes of the collections.

Every write waits until a majority has it in the journal. Every read sees only data that a majority has stored. The URI
cannot change this.
"""

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymongo
from bson.errors import InvalidDocument
from pymongo import AsyncMongoClient, MongoClient, ReadPreference, UpdateOne, WriteConcern
from pymongo.collection import Collection
from pymongo.errors import ConfigurationError, DuplicateKeyError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, SettingsError, Unavailable
from chatroom.base.mongo_uris import is_socket
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.releases import complaint_about

log = logging.getLogger(__name__)

Document = dict[str, Any]
COMPRESSORS = ["snappy", "zstd", "zlib"]
INDEX_TIMEOUT_SECONDS = 600.0
LAST_CHARACTER = "\U0010ffff"
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
ATLAS = 8000
"""Atlas's code for a refused log-in, and for many other errors, such as an exceeded quota."""
ATLAS_CODES = {
    re.compile(r"bad auth|auth\w* failed", re.IGNORECASE): AUTHENTICATION_FAILED,
    re.compile(r"not (?:allowed|authorized)", re.IGNORECASE): UNAUTHORIZED,
}
WITHOUT_FORM = (InvalidDocument, OverflowError, UnicodeEncodeError)
"""Errors for values that BSON cannot represent: a lone surrogate, a number beyond 64 bits."""


class Database:
    """One MongoDB database; call `close` after use. A client must not be shared across a fork."""

    def __init__(
        self, client: "MongoClient[Document]", name: str, *, uri: str = "", timeout_seconds: float = 5.0
    ) -> None:
        self.client = client
        self._uri = uri
        self.timeout_seconds = timeout_seconds
        self._is_starting = True
        # Set in code, because a URI with `wTimeoutMS` or `journal` but without `w` silently means w: 1.
        self.write_concern = WriteConcern(w="majority", j=True, wtimeout=int(timeout_seconds * 1000))
        self._database = client.get_database(
            name,
            write_concern=self.write_concern,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        self._collections: dict[str, Collection[Document]] = {}

    def __getitem__(self, name: str) -> "Collection[Document]":
        """Return the collection `name`, always as the same object; `chatroom.services.COLLECTIONS` lists all names."""
        if name not in self._collections:
            self._collections[name] = self._database[name]
        return self._collections[name]

    @classmethod
    def connect(cls, settings: Settings, uri: str | None = None) -> "Database":
        """Create a client for `uri`, or for `MONGO_URI` if `uri` is None. The client connects on first use."""
        uri = uri or settings.mongo_uri
        seconds = settings.store_timeout_seconds
        client: MongoClient[Document]
        if settings.is_in_memory:
            import mongomock  # noqa: PLC0415

            client = mongomock.MongoClient(tz_aware=True)
        else:
            with warnings.catch_warnings():
                # pymongo only warns about a misspelled option, even `tls`, and ignores it. Make this an error.
                warnings.filterwarnings("error", category=UserWarning, module=r"pymongo\.uri_parser")
                try:
                    client = MongoClient(uri, **_client_options(seconds))
                except (ConfigurationError, InvalidURI, ValueError, OSError, UserWarning) as error:
                    raise SettingsError(f"MONGO_URI cannot be used: {error}") from error
        return cls(client, settings.mongo_db, uri=uri, timeout_seconds=seconds)

    def connect_async(self) -> "AsyncMongoClient[Document]":
        """Create a client for writes from an event loop. The caller closes the client on the same loop.

        The client does not retry writes, because this would slow the database down. The caller must handle failures.
        """
        return AsyncMongoClient(self._uri, **_client_options(self.timeout_seconds) | {"retryWrites": False})

    @property
    def name(self) -> str:
        return self._database.name

    def close(self) -> None:
        self.client.close()

    def ensure_indexes(self, collections: Iterable[CollectionModel]) -> None:
        """Create missing indexes. This costs one round trip for each collection, even if no index is missing.

        Raises `SettingsError` if existing documents violate a unique index. After this call, `bounded` no
        longer raises `SettingsError`.
        """
        with self.bounded():
            self["sessions"].find_one({"_id": "?"})  # fails soon if the server is away
        with self.bounded(INDEX_TIMEOUT_SECONDS):
            for collection in collections:
                if not collection.indexes:
                    continue
                try:
                    self[collection.name].create_indexes(list(collection.indexes))
                except DuplicateKeyError as error:  # the text of this error may contain names of users
                    place = f"the collection {collection.name} of the database {self.name}"
                    raise SettingsError(f"Two documents in {place} have the same unique key: remove one.") from error
        self._is_starting = False

    def update_in_order(self, collection: "Collection[Document]", updates: Sequence[tuple[Document, Document]]) -> None:
        """Execute the updates in order, in one round trip; the first failure stops the rest."""
        if updates and isinstance(self.client, MongoClient):
            collection.bulk_write([UpdateOne(*update) for update in updates], ordered=True)
        else:  # mongomock does not support the bulk writes of this pymongo
            for update in updates:
                collection.update_one(*update)

    def has(self, collection: str, query: Document) -> bool:
        """Return whether a collection has a document that matches the query. The call is `bounded`."""
        with self.bounded():
            return self[collection].find_one(query, {"_id": 1}) is not None

    def has_change_streams(self) -> bool:
        """Return whether the server has change streams. A standalone mongod and mongomock have none."""
        with self.bounded():
            try:
                hello = self.client.admin.command("hello")
            except NotImplementedError:  # mongomock
                return False
        return "setName" in hello or hello.get("msg") == "isdbgrid"

    def is_answering(self, timeout_seconds: float = 1.0) -> bool:
        """Return whether a primary answers within the timeout."""
        try:
            with self.bounded(timeout_seconds):
                self["sessions"].find_one({"_id": "?"})
        except Unavailable:
            return False
        return True

    def complaint(self) -> str:
        """Describe a known problem of the server's release; return "" if none is known."""
        with self.bounded():
            try:
                version = self.client.server_info()["versionArray"]
                hello = self.client.admin.command("hello", compression=COMPRESSORS)
                return complaint_about(version, compresses=bool(hello.get("compression")))
            except NotImplementedError:  # mongomock
                return ""

    def warn_if_outdated(self) -> None:
        """Log that MongoDB's release is out of support or has a known security hole, if so."""
        if complaint := self.complaint():
            # The embedded server needs no warning, because it listens only on a unix socket in a private folder.
            log.log(logging.INFO if is_socket(self._uri) else logging.WARNING, "%s", complaint)

    @contextmanager
    def bounded(self, timeout_seconds: float | None = None) -> Iterator[None]:
        """Limit the time of calls and retries in a block; raise `Unavailable` if the database does not answer in time.

        After a write, `Unavailable` means that the outcome is unknown. A value that BSON cannot represent raises
        `Refused` (`invalid`).

        During the start, a wrong setting raises `SettingsError`. The start ends when `ensure_indexes` is done, or when
        a call raises `Unavailable`. After the start, even a refused log-in raises `Unavailable`.
        """
        try:
            with pymongo.timeout(timeout_seconds or self.timeout_seconds):
                yield
        except PyMongoError as error:
            raise self._failure_of(error) from error
        except WITHOUT_FORM as error:
            raise Refused("invalid", "This contains characters that cannot be stored or searched for.") from error

    def _failure_of(self, error: PyMongoError) -> SettingsError | Unavailable:
        if self._is_starting and (wrong := _wrong_setting(error)):
            return SettingsError(wrong)
        self._is_starting = False
        log.warning("the database does not answer: %s: %.300s", type(error).__name__, _text_of(error))
        return Unavailable("The database does not answer right now. Please try again in a moment.")


def beginning_with(text: str) -> Document:
    """Return a query for the values that begin with `text`. It is a range: a pattern cannot contain every text."""
    return {"$gte": text, "$lt": text + LAST_CHARACTER}


def _client_options(seconds: float) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    return {
        "tz_aware": True,
        "appname": "chatroom",
        "retryWrites": True,
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
    }


def _text_of(error: PyMongoError) -> str:
    """The text of an error without the documents of the failed writes, which contain words of messages."""
    details = (error.details if isinstance(error, OperationFailure) else None) or {}
    failures = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    return f"{failures[0].get('code')}, {failures[0].get('errmsg')}" if failures else str(error)


def _wrong_setting(error: PyMongoError) -> str:
    """Describe the wrong setting that caused an error; return "" if there is none."""
    if isinstance(error, ConfigurationError):
        return f"MONGO_URI cannot be used: {error}"
    code = error.code if isinstance(error, OperationFailure) else None
    if code == ATLAS:
        code = next((meant for text, meant in ATLAS_CODES.items() if text.search(str(error))), None)
    if code == AUTHENTICATION_FAILED:
        return "MongoDB refuses the user name or the password of MONGO_URI"
    if code == UNAUTHORIZED:
        return "MONGO_URI's account may not use the database MONGO_DB: give it the role readWrite on this database"
    return ""
