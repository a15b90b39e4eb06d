"""The one write from the event loop itself: posts that are next in their room, without conflict.

A thread would wait for the interpreter's lock three times, behind every page that is being rendered. A post that does
not go through at once is stored by `MessageStore.append`, in a thread.
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
"""Store what was made ready, as `AsyncMessages.append` does."""


class Outrun(Exception):
    """Another process was quicker: the revision that was to be the next is taken, and nothing was stored."""


class AsyncMessages:
    """The messages collection, for the event loop on which this is first used; `close` it there."""

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
        """Store drafts as the messages that follow `after`, the newest revision, and answer when a majority has them.

        None where the outcome is unknown, or one of them is stored already: give the same drafts to
        `MessageStore.append`, which finds what is stored and stores the rest. Raises `Outrun`.
        """
        documents = self._store.documents(room, after, drafts)
        return self._store.stored(documents, drafts) if await self._has_stored(documents) else None

    def make_ready(self, room: str, drafts: Sequence[Rendered], after: int) -> StoreNow:
        """Do all of `append` but the writing; what is returned writes, and answers as `append` does."""
        documents = self._store.documents(room, after, drafts)
        stored = self._store.stored(documents, drafts)
        encoded = [RawBSONDocument(bson.encode(document)) for document in documents]

        async def store_now() -> list[Stored] | None:
            return stored if await self._has_stored(encoded) else None

        return store_now

    async def _has_stored(self, documents: Sequence[Mapping[str, Any]]) -> bool:
        """Insert them; False where the ordinary way has to be gone."""
        try:
            with pymongo.timeout(self._timeout_seconds):
                # The command itself: `insert_many` looks at every document, and takes a third longer for it.
                reply = await self._database.command({**self._insert, "documents": documents})
        except PyMongoError as error:
            log.warning("the database did not answer at once: %s: %.300s", type(error).__name__, error)
            return False
        if _is_outrun(reply):
            raise Outrun
        return reply.get("n") == len(documents) and not (reply.get("writeErrors") or reply.get("writeConcernError"))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.close()


def _is_outrun(reply: Document) -> bool:
    """Whether nothing at all was stored, because the first of the revisions is taken."""
    failure: Document = next(iter(reply.get("writeErrors", ())), {})
    return failure.get("index") == 0 and set(failure.get("keyPattern", {"?": 1})) <= {"room", "revision", "revisions"}
