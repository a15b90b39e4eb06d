import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import SERVER_MADE, Author, Draft, Message, Person, Reaction, Role, Room
from chatroom.messages.async_store import StoreNow
from chatroom.messages.changes import MOST_PINS, Change
from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.messages.posting import Messages
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from tests.databases import in_memory, make_acts
from tests.people import ALICE, BOB, access, draft

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
LONGEST = 40


@pytest.fixture
def database() -> Database:
    return in_memory()


@pytest.fixture
def store(database: Database) -> MessageStore:
    return MessageStore(database, origin="here", clock=lambda: NOW)


@pytest.fixture
def messages(store: MessageStore) -> Messages:
    return Messages(store, max_length=LONGEST, clock=lambda: NOW + timedelta(minutes=1))


def say(messages: Messages, text: str, client_id: str | None = None) -> Message:
    return messages.post(LOBBY, messages.draft(ALICE, text, client_id)).message


def edit(messages: Messages, person: Author, message_id: str, text: str) -> Message:
    return messages.change(LOBBY, messages.changes.editing(access(person, LOBBY), message_id, text))


def edit_seen(messages: Messages, message: Message, text: str) -> Message:
    """As an editor does who has this state of the message in view."""
    change = messages.changes.editing(access(ALICE, LOBBY), message.id, text, seen=message.revision)
    return messages.change(LOBBY, change)


def delete(messages: Messages, person: Author, message_id: str, role: Role = "member") -> Message:
    return messages.change(LOBBY, messages.changes.deleting(access(person, LOBBY, role), message_id))


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "\n\t\r\n",
            "\u00a0\u2003\u3000",
            "\u200b",
            "\u200b \u200b \u200b",
            "\u200d\u2060\ufeff",
            "\u00ad",
            "\u034f",
            "\u061c\u200e\u200f",
            "\u202a\u202e\u2066\u2069",
            "\u115f\u1160\u3164\uffa0",
            "\u180e\u17b4",
            "\ufe0f",
            "\U000e0020\U000e007f",
            "\u2800",
            "\ufff9\ufffb",
            "\0",
            "\x1b\x7f\x85",
            "\u2028\u2029",
        ],
        ids=ascii,
    )
    def test_l01_nothing_that_can_be_seen_is_empty(self, messages: Messages, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            messages.check_text(text)
        assert refusal.value.reason == "empty"

    @pytest.mark.parametrize(
        "text",
        [
            "a",
            ".",
            "\u200ba",
            "\0.",
            "\u2764\ufe0f",
            "\U0001f468\u200d\U0001f469",
            "\u0645",
            "\u0301",
            "\ue000",
            "$where",
            "a.b",
            "{{7*7}}",
            "%s",
        ],
        ids=ascii,
    )
    def test_what_can_be_seen_is_a_text(self, messages: Messages, text: str) -> None:
        messages.check_text(text)

    @pytest.mark.parametrize("character", ["x", "é", "\U0001f600", "\n."])
    def test_l01_the_length_is_counted_in_characters(self, messages: Messages, character: str) -> None:
        longest = (character * LONGEST)[:LONGEST]
        messages.check_text(longest)
        with pytest.raises(Refused, match=rf"{LONGEST + 1} characters, and at most {LONGEST}") as refusal:
            messages.check_text(longest + "x")
        assert refusal.value.reason == "too_long"

    def test_zero_is_no_limit(self, store: MessageStore) -> None:
        Messages(store, max_length=0).check_text("x" * 100_000)

    @pytest.mark.parametrize("text", ["a\ud800", "\udfffb", "\ud800", "é\udc00"], ids=ascii)
    def test_u07_half_a_character_is_refused(self, messages: Messages, text: str) -> None:
        with pytest.raises(Refused) as refusal:
            messages.check_text(text)
        assert refusal.value.reason == "invalid"

    def test_the_text_is_kept_as_it_was_typed(self, messages: Messages) -> None:
        assert say(messages, "  *hi*\r\n ").text == "  *hi*\r\n "


class TestDraft:
    def test_a_draft_keeps_its_client_id(self, messages: Messages) -> None:
        assert messages.draft(ALICE, "hi", "a1") == Draft(author=ALICE, text="hi", client_id="a1")

    def test_one_without_gets_one_that_no_client_could_send(self, messages: Messages) -> None:
        ids = {messages.draft(ALICE, "hi").client_id for _ in range(20)}

        assert len(ids) == 20
        assert all(client_id.startswith(SERVER_MADE) for client_id in ids)

    def test_a_draft_is_checked(self, messages: Messages) -> None:
        with pytest.raises(Refused):
            messages.draft(ALICE, "")


class TestPost:
    def test_a_text_is_rendered_when_it_is_stored(self, messages: Messages) -> None:
        message = say(messages, "*hi*")

        assert (message.text, message.html) == ("*hi*", "<p><em>hi</em></p>")
        assert message.sequence == 1

    def test_the_engine_takes_over_while_it_runs(self, messages: Messages) -> None:
        taken: list[tuple[Room, Draft]] = []

        def post_through(room: Room, draft: Draft) -> Stored:
            taken.append((room, draft))
            return messages.append(room.id, [draft])[0]

        messages.post_through = post_through
        draft = messages.draft(ALICE, "hi", "a1")

        assert messages.post(LOBBY, draft).message.sequence == 1
        assert taken == [(LOBBY, draft)]

    def test_d03_a_post_twice_is_one_message(self, messages: Messages) -> None:
        assert say(messages, "hi", "a1") == say(messages, "hi", "a1")


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
    def append(self, messages: Messages, *drafts: Draft) -> list[Rendered] | None:
        """What was given to the store, or None where the ordinary way has to be gone."""
        messages.store_now = stored_now = StoredNow()  # type: ignore[assignment]
        answer = asyncio.run(messages.append_now(LOBBY.id, drafts, 7))
        assert (answer is None) == (stored_now.asked == [])
        if answer is None:
            assert messages.make_ready(LOBBY.id, drafts, 7) is None
            return None
        ((room, rendered, after),) = stored_now.asked
        assert (room, after) == (LOBBY.id, 7)
        store_now = messages.make_ready(LOBBY.id, drafts, 7)
        assert store_now is not None
        asyncio.run(store_now())
        assert stored_now.asked[1] == stored_now.asked[0]
        return rendered

    def test_plain_texts_are_stored_from_the_event_loop_as_the_ordinary_way_renders_them(
        self, messages: Messages
    ) -> None:
        drafts = [draft("a1", "one, two\nand more"), draft("a2", "🎉")]

        rendered = self.append(messages, *drafts)

        assert rendered is not None
        assert [each.draft for each in rendered] == drafts
        assert [each.html for each in rendered] == [s.message.html for s in messages.append(LOBBY.id, drafts)]

    @pytest.mark.parametrize("text", ["**bold**", "see https://example.org", "`code`", "hi :tada: you"])
    def test_markup_needs_the_parser_and_so_a_thread(self, messages: Messages, text: str) -> None:
        assert self.append(messages, draft("a1"), draft("a2", text)) is None

    def test_the_same_draft_twice_needs_the_ordinary_way(self, messages: Messages) -> None:
        assert self.append(messages, draft("a1"), draft("a1")) is None
        assert self.append(messages, draft("a1"), draft("a1", author=BOB)) is not None

    def test_lines_of_the_room_and_mentions_go_the_ordinary_way(self, messages: Messages) -> None:
        member = Person(id=BOB.id, username="bob", name="Bob")
        line = msgspec.structs.replace(draft("a1"), kind="event")
        naming = msgspec.structs.replace(draft("a1"), mentions=(member,))
        assert self.append(messages, line) is None
        assert self.append(messages, naming) is None

    def test_without_an_event_loop_there_is_only_the_ordinary_way(self, messages: Messages) -> None:
        assert asyncio.run(messages.append_now(LOBBY.id, [draft("a1")], 0)) is None


class TestEdit:
    def test_its_author_gives_a_message_another_text(self, messages: Messages) -> None:
        message = say(messages, "teh")

        edited = edit(messages, ALICE, message.id, "*the*")

        assert (edited.text, edited.html) == ("*the*", "<p><em>the</em></p>")
        assert (edited.sequence, edited.revision) == (1, 2)
        assert edited.edited_at == NOW + timedelta(minutes=1)
        assert edited.sent_at == NOW

    def test_the_same_text_is_no_change(self, messages: Messages) -> None:
        message = say(messages, "hi")

        assert edit(messages, ALICE, message.id, "hi") == message

    def test_nobody_else_edits_or_deletes_it(self, messages: Messages) -> None:
        message = say(messages, "hi")
        for change in (
            lambda: edit(messages, BOB, message.id, "ho"),
            lambda: delete(messages, BOB, message.id),
        ):
            with pytest.raises(Refused) as refusal:
                change()
            assert refusal.value.reason == "forbidden"
        assert messages.newest(LOBBY, 1).messages == [message]

    @pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1), "\ud800x"], ids=ascii)
    def test_the_new_text_is_checked(self, messages: Messages, text: str) -> None:
        message = say(messages, "hi")
        with pytest.raises(Refused):
            edit(messages, ALICE, message.id, text)

    def test_a_deleted_message_is_not_edited_back(self, messages: Messages) -> None:
        message = say(messages, "hi")
        delete(messages, ALICE, message.id)
        with pytest.raises(Refused) as refusal:
            edit(messages, ALICE, message.id, "ho")
        assert refusal.value.reason == "not_found"


class TestDelete:
    def test_a_deleted_message_keeps_its_place_and_nothing_else(self, messages: Messages, database: Database) -> None:
        message = say(messages, "secret")

        deleted = delete(messages, ALICE, message.id)

        assert (deleted.text, deleted.html) == ("", "")
        assert (deleted.sequence, deleted.revision) == (1, 2)
        assert deleted.deleted_at == NOW + timedelta(minutes=1)
        assert "secret" not in repr(list(database["messages"].find()))

    def test_a_moderator_deletes_anybodys_and_edits_nobodys(self, messages: Messages) -> None:
        message = say(messages, "hi")

        with pytest.raises(Refused):
            messages.change(LOBBY, messages.changes.editing(access(BOB, LOBBY, "moderator"), message.id, "ho"))
        assert delete(messages, BOB, message.id, "moderator").deleted_at

    def test_what_a_moderator_deletes_is_noted_once_and_ones_own_is_not(
        self, messages: Messages, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where the outcome of the write was unknown, and it was tried again."""
        audit = Audit(AuditStore(database))
        messages.changes._acts = make_acts(database)
        RoomStore(database).ensure(LOBBY)
        message, own = say(messages, "a secret"), say(messages, "mine", "c2")
        delete(messages, ALICE, own.id, "moderator")
        assert audit.page().entries == []
        change = messages.changes.deleting(access(BOB, LOBBY, "moderator"), message.id, "rude")
        write = store.change

        def write_and_fall_silent(*given: Any, **more: Any) -> Message:
            write(*given, **more)
            raise Unavailable("silence")

        monkeypatch.setattr(store, "change", write_and_fall_silent)
        with pytest.raises(Unavailable):
            change(LOBBY.id, None)
        monkeypatch.setattr(store, "change", write)
        assert change(LOBBY.id, None).deleted_at
        delete(messages, BOB, message.id, "moderator")
        (entry,) = audit.page(room=LOBBY.id).entries
        assert (entry.actor, entry.act, entry.subject.name) == (BOB, "delete_message", "Alice in Lobby")
        assert (entry.reason, entry.details) == ("rude", {"message": message.sequence})

    def test_changes_go_through_the_engine_where_it_runs(self, messages: Messages) -> None:
        message = say(messages, "hi")
        rooms: list[Room] = []

        def change_through(room: Room, change: Change) -> Message:
            rooms.append(room)
            return change(room.id, 1)

        messages.change_through = change_through
        assert delete(messages, ALICE, message.id).deleted_at
        assert rooms == [LOBBY]

    def test_deleting_again_changes_nothing(self, messages: Messages) -> None:
        message = say(messages, "hi")
        deleted = delete(messages, ALICE, message.id)

        assert delete(messages, ALICE, message.id) == deleted

    def test_a_deleted_message_sent_again_stays_deleted(self, messages: Messages) -> None:
        message = say(messages, "hi", "a1")
        deleted = delete(messages, ALICE, message.id)

        assert say(messages, "hi", "a1") == deleted


class TestReact:
    def react(self, messages: Messages, person: Author, message_id: str, emoji: str, *, on: bool = True) -> Message:
        return messages.change(LOBBY, messages.changes.reacting(access(person, LOBBY), message_id, emoji, on=on))

    def test_to_what_is_announced_everybody_reacts_who_is_not_muted(self, messages: Messages) -> None:
        message = say(messages, "Version 2.1 is out")
        announcements = msgspec.structs.replace(LOBBY, is_read_only=True)
        bob = access(BOB, announcements)
        changed = messages.change(LOBBY, messages.changes.reacting(bob, message.id, "🎉"))
        assert changed.reactions == (Reaction("🎉", (BOB,)),)
        for closed, reason in (
            (msgspec.structs.replace(bob, muted_until=NOW + timedelta(days=1)), "muted"),
            (access(BOB, msgspec.structs.replace(announcements, archived_at=NOW)), "archived"),
        ):
            with pytest.raises(Refused) as refusal:
                messages.changes.reacting(closed, message.id, "🎉")
            assert refusal.value.reason == reason
        with pytest.raises(Refused) as refusal:
            messages.check_posting(bob)
        assert refusal.value.reason == "read_only"

    def test_reactions_come_and_go_and_each_is_a_revision(self, messages: Messages) -> None:
        message = say(messages, "hi")
        self.react(messages, BOB, message.id, "🎉")
        both = self.react(messages, ALICE, message.id, ":tada:")
        assert both.reactions == (Reaction("🎉", (BOB, ALICE)),)
        assert (both.revision, both.text, both.edited_at) == (3, "hi", None)
        assert self.react(messages, BOB, message.id, "🎉", on=False).reactions == (Reaction("🎉", (ALICE,)),)
        assert self.react(messages, ALICE, message.id, "🎉", on=False).reactions == ()

    def test_the_same_again_is_no_change(self, messages: Messages) -> None:
        message = say(messages, "hi")
        once = self.react(messages, BOB, message.id, "🎉")
        assert self.react(messages, BOB, message.id, "🎉") == once
        assert self.react(messages, BOB, message.id, "😄", on=False) == once

    def test_only_an_emoji_and_only_on_what_is_there(self, messages: Messages) -> None:
        message = say(messages, "hi")
        with pytest.raises(Refused) as refusal:
            self.react(messages, BOB, message.id, "<b>")
        assert refusal.value.reason == "invalid"
        self.react(messages, BOB, message.id, "🎉")
        assert delete(messages, ALICE, message.id).reactions == ()
        with pytest.raises(Refused) as refusal:
            self.react(messages, BOB, message.id, "🎉")
        assert refusal.value.reason == "not_found"


class TestPin:
    def pin(self, messages: Messages, message_id: str, role: Role = "moderator", *, on: bool = True) -> Message:
        return messages.change(LOBBY, messages.changes.pinning(access(BOB, LOBBY, role), message_id, on=on))

    def test_moderators_pin_and_unpin(self, messages: Messages) -> None:
        first, second = say(messages, "one"), say(messages, "two")
        assert self.pin(messages, second.id).pinned_at
        self.pin(messages, first.id)
        assert {message.text for message in messages.pinned(LOBBY)} == {"one", "two"}
        assert self.pin(messages, second.id, on=False).pinned_at is None
        assert [message.text for message in messages.pinned(LOBBY)] == ["one"]
        delete(messages, ALICE, first.id)
        assert messages.pinned(LOBBY) == []

    def test_the_same_again_is_no_change(self, messages: Messages) -> None:
        message = say(messages, "hi")
        assert self.pin(messages, message.id, on=False) == message
        assert self.pin(messages, message.id) == self.pin(messages, message.id)

    def test_the_room_says_who_pinned_once_for_each_time(self, messages: Messages, store: MessageStore) -> None:
        message = say(messages, "hi")
        for on in (True, True, False, True):
            self.pin(messages, message.id, on=on)
        lines = [each for each in store.newest(LOBBY.id, 9) if each.kind == "event"]
        assert [(each.text, each.reply_to) for each in lines] == [("Bob pinned a message", message.sequence)] * 2
        assert {each.author.id for each in lines} == {BOB.id}

    def test_a_pin_whose_outcome_was_unknown_is_said_once(
        self, messages: Messages, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = say(messages, "hi")
        change = messages.changes.pinning(access(BOB, LOBBY, "moderator"), message.id)
        write = store.change

        def write_and_fall_silent(*given: Any, **more: Any) -> Message:
            write(*given, **more)
            raise Unavailable("silence")

        monkeypatch.setattr(store, "change", write_and_fall_silent)
        with pytest.raises(Unavailable):
            change(LOBBY.id, None)
        monkeypatch.setattr(store, "change", write)
        assert change(LOBBY.id, None).pinned_at
        assert [each.kind for each in store.newest(LOBBY.id, 9)] == ["message", "event"]

    def test_a_line_that_cannot_be_written_is_left_out(
        self, messages: Messages, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = say(messages, "hi")

        def silence(*_: Any, **__: Any) -> None:
            raise Unavailable("silence")

        monkeypatch.setattr(store, "append", silence)
        assert self.pin(messages, message.id).pinned_at

    def test_nobody_else_but_in_a_direct_room(self, messages: Messages) -> None:
        message = say(messages, "hi")
        with pytest.raises(Refused) as refusal:
            self.pin(messages, message.id, "member")
        assert refusal.value.reason == "forbidden"
        direct = Room(id=LOBBY.id, slug="d", title="", kind="direct")
        assert messages.change(LOBBY, messages.changes.pinning(access(BOB, direct), message.id)).pinned_at

    def test_there_are_at_most_fifty(self, messages: Messages) -> None:
        ids = [say(messages, f"text {n}").id for n in range(MOST_PINS + 1)]
        for each in ids[:-1]:
            self.pin(messages, each)
        with pytest.raises(Refused) as refusal:
            self.pin(messages, ids[-1])
        assert refusal.value.reason == "too_many_pins"
        self.pin(messages, ids[0], on=False)
        assert self.pin(messages, ids[-1]).pinned_at


class TestMentions:
    @pytest.fixture
    def naming(self, store: MessageStore) -> Messages:
        """Messages in which whoever is called Bob can be named."""
        bob = Person(id=BOB.id, username="bob", name="Bob <b>")
        return Messages(
            store, max_length=LONGEST, find_mentions=lambda _, text: (bob,) if "@bob" in text else (), clock=lambda: NOW
        )

    def test_a_post_names_somebody(self, naming: Messages) -> None:
        draft = naming.with_mentions(access(ALICE, LOBBY), naming.draft(ALICE, "hi @bob", "a1"))
        message = naming.post(LOBBY, draft).message
        assert message.mentions == (BOB.id,)
        assert message.html == f'<p>hi <span class="mention" data-user="{BOB.id}">@Bob &lt;b&gt;</span></p>'

    def test_an_edit_names_somebody_else_or_nobody(self, naming: Messages) -> None:
        message = say(naming, "hi")
        assert edit(naming, ALICE, message.id, "hi @bob").mentions == (BOB.id,)
        assert edit(naming, ALICE, message.id, "hi").mentions == ()

    def test_a_draft_that_names_nobody_is_the_same(self, naming: Messages) -> None:
        draft = naming.draft(ALICE, "hi", "a1")
        assert naming.with_mentions(access(ALICE, LOBBY), draft) is draft


class TestPages:
    @pytest.fixture(autouse=True)
    def seven(self, messages: Messages) -> None:
        self.posted = [say(messages, f"text {n}") for n in range(1, 8)]

    def test_the_newest_page(self, messages: Messages) -> None:
        page = messages.newest(LOBBY, 3)

        assert [m.sequence for m in page.messages] == [5, 6, 7]
        assert (page.revision, page.more) == (7, True)
        assert not messages.newest(LOBBY, 7).more
        assert len(messages.newest(LOBBY, 9).messages) == 7

    def test_older_pages(self, messages: Messages) -> None:
        page = messages.before(LOBBY, 5, 3)

        assert [m.sequence for m in page.messages] == [2, 3, 4]
        assert page.more
        page = messages.before(LOBBY, 2, 3)
        assert [m.sequence for m in page.messages] == [1]
        assert not page.more
        assert messages.before(LOBBY, 1, 3).messages == []

    def test_what_changed_since(self, messages: Messages) -> None:
        edit(messages, ALICE, self.posted[0].id, "changed")

        page = messages.after(LOBBY, 5, 2)
        assert [m.revision for m in page.messages] == [6, 7]
        assert (page.revision, page.more) == (7, True)
        page = messages.after(LOBBY, page.revision, 2)
        assert [(m.sequence, m.revision) for m in page.messages] == [(1, 8)]
        assert (page.revision, page.more) == (8, False)

    def test_nothing_changed_since(self, messages: Messages) -> None:
        page = messages.after(LOBBY, 7, 2)

        assert (page.messages, page.revision, page.more) == ([], 7, False)
        assert messages.newest_revision(LOBBY) == 7

    @pytest.mark.parametrize("cursor", [8, 2**53])
    def test_l10_a_cursor_that_the_room_never_gave_is_refused(self, messages: Messages, cursor: int) -> None:
        with pytest.raises(Refused) as refusal:
            messages.after(LOBBY, cursor, 2)
        assert refusal.value.reason == "unknown_cursor"

    def test_a_change_while_the_page_is_read_comes_twice_rather_than_never(
        self, messages: Messages, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newest = store.newest

        def late(room: str, limit: int) -> list[Message]:
            say(messages, "late")
            return newest(room, limit)

        monkeypatch.setattr(store, "newest", late)
        page = messages.newest(LOBBY, 3)

        assert page.messages[-1].text == "late"
        assert messages.after(LOBBY, page.revision, 9).messages[-1].text == "late"


def test_an_empty_room_has_an_empty_page(messages: Messages) -> None:
    page = messages.newest(LOBBY, 3)

    assert (page.messages, page.revision, page.more) == ([], 0, False)
    assert messages.after(LOBBY, 0, 3).messages == []


class TestEditsThatComeLate:
    def test_an_edit_that_was_made_since_is_not_overwritten(self, messages: Messages) -> None:
        """D: an edit of unknown outcome, sent again, must not undo a newer one."""
        seen = say(messages, "one")
        edit_seen(messages, seen, "two")
        with pytest.raises(Refused) as refusal:
            edit_seen(messages, seen, "late")
        assert refusal.value.reason == "conflict"
        assert messages.get(LOBBY, seen.id).text == "two"

    def test_the_same_edit_again_is_answered_as_if_it_had_been_made(self, messages: Messages) -> None:
        seen = say(messages, "one")
        first = edit_seen(messages, seen, "two")
        assert edit_seen(messages, seen, "two") == first

    def test_what_else_changed_is_no_conflict(self, messages: Messages, store: MessageStore) -> None:
        seen = say(messages, "one")
        store.change(LOBBY.id, seen.id, lambda _: {"pinned_at": NOW})
        assert edit_seen(messages, seen, "two").text == "two"

    def test_who_has_read_the_newer_text_may_replace_it(self, messages: Messages) -> None:
        newer = edit_seen(messages, say(messages, "one"), "two")
        assert newer.text_revision == newer.revision
        assert edit_seen(messages, newer, "three").text == "three"

    def test_without_a_revision_the_last_one_wins(self, messages: Messages) -> None:
        first = say(messages, "one")
        edit_seen(messages, first, "two")
        assert edit(messages, ALICE, first.id, "three").text == "three"


class TestReplies:
    def test_what_is_answered_must_be_a_message_of_the_room(self, messages: Messages, store: MessageStore) -> None:
        say(messages, "one")
        store.change(LOBBY.id, say(messages, "joined").id, lambda _: {"kind": "event"})
        messages.check_reply(LOBBY, None)
        messages.check_reply(LOBBY, 1)
        elsewhere = Room(id="elsewhere", slug="elsewhere", title="")
        for room, sequence in ((LOBBY, 2), (LOBBY, 3), (LOBBY, 99), (elsewhere, 1)):
            with pytest.raises(Refused) as refusal:
                messages.check_reply(room, sequence)
            assert refusal.value.reason == "invalid"

    def test_a_deleted_message_may_be_answered(self, messages: Messages) -> None:
        delete(messages, ALICE, say(messages, "one").id)
        messages.check_reply(LOBBY, 1)

    def test_what_is_quoted_is_as_it_is_now(self, messages: Messages) -> None:
        first = say(messages, "one")
        answer = messages.post(LOBBY, messages.draft(BOB, "yes", reply_to=1)).message
        edit(messages, ALICE, first.id, "two")
        assert {sequence: found.text for sequence, found in messages.quoted(LOBBY, [answer]).items()} == {1: "two"}
        assert messages.quoted(LOBBY, [first]) == {}


CODE = "```py\ndef f(): pass\n```"


class TestCode:
    """L17: colouring takes long; nobody else's post waits for it."""

    def test_it_is_coloured_before_it_is_queued(self, messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
        ready = messages.with_code(messages.draft(ALICE, CODE, "c1"))
        assert '<span class="k">' in ready.html
        monkeypatch.setattr(messages._colours, "of", lambda _: pytest.fail("it is coloured in the queue"))
        assert messages.append("lobby", [ready])[0].message.html == ready.html

    def test_it_is_so_where_the_engine_runs(self, messages: Messages) -> None:
        queued: list[Draft] = []

        def put(_: Room, draft: Draft) -> Stored:
            queued.append(draft)
            raise Unavailable("not yet")

        messages.post_through = put
        for text in (CODE, "hello"):
            with pytest.raises(Unavailable):
                say(messages, text)
        assert ["span" in each.html for each in queued] == [True, False]

    def test_what_is_coloured_is_stored_from_the_event_loop(self, messages: Messages) -> None:
        now = StoredNow()
        messages.store_now = now  # type: ignore[assignment]
        ready = messages.with_code(draft("c1", CODE))
        asyncio.run(messages.append_now("lobby", [ready], 0))
        ((_, rendered, _),) = now.asked
        assert [each.html for each in rendered] == [ready.html]

    def test_other_texts_are_left_to_the_writer(self, messages: Messages) -> None:
        plain = messages.draft(ALICE, "*hello*")
        assert messages.with_code(plain) is plain

    def test_an_edit_is_counted_as_a_post_is(self, messages: Messages) -> None:
        message = say(messages, "hello")
        messages._colours._take(ALICE.id, 60)
        assert "span" not in edit(messages, ALICE, message.id, CODE).html
        assert "span" not in say(messages, CODE).html
        assert '<code class="language-py">' in say(messages, CODE, "c2").html
        posted = messages.post(LOBBY, messages.draft(BOB, CODE)).message
        assert "span" in posted.html
