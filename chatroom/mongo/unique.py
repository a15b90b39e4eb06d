"""Writes under unique keys: a duplicate key proves nothing until the existing document is read.

It may be from this very write, from somebody else with the same intention, or unrelated.
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
    """Write; None when that is done, else the document that `find` finds in its way, which the caller looks at.

    Raises `Unavailable` while nothing is seen there: what holds the key is not yet a majority's, and may be undone.
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
    """Raise `Unavailable` where something was in the way of a write that is not what the write would have made."""
    if holder is not None and any(holder.get(name) != value for name, value in expected.items()):
        log.error("an unrelated document has this unique key: %s", sorted(expected))
        raise Unavailable("This could not be stored. Please try again.")


def doubles(error: BulkWriteError) -> set[Any]:
    """The ids of documents that were there already; any other failure is raised."""
    failures = error.details["writeErrors"]
    if any(failure["code"] != DUPLICATE_KEY for failure in failures):
        raise error
    return {failure["op"]["_id"] for failure in failures}


def pause(attempt: int, give_up_at: float) -> int:
    """Wait a little longer each time, at random, so that two processes do not collide in step."""
    if time.monotonic() > give_up_at:
        raise Unavailable("The database did not confirm this in time. Please try again.")
    if attempt:
        longest = min(FIRST_PAUSE_SECONDS * 2 ** min(attempt, 10), LONGEST_PAUSE_SECONDS)
        time.sleep(random.uniform(0, longest))  # noqa: S311  not a secret
    return attempt + 1
