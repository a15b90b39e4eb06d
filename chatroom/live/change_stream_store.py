"""Watch the writes of other processes through a change stream of the messages collection."""

import logging
from collections.abc import Callable, Iterator

from pymongo.errors import PyMongoError

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database, Document

log = logging.getLogger(__name__)
AWAIT_MILLISECONDS = 500


def watch(database: Database, origin: str, is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
    """Yield (None, 0) when the stream is open, then (room id, revision) for each change by another process.

    Stop when `is_stopped` returns True. Raise `Unavailable` if the stream fails.
    """
    try:
        with database["messages"].watch(
            pipeline_for(origin), full_document="updateLookup", max_await_time_ms=AWAIT_MILLISECONDS
        ) as stream:
            yield None, 0
            while stream.alive and not is_stopped():
                change = stream.try_next()
                document = change and change.get("fullDocument")
                if document:
                    yield document["room"], document["revision"]
    except PyMongoError as error:
        log.warning("the change stream failed and is opened again: %s: %.200s", type(error).__name__, error)
        raise Unavailable("The change stream failed.") from error


def pipeline_for(origin: str) -> list[Document]:
    """Make the pipeline of the change stream, without the writes of this process.

    mongod applies `$lt` and `$gt` while it reads the oplog. To apply `$ne`, mongod would first make an event of every
    message.
    """
    field = "fullDocument.origin"
    others = [{field: {"$lt": origin}}, {field: {"$gt": origin}}, {field: None}]
    return [
        {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, "$or": others}},
        {"$project": {"fullDocument.room": 1, "fullDocument.revision": 1}},
    ]
