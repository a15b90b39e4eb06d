"""The one write that is made on the event loop itself: posts that are next in their room, with nothing in their way.

A thread for it would wait for the interpreter's lock three times, behind every page that is just being made. Whatever
does not go through at once is settled by `MessageStore.append`, in a thread.
"""

import logging
import time
from collections.abc import Sequence

import pymongo
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from chatroom.store.database import Database
from chatroom.store.messages import MessageStore, Rendered, Stored

log = logging.getLogger(__name__)

CONTESTED_SECONDS = 1.0
"""Where another process posts as well, a try costs more than it saves: for so long, none is made."""


class AsyncMessages:
    """The messages collection, for the event loop on which this is first used; `close` it there."""

    def __init__(self, database: Database, store: MessageStore) -> None:
        self._timeout_seconds = database.timeout_seconds
        self._client, self._messages = database.connect_async("messages")
        self._store = store
        self._contested: dict[str, float] = {}
        """Until when to leave a room alone, by its id."""

    async def append(self, room: str, drafts: Sequence[Rendered], after: int) -> list[Stored] | None:
        """Store drafts as the messages that follow `after`, the newest revision, and answer when a majority has them.

        None where the outcome is unknown, or another process was quicker: give the same drafts to
        `MessageStore.append`, which finds what is stored and stores the rest.
        """
        if time.monotonic() < self._contested.get(room, 0.0):
            return None
        documents = self._store.documents(room, after, drafts)
        try:
            with pymongo.timeout(self._timeout_seconds):
                await self._messages.insert_many(documents)
        except (BulkWriteError, DuplicateKeyError):
            self._contested[room] = time.monotonic() + CONTESTED_SECONDS
            return None
        except PyMongoError as error:
            log.warning("the database did not answer at once: %s: %.300s", type(error).__name__, error)
            return None
        return self._store.stored(documents)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()
