"""Drafts become a room's next messages, from a thread or from the event loop."""

import asyncio
from functools import partial

import msgspec
import pytest

from chatroom.base.models import Draft, Person
from chatroom.messages.async_store import StoreNow
from chatroom.messages.messages_store import Rendered, Stored
from chatroom.rooms.access import LOBBY
from tests.messaging import Messaging
from tests.people import BOB, draft


class StoredNow:
    """Stands for the store on the event loop: keeps what it is asked to store."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[Rendered], int]] = []

    async def append(self, room: str, drafts: list[Rendered], after: int) -> list[Stored]:
        self.asked.append((room, drafts, after))
        return []

    def make_ready(self, room: str, drafts: list[Rendered], after: int) -> StoreNow:
        return partial(self.append, room, drafts, after)


class TestAppendNow:
    def append(self, messages: Messaging, *drafts: Draft) -> list[Rendered] | None:
        """What was given to the store, or None where the ordinary way has to be gone."""
        messages.appending._store_now = stored_now = StoredNow()  # type: ignore[assignment]
        answer = asyncio.run(messages.appending.append_now(LOBBY.id, drafts, 7))
        assert (answer is None) == (stored_now.asked == [])
        if answer is None:
            assert messages.appending.make_ready(LOBBY.id, drafts, 7) is None
            return None
        ((room, rendered, after),) = stored_now.asked
        assert (room, after) == (LOBBY.id, 7)
        store_now = messages.appending.make_ready(LOBBY.id, drafts, 7)
        assert store_now is not None
        asyncio.run(store_now())
        assert stored_now.asked[1] == stored_now.asked[0]
        return rendered

    def test_plain_texts_are_stored_from_the_event_loop_as_the_ordinary_way_renders_them(
        self, messages: Messaging
    ) -> None:
        drafts = [draft("a1", "one, two\nand more"), draft("a2", "🎉")]

        rendered = self.append(messages, *drafts)

        assert rendered is not None
        assert [each.draft for each in rendered] == drafts
        assert [each.html for each in rendered] == [s.message.html for s in messages.append(LOBBY.id, drafts)]

    @pytest.mark.parametrize("text", ["**bold**", "see https://example.org", "`code`", "hi :tada: you"])
    def test_markup_needs_the_parser_and_so_a_thread(self, messages: Messaging, text: str) -> None:
        assert self.append(messages, draft("a1"), draft("a2", text)) is None

    def test_the_same_draft_twice_needs_the_ordinary_way(self, messages: Messaging) -> None:
        assert self.append(messages, draft("a1"), draft("a1")) is None
        assert self.append(messages, draft("a1"), draft("a1", author=BOB)) is not None

    def test_lines_of_the_room_and_mentions_go_the_ordinary_way(self, messages: Messaging) -> None:
        member = Person(id=BOB.id, username="bob", name="Bob")
        line = msgspec.structs.replace(draft("a1"), kind="event")
        naming = msgspec.structs.replace(draft("a1"), mentions=(member,))
        assert self.append(messages, line) is None
        assert self.append(messages, naming) is None
        assert self.append(messages, msgspec.structs.replace(draft("a1", "#den"), rooms=("den",))) is None

    def test_without_an_event_loop_there_is_only_the_ordinary_way(self, messages: Messaging) -> None:
        assert asyncio.run(messages.appending.append_now(LOBBY.id, [draft("a1")], 0)) is None

    def test_highlighted_texts_are_stored_from_the_event_loop(self, messages: Messaging) -> None:
        now = StoredNow()
        messages.appending._store_now = now  # type: ignore[assignment]
        ready = messages.texts.with_code(draft("c1", "```py\ndef f(): pass\n```"))
        asyncio.run(messages.appending.append_now("lobby", [ready], 0))
        ((_, rendered, _),) = now.asked
        assert [each.html for each in rendered] == [ready.html]
