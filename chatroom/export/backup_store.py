"""Collections as lines of Extended JSON, for reading and writing.

A room's messages are read by revision. If a message changes meanwhile, it is read again.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from bson import ObjectId, json_util
from bson.errors import BSONError
from pymongo import ASCENDING
from pymongo.cursor import Cursor
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatroom.base.errors import Refused
from chatroom.mongo.collections import CollectionModel, backed_up
from chatroom.mongo.database import Database, Document
from chatroom.site.upgrades import DATA_VERSION, refuse_newer
from chatroom.site.versions_store import DataVersion, VersionStore

PAGE = 20_000
"""The messages of a room that one query reads."""
SECONDS = 600.0
"""The time-out of a query with all its chunks, and of a write."""

_written = json_util.CANONICAL_JSON_OPTIONS
_read = json_util.JSONOptions(tz_aware=True)


class BackupStore:
    """The collections as lines, without knowledge of their content."""

    def __init__(self, database: Database, collections: Sequence[CollectionModel]) -> None:
        self._database = database
        self._versions = VersionStore(database)
        self.collections = collections
        self.kept = [each.name for each in backed_up(collections)]
        """The names of the collections in a backup, in the order of reading."""
        self._batches = {each.name: each.batch for each in collections}

    def batch_of(self, collection: str) -> int:
        """Return how many documents of a collection are read or written together."""
        return self._batches[collection]

    def estimate(self, collection: str) -> int:
        """Return the approximate number of documents."""
        with self._database.bounded():
            return self._database[collection].estimated_document_count()

    def rooms_with_messages(self) -> list[str]:
        """Return the ids of the rooms with messages."""
        with self._database.bounded(SECONDS):
            return sorted(room for room in self._database["messages"].distinct("room") if isinstance(room, str))

    def read_log(self, room: str, after: int) -> Iterator[bytes]:
        """Yield the messages of a room that changed after the revision `after`, ordered by revision.

        A message that changes meanwhile is yielded again. The reading ends when there are no newer changes.
        """
        batch = self.batch_of("messages")
        while True:
            query = {"room": room, "revision": {"$gt": after}}
            count = 0
            found = self._database["messages"].find(query).sort("revision", ASCENDING).limit(PAGE)
            for document in self._chunked(found, batch):
                after = document["revision"]
                count += 1
                yield _line(document)
            if count < PAGE:
                return

    def read(self, collection: str) -> Iterator[bytes]:
        """Yield all documents. Only documents that are added or removed during the reading may be missing."""
        return map(_line, self._chunked(self._database[collection].find(), self.batch_of(collection)))

    def read_pieces(self, file_ids: Sequence[str]) -> Iterator[bytes]:
        """Yield the chunks of these files; the backup has no chunks of files that were uploaded later."""
        for file_id in file_ids:
            cursor = self._database["files.chunks"].find({"files_id": ObjectId(file_id)}).sort("n", ASCENDING)
            yield from map(_line, self._chunked(cursor, self.batch_of("files.chunks")))

    def find_content(self, allowed: Mapping[str, str]) -> str | None:
        """Return the name of a non-empty collection, or None. Ignore the `allowed` documents (`_id` by collection)."""
        for name in [each.name for each in self.collections if each.backup != "omitted"]:
            with self._database.bounded():
                if self._database[name].find_one({"_id": {"$ne": allowed.get(name)}}, {"_id": 1}) is not None:
                    return name
        return None

    def data_version(self) -> int:
        """Return the number of upgrade steps that the data has had; raise `SettingsError` if it is too new."""
        found = self._versions.find() or DataVersion(0 if self._versions.has_data() else DATA_VERSION)
        refuse_newer(found)
        return min(found.number, DATA_VERSION)

    def set_data_version(self, number: int) -> None:
        """Store the version of the documents that follow."""
        self._versions.replace(DataVersion(number))

    def prepare(self) -> None:
        """Create the indexes, so that documents that violate them are refused."""
        self._database.ensure_indexes(self.collections)

    def write(self, collection: str, lines: Sequence[bytes]) -> None:
        """Store documents, and replace their earlier states; raise `Refused` (`taken`, `invalid`)."""
        documents: dict[str, Document] = {}
        for line in lines:
            document = _document(line)
            documents[repr(document["_id"])] = document
        target = self._database[collection]
        with self._database.bounded(SECONDS):
            try:
                target.insert_many(list(documents.values()), ordered=False)
            except BulkWriteError:
                try:
                    for document in documents.values():
                        target.replace_one({"_id": document["_id"]}, document, upsert=True)
                except DuplicateKeyError as error:
                    raise Refused("taken", "the database has another document in its place") from error

    def finish(self) -> None:
        """Let the server erase all deleted users again: the backup may have messages from before the first erasure."""
        with self._database.bounded(SECONDS):
            self._database["users"].update_many({"deleted_at": {"$exists": True}}, {"$set": {"is_leaving": True}})

    def _chunked(self, cursor: "Cursor[Document]", size: int) -> Iterator[Document]:
        cursor.batch_size(size)
        while True:
            with self._database.bounded(SECONDS):
                chunk = list(islice(cursor, size))
            if not chunk:
                return
            yield from chunk


def _line(document: Document) -> bytes:
    return json_util.dumps(document, json_options=_written).encode("ascii") + b"\n"


def _document(line: bytes) -> Document:
    try:
        document = json_util.loads(line, json_options=_read)
        document["_id"]
    except (ArithmeticError, BSONError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Refused("invalid", "not a document in Extended JSON") from error
    return document  # type: ignore[no-any-return]
