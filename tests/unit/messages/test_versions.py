"""What a message said before its edits: stored with the edit, bounded, gone with the message."""

from datetime import timedelta

import msgspec
import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Message
from chatroom.messages import versions
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.versions import (
    MOST_BYTES,
    MOST_COMPARED,
    MOST_VERSIONS,
    Piece,
    Version,
    add_version,
    check_versions,
    compare,
    editions_of,
)
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from tests.messaging import Messaging
from tests.people import ALICE, BOB, access
from tests.unit.messages.lobby import NOW, delete, edit, say

LATER = NOW + timedelta(minutes=1)


def texts(store: MessageStore, message: Message) -> list[str]:
    return [version.text for version in store.versions_of(message.id)]


def marked(pieces: list[Piece]) -> str:
    """The pieces in one line: -removed- +added+ and … for what is left out."""
    signs = {"same": "", "removed": "-", "added": "+", "gap": "…"}
    return "".join(signs[piece.kind] + piece.text + signs[piece.kind] for piece in pieces)


class TestStored:
    def test_an_edit_stores_what_the_message_said(self, messages: Messaging, store: MessageStore) -> None:
        message = say(messages, "teh")
        edit(messages, ALICE, message.id, "the")
        edit(messages, ALICE, message.id, "the end")
        assert store.versions_of(message.id) == [Version("teh", NOW), Version("the", LATER)]

    def test_a_refused_or_equal_edit_stores_nothing(self, messages: Messaging, store: MessageStore) -> None:
        message = say(messages, "hi")
        edit(messages, ALICE, message.id, "hi")
        with pytest.raises(Refused):
            edit(messages, BOB, message.id, "ho")
        assert texts(store, message) == []

    def test_an_edit_in_between_is_not_lost(
        self, messages: Messaging, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = say(messages, "one")
        read, others = store.versions_of, iter(["two"])

        def read_while_another_device_edits(message_id: str) -> list[Version]:
            found = read(message_id)
            for text in others:
                edit(messages, ALICE, message.id, text)
            return found

        monkeypatch.setattr(store, "versions_of", read_while_another_device_edits)
        edit(messages, ALICE, message.id, "three")
        assert texts(store, message) == ["one", "two"]

    def test_a_deletion_removes_them(self, messages: Messaging, store: MessageStore, memory: Database) -> None:
        """M19."""
        message = say(messages, "secret")
        edit(messages, ALICE, message.id, "nothing")
        assert "secret" in repr(list(memory["messages"].find()))
        delete(messages, ALICE, message.id)
        assert texts(store, message) == []
        assert "secret" not in repr(list(memory["messages"].find()))

    def test_clearing_removes_them(self, messages: Messaging, memory: Database) -> None:
        """M19."""
        message = say(messages, "secret")
        edit(messages, ALICE, message.id, "nothing")
        messages.change(LOBBY, messages.changes.clearing([message.sequence]))
        assert "secret" not in repr(list(memory["messages"].find()))

    def test_no_other_read_returns_them(self, messages: Messaging, store: MessageStore, memory: Database) -> None:
        """M19: the room is read often, and by everybody."""
        message = say(messages, "secret")
        edit(messages, ALICE, message.id, "nothing")
        # An invalid list would break every read that returns it.
        memory["messages"].update_one({}, {"$set": {"versions": "secret"}})
        assert "secret" not in repr(store.newest(LOBBY.id, 9) + store.changed_after(LOBBY.id, 0, 9))
        assert "versions" not in Message.__struct_fields__


class TestBounds:
    def test_the_newest_are_kept(self) -> None:
        message = make("now")
        old = [Version(str(number), NOW) for number in range(MOST_VERSIONS)]
        kept = [version["text"] for version in add_version(old, message)]
        assert kept == [*(version.text for version in old[1:]), "now"]

    def test_so_many_bytes_and_not_characters(self) -> None:
        message = make("now")
        old = [Version("a", NOW), Version("é" * (MOST_BYTES // 2 - 2), NOW), Version("b", NOW)]
        assert [len(version["text"]) for version in add_version(old, message)] == [MOST_BYTES // 2 - 2, 1, 3]
        assert add_version([], make("é" * MOST_BYTES)) == []


class TestWho:
    @pytest.mark.parametrize(
        ("reader", "role"), [(ALICE, "member"), (BOB, "moderator"), (BOB, "administrator")], ids=str
    )
    def test_the_author_and_moderators(self, reader: object, role: str) -> None:
        check_versions(access(reader, LOBBY, role), make("hi"))  # type: ignore[arg-type]

    def test_no_other_member_and_nobody_after_the_end(self) -> None:
        """M19."""
        hidden = msgspec.structs.replace(LOBBY, cleared_sequence=1)
        for seen, message, reason in (
            (access(BOB, LOBBY), make("hi"), "forbidden"),
            (access(ALICE, LOBBY), make("", deleted_at=LATER), "not_found"),
            (access(ALICE, LOBBY), make("Alice joined", kind="event"), "not_found"),
            (access(ALICE, hidden, "administrator"), make("hi"), "not_found"),
        ):
            with pytest.raises(Refused) as refusal:
                check_versions(seen, message)
            assert refusal.value.reason == reason

    def test_in_a_conversation_only_the_author(self) -> None:
        conversation = msgspec.structs.replace(LOBBY, kind="direct")
        with pytest.raises(Refused):
            check_versions(access(BOB, conversation, "administrator"), make("hi"))


class TestCompare:
    @pytest.mark.parametrize(
        ("before", "after", "shown"),
        [
            ("teh cat", "the cat", "-teh-+the+ cat"),
            ("the cat", "the black cat", "the +black +cat"),
            ("stop!", "stop", "stop-!-"),
            ("a b a", "a", "a- b a-"),
            ("", "new", "+new+"),
            ("one\ntwo", "one\nthree", "one\n-two-+three+"),
        ],
    )
    def test_words(self, before: str, after: str, shown: str) -> None:
        assert marked(compare(before, after)) == shown

    def test_both_texts_can_be_read_from_the_pieces(self) -> None:
        before, after = "I will come at 5, or at 6 (sorry)", "I'll come at 6, sorry; or at 7"
        pieces = compare(before, after)
        assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
        assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after

    def test_long_changes_are_not_compared(self) -> None:
        before, after = ("!".join(sign * (MOST_COMPARED // 2 + 1)) for sign in "ab")
        assert [piece.kind for piece in compare(f"x {before} y", f"x {after} y")] == [
            "same",
            "removed",
            "added",
            "same",
        ]


class TestEditions:
    def test_the_newest_first_and_the_first_whole(self) -> None:
        message = make("the end", edited_at=LATER)
        newest, first = editions_of(message, [Version("teh end", NOW)])
        assert (marked(list(newest.pieces)), newest.written_at, newest.is_first) == ("-teh-+the+ end", LATER, False)
        assert (first.text, first.written_at, first.pieces, first.is_first) == ("teh end", NOW, (), True)

    def test_an_edit_from_before_texts_were_kept(self) -> None:
        (only,) = editions_of(make("the end", edited_at=LATER), [])
        assert (only.text, only.pieces, only.is_first) == ("the end", (), False)

    def test_long_unchanged_texts_are_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(versions, "SHOWN_AROUND", 4)
        before = "a long beginning teh middle of it all teh long end"
        (newest, _) = editions_of(make(before.replace("teh", "the"), edited_at=LATER), [Version(before, NOW)])
        assert marked(list(newest.pieces)) == "……ing -teh-+the+ mid……all -teh-+the+ lon……"


def make(text: str, **more: object) -> Message:
    fields = {"id": "0" * 24, "sequence": 1, "revision": 1, "author": ALICE, "client_id": "c", "sent_at": NOW}
    return Message(**{**fields, "text": text, "html": "", **more})  # type: ignore[arg-type]
