import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo import _csot
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError

from chatroom.messages.async_store import AsyncMessages, Outrun
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
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


def test_prepared_drafts_are_stored_unchanged(real_database: Database, store: MessageStore) -> None:
    store.append(ROOM, batch("a1"))

    async def test(messages: AsyncMessages) -> None:
        store_now = messages.make_ready(ROOM, batch("a2", "a3"), 1)
        assert log_of(store) == [(1, 1, "a1")]
        stored = await store_now()

        assert stored is not None
        assert store.changed_after(ROOM, 1, 10) == [each.message for each in stored]
        with pytest.raises(Outrun):
            await messages.make_ready(ROOM, batch("a4"), 1)()
        assert await messages.make_ready(ROOM, batch("a3"), 3)() is None

    run(real_database, store, test)
    assert log_of(store) == [(1, 1, "a1"), (2, 2, "a2"), (3, 3, "a3")]


def test_it_waits_for_a_majority_and_the_journal_as_every_write(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(messages: AsyncMessages) -> None:
        milliseconds = int(real_database.timeout_seconds * 1000)
        expected = {"w": "majority", "j": True, "wtimeout": milliseconds}
        assert real_database["messages"].write_concern.document == expected
        asked: list[dict[str, Any]] = []
        command = messages._database.command

        async def note(what: dict[str, Any]) -> Any:
            asked.append(what)
            return await command(what)

        monkeypatch.setattr(messages._database, "command", note)
        await messages.append(ROOM, batch("a1"), 0)
        assert asked[0]["writeConcern"] == real_database["messages"].write_concern.document
        assert asked[0]["ordered"]

    run(real_database, store, test)


def test_d02_a_conflict_is_reported_and_stores_nothing(real_database: Database, store: MessageStore) -> None:
    """Another process took the revision: what is to be stored next is known when that has been heard of."""
    store.append(ROOM, [rendered("b1", author=BOB)])

    async def test(messages: AsyncMessages) -> None:
        with pytest.raises(Outrun):
            await messages.append(ROOM, batch("a1", "a2"), 0)
        assert [m[2] for m in log_of(store)] == ["b1"]
        assert await messages.append(ROOM, batch("a1", "a2"), 1) is not None

    run(real_database, store, test)
    assert [m[2] for m in log_of(store)] == ["b1", "a1", "a2"]


def test_a_repeated_draft_is_resolved_in_a_thread(real_database: Database, store: MessageStore) -> None:
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
        command = messages._database.command

        async def insert_and_fall_silent(what: dict[str, Any]) -> None:
            await command({**what, "documents": what["documents"][:2]})
            raise AutoReconnect("the primary went away")

        monkeypatch.setattr(messages._database, "command", insert_and_fall_silent)
        assert await messages.append(ROOM, batch("a1", "a2", "a3"), 0) is None

    run(real_database, store, test)
    settled = store.append(ROOM, batch("a1", "a2", "a3"), after=0)
    assert [each.message.sequence for each in settled] == [1, 2, 3]
    assert log_of(store) == [(1, 1, "a1"), (2, 2, "a2"), (3, 3, "a3")]


@pytest.mark.parametrize(
    "reply",
    [
        {"n": 1, "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
        {"n": 0, "writeErrors": [{"index": 0, "code": 10334, "errmsg": "too large"}]},
        {"n": 0},
    ],
    ids=["no majority in time", "refused for another reason", "nothing was done"],
)
def test_whatever_is_not_a_plain_yes_is_settled_by_the_ordinary_way(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch, reply: dict[str, Any]
) -> None:
    async def test(messages: AsyncMessages) -> None:
        async def answer(_: dict[str, Any]) -> dict[str, Any]:
            return {"ok": 1.0, **reply}

        monkeypatch.setattr(messages._database, "command", answer)
        assert await messages.append(ROOM, batch("a1"), 0) is None

    run(real_database, store, test)


def test_an_outage_leaves_the_outcome_to_a_thread(
    real_database: Database, store: MessageStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(messages: AsyncMessages) -> None:
        asked: list[float | None] = []

        async def find_nobody(_: dict[str, Any]) -> None:
            asked.append(_csot.get_timeout())
            raise ServerSelectionTimeoutError("nobody is primary")

        monkeypatch.setattr(messages._database, "command", find_nobody)
        assert await messages.append(ROOM, batch("a1"), 0) is None
        assert asked == [real_database.timeout_seconds]

    run(real_database, store, test)
    assert "the database did not answer at once: ServerSelectionTimeoutError" in caplog.text
