"""Read whole collections as lines of Extended JSON, and write such lines back.

A room's messages are read along its log, by revision, so that they are all from the moment at which the reading ends.
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

PAGE = 20_000
"""Messages of a room that one query reads."""
SECONDS = 600.0
"""For one query, all its chunks together, and for one write: a big room on a slow disk must not be given up."""

_written = json_util.CANONICAL_JSON_OPTIONS
_read = json_util.JSONOptions(tz_aware=True)


class BackupStore:
    """The collections as lines, without what they mean."""

    def __init__(self, database: Database, collections: Sequence[CollectionModel]) -> None:
        self._database = database
        self.collections = collections
        self.kept = [each.name for each in backed_up(collections)]
        """The names of those that a backup has, in the order of reading."""
        self._batches = {each.name: each.batch for each in collections}

    def batch_of(self, collection: str) -> int:
        """How many documents of a collection are written and held in memory at once."""
        return self._batches[collection]

    def estimate(self, collection: str) -> int:
        """How many documents there are, more or less."""
        with self._database.bounded():
            return self._database[collection].estimated_document_count()

    def rooms_with_messages(self) -> list[str]:
        """The ids of the rooms in which anything was ever posted."""
        with self._database.bounded(SECONDS):
            return sorted(room for room in self._database["messages"].distinct("room") if isinstance(room, str))

    def read_log(self, room: str, after: int) -> Iterator[bytes]:
        """A room's messages that changed after a revision, by revision, until there is nothing newer.

        What changes meanwhile comes again, further on. When this ends, all that was readable at that moment has come.
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
        """Every document that is there from the beginning of the reading to its end."""
        return map(_line, self._chunked(self._database[collection].find(), self.batch_of(collection)))

    def read_pieces(self, file_ids: Sequence[str]) -> Iterator[bytes]:
        """The pieces of these files; what is being uploaded meanwhile has none in the backup."""
        for file_id in file_ids:
            cursor = self._database["files.chunks"].find({"files_id": ObjectId(file_id)}).sort("n", ASCENDING)
            yield from map(_line, self._chunked(cursor, self.batch_of("files.chunks")))

    def find_content(self, allowed: Mapping[str, str]) -> str | None:
        """A collection that is not empty, or None; one document of each may be there, whose `_id` is allowed."""
        for name in [each.name for each in self.collections if each.backup != "omitted"]:
            with self._database.bounded():
                if self._database[name].find_one({"_id": {"$ne": allowed.get(name)}}, {"_id": 1}) is not None:
                    return name
        return None

    def prepare(self) -> None:
        """Create the indexes, so that what contradicts them is not taken."""
        self._database.ensure_indexes(self.collections)

    def write(self, collection: str, lines: Sequence[bytes]) -> None:
        """Store documents; a later state of one that is there replaces it. Raises `Refused` (`taken`, `invalid`)."""
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
        """Have those looked for in the rooms again who are gone: the messages may be from before it, by moments."""
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
