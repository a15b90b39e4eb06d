"""Pages of a room."""

import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import Message
from chatroom.messages.messages_store import MessageStore
from chatroom.rooms.access import LOBBY
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, BOB
from tests.unit.messages.lobby import edit, say


class TestPages:
    @pytest.fixture(autouse=True)
    def seven(self, messages: Messaging) -> None:
        self.posted = [say(messages, f"text {n}") for n in range(1, 8)]

    def test_the_newest_page(self, messages: Messaging) -> None:
        page = messages.history.newest(LOBBY, 3)

        assert [m.sequence for m in page.messages] == [5, 6, 7]
        assert (page.revision, page.more) == (7, True)
        assert not messages.history.newest(LOBBY, 7).more
        assert len(messages.history.newest(LOBBY, 9).messages) == 7

    def test_older_pages(self, messages: Messaging) -> None:
        page = messages.history.before(LOBBY, 5, 3)

        assert [m.sequence for m in page.messages] == [2, 3, 4]
        assert page.more
        page = messages.history.before(LOBBY, 2, 3)
        assert [m.sequence for m in page.messages] == [1]
        assert not page.more
        assert messages.history.before(LOBBY, 1, 3).messages == []

    def test_changes_after_a_revision(self, messages: Messaging) -> None:
        edit(messages, ALICE, self.posted[0].id, "changed")

        page = messages.history.after(LOBBY, 5, 2)
        assert [m.revision for m in page.messages] == [6, 7]
        assert (page.revision, page.more) == (7, True)
        page = messages.history.after(LOBBY, page.revision, 2)
        assert [(m.sequence, m.revision) for m in page.messages] == [(1, 8)]
        assert (page.revision, page.more) == (8, False)

    def test_nothing_changed_since(self, messages: Messaging) -> None:
        page = messages.history.after(LOBBY, 7, 2)

        assert (page.messages, page.revision, page.more) == ([], 7, False)
        assert messages.store.newest_revision(LOBBY.id) == 7

    @pytest.mark.parametrize("cursor", [8, 2**53])
    def test_l10_a_cursor_that_the_room_never_gave_is_refused(self, messages: Messaging, cursor: int) -> None:
        with pytest.raises(Refused) as refusal:
            messages.history.after(LOBBY, cursor, 2)
        assert refusal.value.reason == "unknown_cursor"

    def test_a_change_during_a_read_is_sent_twice_rather_than_never(
        self, messages: Messaging, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        newest = store.newest

        def late(room: str, limit: int) -> list[Message]:
            say(messages, "late")
            return newest(room, limit)

        monkeypatch.setattr(store, "newest", late)
        page = messages.history.newest(LOBBY, 3)

        assert page.messages[-1].text == "late"
        assert messages.history.after(LOBBY, page.revision, 9).messages[-1].text == "late"


def test_an_empty_room_has_an_empty_page(messages: Messaging) -> None:
    page = messages.history.newest(LOBBY, 3)

    assert (page.messages, page.revision, page.more) == ([], 0, False)
    assert messages.history.after(LOBBY, 0, 3).messages == []


class TestReplies:
    def test_quotes_show_the_current_message(self, messages: Messaging) -> None:
        first = say(messages, "one")
        answer = messages.post(LOBBY, new_draft(BOB, "yes", reply_to=1)).message
        edit(messages, ALICE, first.id, "two")
        quoted = messages.history.quoted(LOBBY, [answer])
        assert {sequence: found.text for sequence, found in quoted.items()} == {1: "two"}
        assert messages.history.quoted(LOBBY, [first]) == {}
