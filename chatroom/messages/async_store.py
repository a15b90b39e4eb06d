"""The only write from the event loop: insert posts at the next revisions of their room.

A write from a thread would be slower, because other threads hold the interpreter's lock. If the write from the event
loop fails, `MessageStore.append` stores the posts from a thread.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.mongo.database import Database, Document

log = logging.getLogger(__name__)

StoreNow = Callable[[], Awaitable[list[Stored] | None]]
"""A function that stores the prepared drafts, as `AsyncMessages.append` does."""


class Outrun(Exception):
    """Another process has used the next revision. Nothing was stored."""


class AsyncMessages:
    """Write to the messages collection from one event loop. Call `close` on the same loop."""

    def __init__(self, database: Database, store: MessageStore) -> None:
        self._timeout_seconds = database.timeout_seconds
        self._client = database.connect_async()
        self._database = self._client[database.name]
        self._insert = {
            "insert": database["messages"].name,
            "ordered": True,
            "writeConcern": database.write_concern.document,
        }
        self._store = store

    async def append(self, room: str, drafts: Sequence[Rendered], after: int) -> list[Stored] | None:
        """Store drafts at the revisions that follow `after`. Return when a majority has stored them.

        Returns None if the outcome is unknown, or if a draft is stored already. Then pass the same drafts to
        `MessageStore.append`. Raises `Outrun` if another process has used the next revision.
        """
        documents = self._store.documents(room, after, drafts)
        return self._store.stored(documents) if await self._has_stored(documents) else None

    def make_ready(self, room: str, drafts: Sequence[Rendered], after: int) -> StoreNow:
        """Encode the drafts, and return a function that does the rest of `append`."""
        documents = self._store.documents(room, after, drafts)
        stored = self._store.stored(documents)
        encoded = [RawBSONDocument(bson.encode(document)) for document in documents]

        async def store_now() -> list[Stored] | None:
            return stored if await self._has_stored(encoded) else None

        return store_now

    async def _has_stored(self, documents: Sequence[Mapping[str, Any]]) -> bool:
        """Insert documents. Return False if the insert may have failed."""
        try:
            with pymongo.timeout(self._timeout_seconds):
                # `insert_many` would read every document, and take a third longer.
                reply = await self._database.command({**self._insert, "documents": documents})
        except PyMongoError as error:
            log.warning("the database did not answer at once: %s: %.300s", type(error).__name__, error)
            return False
        if _is_outrun(reply):
            raise Outrun
        return reply.get("n") == len(documents) and not (reply.get("writeErrors") or reply.get("writeConcernError"))

    async def close(self) -> None:
        await self._client.close()


def _is_outrun(reply: Document) -> bool:
    """Return whether nothing was stored because the first revision is already used."""
    failure: Document = next(iter(reply.get("writeErrors", ())), {})
    return failure.get("index") == 0 and set(failure.get("keyPattern", {"?": 1})) <= {"room", "revision", "revisions"}
