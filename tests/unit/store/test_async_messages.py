import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import _csot
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from chatroom.store import async_messages
from chatroom.store.async_messages import AsyncMessages
from chatroom.store.database import Database
from chatroom.store.messages import MessageStore
from tests.people import BOB, rendered

ROOM = "lobby"
pytestmark = pytest.mark.integration  # mongomock has no asynchronous client


@pytest.fixture
def store(real_database: Database) -> MessageStore:
    return MessageStore(real_database, origin="here")


def run(database: Database, store: MessageStore, test: Callable[[AsyncMessages], Awaitable[Any]]) -> None:
    async def with_messages() -> None:
        messages = AsyncMessages(database, store)
        try:
            await test(messages)
        finally:
            await messages.close()

    asyncio.run(with_messages())


def log_of(store: MessageStore) -> list[tuple[int, int, str]]:
    return [(m.sequence, m.revision, m.text) for m in store.changed_after(ROOM, 0, 1000)]


def batch(*client_ids: str) -> list[Any]:
    return [rendered(client_id) for client_id in client_ids]


def test_drafts_become_the_next_messages_as_a_reader_reads_them(real_database: Database, store: MessageStore) -> None:
    store.append(ROOM, batch("a1"))

    async def test(messages: AsyncMessages) -> None:
        stored = await messages.append(ROOM, batch("a2", "a3"), 1)

        assert stored is not None
        assert [each.is_repeated for each in stored] == [False, False]
        assert store.changed_after(ROOM, 1, 10) == [each.message for each in stored]

    run(real_database, store, test)
    assert log_of(store) == [(1, 1, "a1"), (2, 2, "a2"), (3, 3, "a3")]


def test_it_waits_for_a_majority_and_the_journal_as_every_write(real_database: Database, store: MessageStore) -> None:
    async def test(messages: AsyncMessages) -> None:
        assert messages._messages.write_concern == real_database.messages.write_concern
        assert messages._messages.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}

    run(real_database, store, test)


def test_d02_who_is_behind_stores_nothing_and_leaves_the_room_alone_for_a_while(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the revision: the ordinary way finds out where the room is now."""
    store.append(ROOM, [rendered("b1", author=BOB)])

    async def test(messages: AsyncMessages) -> None:
        assert await messages.append(ROOM, batch("a1", "a2"), 0) is None
        assert [m[2] for m in log_of(store)] == ["b1"]
        assert await messages.append(ROOM, batch("a1", "a2"), 1) is None
        assert await messages.append("another", batch("a1"), 0) is not None
        monkeypatch.setattr(async_messages, "CONTESTED_SECONDS", -1.0)
        messages._contested[ROOM] = time.monotonic() - 1
        assert await messages.append(ROOM, batch("a1", "a2"), 1) is not None

    run(real_database, store, test)
    assert [m[2] for m in log_of(store)] == ["b1", "a1", "a2"]


def test_what_was_sent_before_is_settled_by_the_ordinary_way(real_database: Database, store: MessageStore) -> None:
    (first,) = store.append(ROOM, batch("a1"))

    async def test(messages: AsyncMessages) -> None:
        assert await messages.append(ROOM, batch("a0", "a1", "a2"), 1) is None

    run(real_database, store, test)
    settled = store.append(ROOM, batch("a0", "a1", "a2"), after=1)
    assert settled[1].message == first.message
    assert log_of(store) == [(1, 1, "a1"), (2, 2, "a0"), (3, 3, "a2")]


def test_an_unknown_outcome_is_settled_by_the_ordinary_way(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(messages: AsyncMessages) -> None:
        insert_many = messages._messages.insert_many

        async def insert_and_fall_silent(documents: list[dict[str, Any]]) -> None:
            await insert_many(documents[:2])
            raise AutoReconnect("the primary went away")

        monkeypatch.setattr(messages._messages, "insert_many", insert_and_fall_silent)
        assert await messages.append(ROOM, batch("a1", "a2", "a3"), 0) is None

    run(real_database, store, test)
    settled = store.append(ROOM, batch("a1", "a2", "a3"), after=0)
    assert [each.message.sequence for each in settled] == [1, 2, 3]
    assert log_of(store) == [(1, 1, "a1"), (2, 2, "a2"), (3, 3, "a3")]


def test_a_database_that_is_away_leaves_the_outcome_to_the_ordinary_way(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(messages: AsyncMessages) -> None:
        asked: list[float | None] = []

        async def find_nobody(_: list[dict[str, Any]]) -> None:
            asked.append(_csot.get_timeout())
            raise ServerSelectionTimeoutError("nobody is primary")

        monkeypatch.setattr(messages._messages, "insert_many", find_nobody)
        assert await messages.append(ROOM, batch("a1"), 0) is None
        assert asked == [real_database.timeout_seconds]

    run(real_database, store, test)
    assert "the database did not answer at once: ServerSelectionTimeoutError" in caplog.text
