"""Watch the writes of other processes through a change stream of the messages collection."""

import logging
from collections.abc import Callable, Iterator

from pymongo.errors import PyMongoError

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database, Document

log = logging.getLogger(__name__)
AWAIT_MILLISECONDS = 500


def watch(database: Database, origin: str, is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
    """Yield (room id, revision) for each change that another process made, and (None, 0) when the stream is open.

    Ends when `is_stopped` returns True; raises `Unavailable` if the stream breaks.
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
    """Make a filter for mongod that leaves out this process's own writes, which this process knows already.

    mongod applies `$eq`, `$gt` and `$lt` while it reads the oplog, and this costs almost nothing. With `$ne`, mongod
    would first make an event of every message, even of the messages that it leaves out. Making the event is a third
    of all work that a message causes in mongod.
    """
    field = "fullDocument.origin"
    others = [{field: {"$lt": origin}}, {field: {"$gt": origin}}, {field: None}]
    return [
        {"$match": {"operationType": {"$in": ["insert", "update", "replace"]}, "$or": others}},
        {"$project": {"fullDocument.room": 1, "fullDocument.revision": 1}},
    ]
