"""Listen to what other processes write, through a change stream over the messages."""

import logging
from collections.abc import Callable, Iterator

from pymongo.errors import PyMongoError

from chatroom.errors import Unavailable
from chatroom.store.database import Database, Document

log = logging.getLogger(__name__)
AWAIT_MILLISECONDS = 500


def watch(database: Database, origin: str, is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
    """Yield (room id, revision) for each change that another process made, and (None, 0) once it listens.

    Ends when `is_stopped` says so; raises `Unavailable` when the stream breaks, for whatever reason.
    """
    pipeline: list[Document] = [
        # This process knows its own writes already: leaving them out on the server halves its work.
        {
            "$match": {
                "operationType": {"$in": ["insert", "update", "replace"]},
                "fullDocument.origin": {"$ne": origin},
            }
        },
        {"$project": {"fullDocument.room": 1, "fullDocument.revision": 1}},
    ]
    try:
        with database.messages.watch(
            pipeline, full_document="updateLookup", max_await_time_ms=AWAIT_MILLISECONDS
        ) as stream:
            yield None, 0
            while stream.alive and not is_stopped():
                change = stream.try_next()
                document = change and change.get("fullDocument")
                if document:
                    yield document["room"], document["revision"]
    except PyMongoError as error:
        log.warning("the change stream broke and is opened again: %s: %.200s", type(error).__name__, error)
        raise Unavailable("The change stream broke.") from error
