"""Files of messages, stored in chunks in the layout of GridFS.

`FileStore.get` and `FileStore.find_all` return a file only after all its chunks are stored, and until it is hidden or
removed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Literal

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import File
from chatroom.mongo.database import Database, Document

# The driver's own `gridfs` is not used. Its reader requests 16 MB at once for every download, and keeps a cursor open
# for the whole download. Its writer leaves unreferenced chunks when the process dies.

INDEXES = [
    IndexModel([("metadata.check_at", ASCENDING)]),
    IndexModel([("metadata.owner", ASCENDING), ("metadata.check_at", ASCENDING)]),
    # Includes the length, so that the index alone gives the total size of a room's files.
    IndexModel([("metadata.room", ASCENDING), ("length", ASCENDING)]),
]
CHUNK_INDEXES = [IndexModel([("files_id", ASCENDING), ("n", ASCENDING)], unique=True)]
PIECE_BYTES = 255 * 1024
"""The chunk size of GridFS, so that its tools can read the files."""
PIECES_AT_ONCE = 8
"""The number of chunks that are written together."""

Copy = Literal["thumbnail", "view"]
"""The copies of a picture that are stored with it."""
_BUT_COPIES = {"metadata.thumbnail": 0, "metadata.view": 0}


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with the fields that decide who may read it. `client_id` is the client id of its message, or ""."""

    file: File
    room_id: str
    owner_id: str
    client_id: str
    check_at: datetime
    is_whole: bool


class FileStore:
    """The collections `files.files` and `files.chunks`."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._files = database["files.files"]
        self._chunks = database["files.chunks"]
        self._clock = clock

    def add(
        self,
        file: File,
        pieces: Iterable[bytes],
        *,
        room_id: str,
        owner_id: str,
        thumbnail: bytes,
        view: bytes = b"",
        check_at: datetime,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Store a file under its id. Each of `pieces` has `PIECE_BYTES`, except the last.

        `check` is called after the file counts in `total_bytes` and `recent`; if `check` raises, the file is removed.
        """
        document: Document = {
            "_id": ObjectId(file.id),
            "filename": file.name,
            "length": file.size,
            "chunkSize": PIECE_BYTES,
            "uploadDate": self._clock(),
            "metadata": {
                "type": file.type,
                "width": file.width,
                "height": file.height,
                "is_animated": file.is_animated,
                "has_view": file.has_view,
                "pages": file.pages,
                "room": room_id,
                "owner": owner_id,
                "client_id": "",
                "check_at": check_at,
                "is_whole": False,
                "thumbnail": thumbnail,
                "view": view,
            },
        }
        # The document is inserted before the chunks: if the process dies, the sweep finds the unfinished file.
        with self._database.bounded():
            self._files.insert_one(document)
        try:
            check()
            self._add_pieces(document["_id"], pieces)
            with self._database.bounded():
                self._files.update_one({"_id": document["_id"]}, {"$set": {"metadata.is_whole": True}})
        except BaseException:
            self.remove(file.id)
            raise

    def get(self, file_id: str) -> KeptFile:
        """Return the complete file with this id; raise `Refused` (`not_found`) if there is none."""
        for kept in self.find_all([file_id]).values():
            return kept
        raise no_such_file()

    def find_all(self, file_ids: Sequence[str]) -> dict[str, KeptFile]:
        """Return the files with these ids, by id; leave out files that are not completely stored."""
        keys = [ObjectId(file_id) for file_id in file_ids if ObjectId.is_valid(file_id)]
        with self._database.bounded():
            found = [_kept(document) for document in self._files.find({"_id": {"$in": keys}}, _BUT_COPIES)]
        return {kept.file.id: kept for kept in found if kept.is_whole}

    def find_copy(self, file_id: str, name: Copy) -> bytes:
        """Return the thumbnail or the view picture of a file, a WebP, or b"" if there is none."""
        with self._database.bounded():
            document = self._files.find_one({"_id": ObjectId(file_id)}, {f"metadata.{name}": 1})
        return bytes(document["metadata"].get(name, b"")) if document else b""

    def read(self, file_id: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes `start` to `stop` (exclusive), chunk by chunk; raise `Unavailable` if a chunk is missing."""
        position = start
        while position < stop:
            number, offset = divmod(position, PIECE_BYTES)
            with self._database.bounded():
                chunk = self._chunks.find_one({"files_id": ObjectId(file_id), "n": number}, {"_id": 0, "data": 1})
            piece = bytes(chunk["data"])[offset : offset + stop - position] if chunk else b""
            if not piece:
                raise Unavailable("The file was removed while it was being read.")
            yield piece
            position += len(piece)

    def claim(self, kept: KeptFile, client_id: str, check_at: datetime) -> bool:
        """Assign a file to a message; return False if the file has changed since `kept` was read."""
        query = {
            "_id": ObjectId(kept.file.id),
            "metadata.client_id": kept.client_id,
            "metadata.check_at": kept.check_at,
            "metadata.is_whole": True,
        }
        change = {"$set": {"metadata.client_id": client_id, "metadata.check_at": check_at}}
        with self._database.bounded():
            return self._files.update_one(query, change).matched_count == 1

    def check_at(self, file_ids: Sequence[str], moment: datetime) -> None:
        """Make the sweep check these files at a moment."""
        keys = [ObjectId(file_id) for file_id in file_ids]
        with self._database.bounded():
            self._files.update_many({"_id": {"$in": keys}}, {"$set": {"metadata.check_at": moment}})

    def take_due(self, until: datetime) -> KeptFile | None:
        """Take a file that the sweep must check; no other process gets the file before `until`."""
        with self._database.bounded():
            document = self._files.find_one_and_update(
                {"metadata.check_at": {"$lte": self._clock()}},
                {"$set": {"metadata.check_at": until}},
                _BUT_COPIES,
                sort=[("metadata.check_at", ASCENDING)],
                return_document=ReturnDocument.AFTER,
            )
        return _kept(document) if document else None

    def hide(self, kept: KeptFile) -> bool:
        """Hide a file; return False if it was claimed since `kept` was read."""
        query = {"_id": ObjectId(kept.file.id), "metadata.check_at": kept.check_at}
        with self._database.bounded():
            return self._files.update_one(query, {"$set": {"metadata.is_whole": False}}).matched_count == 1

    def hide_all(self, file_ids: Sequence[str], check_at: datetime) -> None:
        """Hide these files, and let the sweep remove them at `check_at`."""
        keys = [ObjectId(file_id) for file_id in file_ids]
        change = {"$set": {"metadata.is_whole": False, "metadata.check_at": check_at}}
        with self._database.bounded():
            self._files.update_many({"_id": {"$in": keys}}, change)

    def remove(self, file_id: str) -> None:
        """Remove a file. If the removal is interrupted, the sweep finishes it."""
        key = ObjectId(file_id)
        with self._database.bounded():
            self._files.update_one({"_id": key}, {"$set": {"metadata.is_whole": False}})
            self._chunks.delete_many({"files_id": key})
            self._files.delete_one({"_id": key})

    def total_bytes(self) -> int:
        """Return the size of all files, including unfinished uploads."""
        steps: list[Document] = [
            {"$match": {"metadata.room": {"$gt": ""}}},
            {"$group": {"_id": None, "bytes": {"$sum": "$length"}}},
        ]
        with self._database.bounded():
            found = list(self._files.aggregate(steps))
        return int(found[0]["bytes"]) if found else 0

    def recent(self, owner_id: str, since: datetime, until: datetime) -> list[KeptFile]:
        """Return a user's files that the sweep will check between two moments, including unfinished uploads."""
        query = {"metadata.owner": owner_id, "metadata.check_at": {"$gt": since, "$lte": until}}
        with self._database.bounded():
            return [_kept(document) for document in self._files.find(query, _BUT_COPIES)]

    def _add_pieces(self, key: ObjectId, pieces: Iterable[bytes]) -> None:
        numbered = enumerate(pieces)
        while batch := list(islice(numbered, PIECES_AT_ONCE)):
            with self._database.bounded():
                self._chunks.insert_many(
                    [{"_id": ObjectId(), "files_id": key, "n": number, "data": piece} for number, piece in batch]
                )


def make_file_id() -> str:
    """Return an id for a new file."""
    return str(ObjectId())


def no_such_file() -> Refused:
    """Return the same refusal for a missing file and for a file that the user may not read."""
    return Refused("not_found", "There is no such file, or you may not see it.")


def _kept(document: Document) -> KeptFile:
    metadata = document["metadata"]
    return KeptFile(
        file=File(
            id=str(document["_id"]),
            name=document["filename"],
            type=metadata["type"],
            size=document["length"],
            width=metadata["width"],
            height=metadata["height"],
            is_animated=metadata.get("is_animated", False),
            has_view=metadata.get("has_view", False),
            pages=metadata.get("pages"),
        ),
        room_id=metadata["room"],
        owner_id=metadata["owner"],
        client_id=metadata["client_id"],
        check_at=metadata["check_at"],
        is_whole=metadata["is_whole"],
    )
