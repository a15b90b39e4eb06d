"""The connection to MongoDB: the client, its guarantees, and the indexes of the collections.

Every write waits for a majority and the journal, every read sees majority-committed data, whatever the URI says.
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
NOT_LET_IN = {13, 18}
"""Unauthorized, AuthenticationFailed."""
ATLAS = 8000
"""Atlas's own code, for that and for much else, such as a quota."""
ATLAS_NOT_LET_IN = re.compile(r"bad auth|auth\w* failed|not (?:allowed|authorized)", re.IGNORECASE)
WITHOUT_FORM = (InvalidDocument, OverflowError, UnicodeEncodeError)
"""What BSON cannot say: half a character, a number beyond 64 bits."""


class Database:
    """One MongoDB database; `close` it when done. A client must not be shared across a fork."""

    def __init__(
        self, client: "MongoClient[Document]", name: str, *, uri: str = "", timeout_seconds: float = 5.0
    ) -> None:
        self.client = client
        self._uri = uri
        self.timeout_seconds = timeout_seconds
        self._is_starting = True
        # In code, because a URI with `wTimeoutMS` or `journal` but no `w` silently means w: 1.
        self.write_concern = WriteConcern(w="majority", j=True, wtimeout=int(timeout_seconds * 1000))
        self._database = client.get_database(
            name,
            write_concern=self.write_concern,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        self._collections: dict[str, Collection[Document]] = {}

    def __getitem__(self, name: str) -> "Collection[Document]":
        """A collection, the same object each time; `chatroom.services.COLLECTIONS` lists them."""
        if name not in self._collections:
            self._collections[name] = self._database[name]
        return self._collections[name]

    @classmethod
    def connect(cls, settings: Settings, uri: str | None = None) -> "Database":
        """Make a client, for the embedded server's `uri` if there is one; it connects when first used."""
        uri = uri or settings.mongo_uri
        seconds = settings.store_timeout_seconds
        client: MongoClient[Document]
        if settings.is_in_memory:
            import mongomock  # noqa: PLC0415  only where it is asked for

            client = mongomock.MongoClient(tz_aware=True)
        else:
            with warnings.catch_warnings():
                # An option that is misspelled would be left out, `tls` among them. What is said of the kind of server
                # and of missing compressors comes from elsewhere in pymongo, and stays a warning.
                warnings.filterwarnings("error", category=UserWarning, module=r"pymongo\.uri_parser")
                try:
                    client = MongoClient(uri, **_client_options(seconds))
                except (ConfigurationError, InvalidURI, ValueError, OSError, UserWarning) as error:
                    raise SettingsError(f"MONGO_URI cannot be used: {error}") from error
        return cls(client, settings.mongo_db, uri=uri, timeout_seconds=seconds)

    def connect_async(self) -> "AsyncMongoClient[Document]":
        """A client for writes from an event loop, to be closed there.

        Nothing is tried again by it, which saves the database a twentieth of its work: whoever writes has to settle
        what failed.
        """
        return AsyncMongoClient(self._uri, **_client_options(self.timeout_seconds) | {"retryWrites": False})

    @property
    def name(self) -> str:
        """The database's name."""
        return self._database.name

    def close(self) -> None:
        """Give the connections back."""
        self.client.close()

    def ensure_indexes(self, collections: Iterable[CollectionModel]) -> None:
        """Create what is missing; existing ones cost one round trip for each collection.

        Raises `SettingsError` where the documents contradict an index: without it, nothing that is unique would be.
        With this the start is over, as far as `bounded` is concerned.
        """
        with self.bounded():
            self["sessions"].find_one({"_id": "?"})  # the long time-out is for the work, not for a server that is away
        with self.bounded(INDEX_TIMEOUT_SECONDS):
            for collection in collections:
                if not collection.indexes:
                    continue
                try:
                    self[collection.name].create_indexes(list(collection.indexes))
                except DuplicateKeyError as error:  # its text may hold people's names
                    place = f"the collection {collection.name} of the database {self.name}"
                    raise SettingsError(f"Two documents in {place} have the same unique key: remove one.") from error
        self._is_starting = False

    def update_in_order(self, collection: "Collection[Document]", updates: Sequence[tuple[Document, Document]]) -> None:
        """Make one update after the other, in one round trip; the first that fails ends it."""
        if updates and isinstance(self.client, MongoClient):
            collection.bulk_write([UpdateOne(*update) for update in updates], ordered=True)
        else:  # mongomock takes no bulk writes of this pymongo
            for update in updates:
                collection.update_one(*update)

    def has(self, collection: str, query: Document) -> bool:
        """Whether a collection has a document like this; bounded."""
        with self.bounded():
            return self[collection].find_one(query, {"_id": 1}) is not None

    def has_change_streams(self) -> bool:
        """Whether the server is a replica set (a plain standalone mongod, or mongomock, is not)."""
        with self.bounded():
            try:
                hello = self.client.admin.command("hello")
            except NotImplementedError:  # mongomock
                return False
        return "setName" in hello or hello.get("msg") == "isdbgrid"

    def is_answering(self, timeout_seconds: float = 1.0) -> bool:
        """Whether a primary answers now."""
        try:
            with self.bounded(timeout_seconds):
                self["sessions"].find_one({"_id": "?"})
        except Unavailable:
            return False
        return True

    def complaint(self) -> str:
        """What is wrong with the server's release; empty when nothing is known, or in memory."""
        with self.bounded():
            try:
                version = self.client.server_info()["versionArray"]
                hello = self.client.admin.command("hello", compression=COMPRESSORS)
                return complaint_about(version, compresses=bool(hello.get("compression")))
            except NotImplementedError:  # mongomock
                return ""

    def warn_if_outdated(self) -> None:
        """Log what is wrong with the server's release."""
        if complaint := self.complaint():
            # At a socket, nobody comes who is not let in by its folder: the embedded one is no reason for alarm.
            log.log(logging.INFO if is_socket(self._uri) else logging.WARNING, "%s", complaint)

    @contextmanager
    def bounded(self, timeout_seconds: float | None = None) -> Iterator[None]:
        """Bound every call inside, retries included; raise `Unavailable` when the database does not answer in time.

        Raises `SettingsError` where it never will, at the start: until the indexes are there, or it has not answered.
        To a site that runs, an account that is not let in is a database that does not answer.
        After a write, `Unavailable` means unknown: it may be stored or not. What the database has no form for is
        refused (`invalid`) here, whoever brought it.
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
        log.warning("the database does not answer: %s: %.300s", type(error).__name__, error)
        return Unavailable("The database does not answer right now. Please try again in a moment.")


def beginning_with(text: str) -> Document:
    """What a field has to be that begins so: a range, for no pattern takes every text."""
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


def _wrong_setting(error: PyMongoError) -> str:
    """What is wrong with the settings, if that is why a call failed."""
    if isinstance(error, ConfigurationError):
        return f"MONGO_URI cannot be used: {error}"
    code = error.code if isinstance(error, OperationFailure) else None
    if code in NOT_LET_IN or (code == ATLAS and ATLAS_NOT_LET_IN.search(str(error))):
        return f"MONGO_URI's account is not allowed to use the database: {code}"
    return ""
