"""What can be made of a message that is there."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Message, Reaction, Role, Room
from chatroom.messages.log_store import MOST_PINS
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.writer import Change
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from tests.messaging import Messaging
from tests.people import ALICE, BOB, access
from tests.unit.messages.lobby import LONGEST, NOW, delete, edit, say


def edit_seen(messages: Messaging, message: Message, text: str) -> Message:
    """As an editor does who has this state of the message in view."""
    change = messages.changes.editing(access(ALICE, LOBBY), message.id, text, seen=message.revision)
    return messages.change(LOBBY, change)


def make_twice(change: Change, store: MessageStore, monkeypatch: pytest.MonkeyPatch) -> Message:
    """Make a change again after a try that was stored and not answered."""
    write = store.change

    def write_and_fall_silent(*given: Any, **more: Any) -> Message:
        write(*given, **more)
        raise Unavailable("silence")

    monkeypatch.setattr(store, "change", write_and_fall_silent)
    with pytest.raises(Unavailable):
        change(LOBBY.id, None)
    monkeypatch.setattr(store, "change", write)
    return change(LOBBY.id, None)


class TestEdit:
    def test_an_author_edits_a_message(self, messages: Messaging) -> None:
        message = say(messages, "teh")

        edited = edit(messages, ALICE, message.id, "*the*")

        assert (edited.text, edited.html) == ("*the*", "<p><em>the</em></p>")
        assert (edited.sequence, edited.revision) == (1, 2)
        assert edited.edited_at == NOW + timedelta(minutes=1)
        assert edited.sent_at == NOW

    def test_the_same_text_is_no_change(self, messages: Messaging) -> None:
        message = say(messages, "hi")

        assert edit(messages, ALICE, message.id, "hi") == message

    def test_nobody_else_edits_or_deletes_it(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        for change in (
            lambda: edit(messages, BOB, message.id, "ho"),
            lambda: delete(messages, BOB, message.id),
        ):
            with pytest.raises(Refused) as refusal:
                change()
            assert refusal.value.reason == "forbidden"
        assert messages.history.newest(LOBBY, 1).messages == [message]

    @pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1), "\ud800x"], ids=ascii)
    def test_the_new_text_is_checked(self, messages: Messaging, text: str) -> None:
        message = say(messages, "hi")
        with pytest.raises(Refused):
            edit(messages, ALICE, message.id, text)

    def test_a_deleted_message_is_not_edited_back(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        delete(messages, ALICE, message.id)
        with pytest.raises(Refused) as refusal:
            edit(messages, ALICE, message.id, "ho")
        assert refusal.value.reason == "not_found"


class TestDelete:
    def test_a_deleted_message_keeps_only_its_place(self, messages: Messaging, memory: Database) -> None:
        message = say(messages, "secret")

        deleted = delete(messages, ALICE, message.id)

        assert (deleted.text, deleted.html) == ("", "")
        assert (deleted.sequence, deleted.revision) == (1, 2)
        assert deleted.deleted_at == NOW + timedelta(minutes=1)
        assert "secret" not in repr(list(memory["messages"].find()))

    def test_a_moderator_deletes_anybodys_and_edits_nobodys(self, messages: Messaging) -> None:
        message = say(messages, "hi")

        with pytest.raises(Refused):
            messages.change(LOBBY, messages.changes.editing(access(BOB, LOBBY, "moderator"), message.id, "ho"))
        assert delete(messages, BOB, message.id, "moderator").deleted_at

    def test_deletions_by_moderators_are_recorded_once_and_own_are_not(
        self, messages: Messaging, store: MessageStore, memory: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where the outcome of the write was unknown, and it was tried again."""
        audit = Audit(AuditStore(memory))
        RoomStore(memory).ensure(LOBBY)
        message, own = say(messages, "a secret"), say(messages, "mine", "c2")
        delete(messages, ALICE, own.id, "moderator")
        assert audit.page().entries == []
        change = messages.changes.deleting(access(BOB, LOBBY, "moderator"), message.id, "rude")
        assert make_twice(change, store, monkeypatch).deleted_at
        delete(messages, BOB, message.id, "moderator")
        (entry,) = audit.page(room=LOBBY.id).entries
        assert (entry.actor, entry.act, entry.subject.name) == (BOB, "delete_message", "Alice in Lobby")
        assert (entry.reason, entry.details) == ("rude", {"message": message.sequence})

    def test_deleting_again_changes_nothing(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        deleted = delete(messages, ALICE, message.id)

        assert delete(messages, ALICE, message.id) == deleted

    def test_a_deleted_message_sent_again_stays_deleted(self, messages: Messaging) -> None:
        message = say(messages, "hi", "a1")
        deleted = delete(messages, ALICE, message.id)

        assert say(messages, "hi", "a1") == deleted


class TestReact:
    def react(self, messages: Messaging, person: Author, message_id: str, emoji: str, *, on: bool = True) -> Message:
        return messages.change(LOBBY, messages.changes.reacting(access(person, LOBBY), message_id, emoji, on=on))

    def test_everybody_except_muted_users_reacts_in_a_read_only_room(self, messages: Messaging) -> None:
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
            messages.rules.check("post", bob, "person")
        assert refusal.value.reason == "read_only"

    def test_reactions_come_and_go_and_each_is_a_revision(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        self.react(messages, BOB, message.id, "🎉")
        both = self.react(messages, ALICE, message.id, ":tada:")
        assert both.reactions == (Reaction("🎉", (BOB, ALICE)),)
        assert (both.revision, both.text, both.edited_at) == (3, "hi", None)
        assert self.react(messages, BOB, message.id, "🎉", on=False).reactions == (Reaction("🎉", (ALICE,)),)
        assert self.react(messages, ALICE, message.id, "🎉", on=False).reactions == ()

    def test_the_same_again_is_no_change(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        once = self.react(messages, BOB, message.id, "🎉")
        assert self.react(messages, BOB, message.id, "🎉") == once
        assert self.react(messages, BOB, message.id, "😄", on=False) == once

    def test_only_an_emoji_on_an_existing_message(self, messages: Messaging) -> None:
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
    def pin(self, messages: Messaging, message_id: str, role: Role = "moderator", *, on: bool = True) -> Message:
        return messages.change(LOBBY, messages.changes.pinning(access(BOB, LOBBY, role), message_id, on=on))

    def test_moderators_pin_and_unpin(self, messages: Messaging) -> None:
        first, second = say(messages, "one"), say(messages, "two")
        assert self.pin(messages, second.id).pinned_at
        self.pin(messages, first.id)
        assert {message.text for message in messages.store.pinned(LOBBY.id)} == {"one", "two"}
        assert self.pin(messages, second.id, on=False).pinned_at is None
        assert [message.text for message in messages.store.pinned(LOBBY.id)] == ["one"]
        delete(messages, ALICE, first.id)
        assert messages.store.pinned(LOBBY.id) == []

    def test_the_same_again_is_no_change(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        assert self.pin(messages, message.id, on=False) == message
        assert self.pin(messages, message.id) == self.pin(messages, message.id)

    def test_each_pin_adds_one_event(self, messages: Messaging, store: MessageStore) -> None:
        message = say(messages, "hi")
        for on in (True, True, False, True):
            self.pin(messages, message.id, on=on)
        lines = [each for each in store.newest(LOBBY.id, 9) if each.kind == "event"]
        assert [(each.text, each.reply_to) for each in lines] == [("Bob pinned a message", message.sequence)] * 2
        assert {each.author.id for each in lines} == {BOB.id}

    def test_a_retried_pin_adds_one_event(
        self, messages: Messaging, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = say(messages, "hi")
        change = messages.changes.pinning(access(BOB, LOBBY, "moderator"), message.id)
        assert make_twice(change, store, monkeypatch).pinned_at
        assert [each.kind for each in store.newest(LOBBY.id, 9)] == ["message", "event"]

    def test_a_line_that_cannot_be_written_is_left_out(
        self, messages: Messaging, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = say(messages, "hi")

        def silence(*_: Any, **__: Any) -> None:
            raise Unavailable("silence")

        monkeypatch.setattr(store, "append", silence)
        assert self.pin(messages, message.id).pinned_at

    def test_only_moderators_pin_except_in_direct_rooms(self, messages: Messaging) -> None:
        message = say(messages, "hi")
        with pytest.raises(Refused) as refusal:
            self.pin(messages, message.id, "member")
        assert refusal.value.reason == "forbidden"
        direct = Room(id=LOBBY.id, slug="d", title="", kind="direct")
        assert messages.change(LOBBY, messages.changes.pinning(access(BOB, direct), message.id)).pinned_at

    def test_there_are_at_most_fifty(self, messages: Messaging) -> None:
        ids = [say(messages, f"text {n}").id for n in range(MOST_PINS + 1)]
        for each in ids[:-1]:
            self.pin(messages, each)
        with pytest.raises(Refused) as refusal:
            self.pin(messages, ids[-1])
        assert refusal.value.reason == "too_many_pins"
        self.pin(messages, ids[0], on=False)
        assert self.pin(messages, ids[-1]).pinned_at


class TestEditsThatComeLate:
    def test_an_edit_that_was_made_since_is_not_overwritten(self, messages: Messaging) -> None:
        """D: an edit of unknown outcome, sent again, must not undo a newer one."""
        seen = say(messages, "one")
        edit_seen(messages, seen, "two")
        with pytest.raises(Refused) as refusal:
            edit_seen(messages, seen, "late")
        assert refusal.value.reason == "conflict"
        assert messages.store.get(LOBBY.id, seen.id).text == "two"

    def test_the_same_edit_again_is_answered_as_if_it_had_been_made(self, messages: Messaging) -> None:
        seen = say(messages, "one")
        first = edit_seen(messages, seen, "two")
        assert edit_seen(messages, seen, "two") == first

    def test_other_changes_are_not_a_conflict(self, messages: Messaging, store: MessageStore) -> None:
        seen = say(messages, "one")
        store.change(LOBBY.id, seen.id, lambda _: {"pinned_at": NOW})
        assert edit_seen(messages, seen, "two").text == "two"

    def test_an_author_who_saw_the_newer_text_may_replace_it(self, messages: Messaging) -> None:
        newer = edit_seen(messages, say(messages, "one"), "two")
        assert newer.text_revision == newer.revision
        assert edit_seen(messages, newer, "three").text == "three"

    def test_without_a_revision_the_last_one_wins(self, messages: Messaging) -> None:
        first = say(messages, "one")
        edit_seen(messages, first, "two")
        assert edit(messages, ALICE, first.id, "three").text == "three"
