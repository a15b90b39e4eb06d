"""Writes of documents with unique keys. After a duplicate key error, the existing document must be read.

An earlier try of this write, or another write, may have stored that document.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import Any

from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database, Document

FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.03
DUPLICATE_KEY = 11000

log = logging.getLogger(__name__)


def write_or_find(database: Database, write: Callable[[], Any], find: Callable[[], Document | None]) -> Document | None:
    """Write, and return None. If the key exists already, return the document that `find` finds.

    Raises `Unavailable` if the key exists, but `find` finds nothing in time. In this case, no majority of the database
    servers has stored the existing document yet.
    """
    give_up_at = time.monotonic() + database.timeout_seconds
    attempt = 0
    while True:
        try:
            write()
        except DuplicateKeyError:
            holder = find()
        else:
            return None
        if holder is not None:
            return holder
        attempt = pause(attempt, give_up_at)


def check_own(holder: Document | None, **expected: Any) -> None:
    """Raise `Unavailable` if an existing document differs from the document that the write would have created."""
    if holder is not None and any(holder.get(name) != value for name, value in expected.items()):
        log.error("an unrelated document has this unique key: %s", sorted(expected))
        raise Unavailable("This could not be stored. Please try again.")


def doubles(error: BulkWriteError) -> set[Any]:
    """Return the ids of documents that existed already; raise `error` for any other failure."""
    failures = error.details["writeErrors"]
    if any(failure["code"] != DUPLICATE_KEY for failure in failures):
        raise error
    return {failure["op"]["_id"] for failure in failures}


def pause(attempt: int, give_up_at: float) -> int:
    """Wait for a random time that grows with `attempt`; raise `Unavailable` after `give_up_at`."""
    if time.monotonic() > give_up_at:
        raise Unavailable("The database did not confirm this in time. Please try again.")
    if attempt:
        longest = min(FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10), LONGEST_PAUSE_SECONDS)
        time.sleep(random.uniform(0, longest))  # noqa: S311  not a secret
    return attempt + 1
