"""Posting: what is checked in which order, who is charged, and what is known already."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from chatroom.base.errors import Refused
from chatroom.base.models import SERVER_MADE, Draft, Held, Room
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.messages.posting import Submission
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from tests.messaging import HOLDS_NOTHING, Messaging, new_draft
from tests.people import ALICE, BOB, access
from tests.unit.messages.lobby import LONGEST, NOW

READ_ONLY = msgspec.structs.replace(LOBBY, is_read_only=True)
SLOW = msgspec.structs.replace(LOBBY, slow_seconds=60)


class Place(Messaging):
    """Posting, and who was charged for what: a post (`rate`), a turn in a slow room (`turn`)."""

    def __init__(self, store: MessageStore) -> None:
        self.charged: list[str] = []
        self.is_too_fast = self.is_turn_over = False
        super().__init__(store, max_length=LONGEST, count=self.count_post, take_turn=self.take_turn, clock=lambda: NOW)

    def count_post(self, user_id: str, address: str) -> None:
        if self.is_too_fast:
            raise Refused("too_fast", "You are sending too fast.", retry_after=1.0)
        self.charged.append("rate")

    def take_turn(self, user_id: str, room: Room, client_id: str, seconds: int) -> float:
        if self.is_turn_over:
            return 5.0
        self.charged.append("turn")
        return 0.0

    def say(self, text: str = "hi", client_id: str | None = None, room: Room = LOBBY, **more: Any) -> Stored | Held:
        return self.posting.post(submission(text, client_id, room, **more))


def submission(text: str = "hi", client_id: str | None = None, room: Room = LOBBY, **more: Any) -> Submission:
    fields = {"access": access(ALICE, room), "author": ALICE, "address": "192.0.2.1", "text": text}
    return Submission(client_id=client_id, **fields | more)


def message_of(outcome: Stored | Held) -> Any:
    assert isinstance(outcome, Stored)
    return outcome.message


@pytest.fixture
def place(store: MessageStore) -> Place:
    return Place(store)


class TestPost:
    def test_a_text_is_rendered_when_it_is_stored(self, place: Place) -> None:
        message = message_of(place.say("*hi*"))
        assert (message.text, message.html, message.sequence) == ("*hi*", "<p><em>hi</em></p>", 1)

    def test_a_draft_keeps_its_client_id(self, place: Place) -> None:
        assert place.posting.check(submission(client_id="a1")) == Draft(author=ALICE, text="hi", client_id="a1")

    def test_a_draft_without_a_client_id_gets_an_internal_one(self, place: Place) -> None:
        ids = {place.posting.check(submission()).client_id for _ in range(20)}
        assert len(ids) == 20
        assert all(client_id.startswith(SERVER_MADE) for client_id in ids)

    def test_d03_a_post_twice_is_one_message(self, place: Place) -> None:
        first, again = place.say(client_id="a1"), place.say(client_id="a1")
        assert message_of(first) == message_of(again)
        assert again == Stored(message_of(first), is_repeated=True)


class TestOrder:
    """Each is refused by what comes first, and charged for nothing that is refused before."""

    @pytest.mark.parametrize(
        ("more", "reason", "charged"),
        [
            ({"text": "", "room": READ_ONLY}, "read_only", []),
            ({"text": "", "room": SLOW}, "empty", []),
            ({"text": "x" * (LONGEST + 1), "reply_to": 9}, "too_long", []),
            ({"reply_to": 9, "room": SLOW}, "invalid", ["rate"]),
        ],
    )
    def test_cheap_checks_come_before_expensive_ones(
        self, place: Place, more: dict[str, Any], reason: str, charged: list[str]
    ) -> None:
        with pytest.raises(Refused) as refusal:
            place.say(**more)
        assert (refusal.value.reason, place.charged) == (reason, charged)

    def test_the_rate_comes_before_the_database(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        place.is_too_fast = True
        monkeypatch.setattr(place.store, "by_sequences", lambda *_: pytest.fail("the database was asked"))
        with pytest.raises(Refused, match="sending too fast"):
            place.say(reply_to=9, room=SLOW)
        assert place.charged == []

    def test_files_come_before_the_turn(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        def attach(room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
            raise Refused("not_found", "It is gone.")

        monkeypatch.setattr(place.posting._files, "attach", attach)
        with pytest.raises(Refused, match="gone"):
            place.say("", file_ids=["f" * 24], room=SLOW)
        assert place.charged == ["rate"]

    def test_sent_files_are_stored_after_the_text_and_slow_mode_are_checked(self, place: Place) -> None:
        def upload() -> list[str]:
            place.charged.append("upload")
            return []

        with pytest.raises(Refused):
            place.say(room=READ_ONLY, upload=upload)
        place.say("", room=SLOW, upload=upload)
        assert place.charged == ["rate", "turn", "upload"]


class TestDatabase:
    def test_a_plain_post_needs_none(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """The event loop checks it, and queues it at once."""

        def fail(*_: Any, **__: Any) -> None:
            raise AssertionError("the database was asked")

        monkeypatch.setattr(Database, "bounded", fail)
        said = submission("hello", "a1")
        assert place.posting.check(said).text == "hello"
        assert not place.posting.needs_database(said)

    @pytest.mark.parametrize(
        "more",
        [
            {"text": "hi @bob"},
            {"text": "```py\n1\n```"},
            {"reply_to": 1},
            {"file_ids": ["f" * 24]},
            {"room": SLOW},
        ],
        ids=str,
    )
    def test_checks_that_need_the_database_are_announced(self, place: Place, more: dict[str, Any]) -> None:
        assert place.posting.needs_database(submission(**more))

    def test_moderators_and_webhooks_do_not_wait_in_a_slow_room(self, place: Place) -> None:
        assert not place.posting.needs_database(submission(access=access(ALICE, SLOW, "moderator")))
        assert not place.posting.needs_database(submission(room=SLOW, actor="webhook"))


HELD = Held(id="h" * 24, room_id=LOBBY.id, is_public=True, author=ALICE, client_id="h1", text="hi", held_at=NOW)


class TestKnown:
    """A draft that is stored, or held, is answered with what it became, whatever holds in the room by now."""

    @pytest.mark.parametrize(
        "now",
        [
            {"room": READ_ONLY},
            {"room": msgspec.structs.replace(LOBBY, archived_at=NOW)},
            {"access": msgspec.structs.replace(access(ALICE, LOBBY), muted_until=NOW + timedelta(days=1))},
            {"room": SLOW},
            {"text": ""},
            {"reply_to": 99},
        ],
        ids=["read-only", "archived", "muted", "slow", "empty", "reply"],
    )
    @pytest.mark.parametrize("is_too_fast", [False, True])
    def test_it_is_answered(self, place: Place, now: dict[str, Any], is_too_fast: bool) -> None:
        first = message_of(place.say(client_id="a1"))
        place.is_turn_over, place.is_too_fast = True, is_too_fast
        assert place.say(client_id="a1", **now) == Stored(first, is_repeated=True)
        with pytest.raises(Refused):
            place.say(client_id="a2", **now)

    def test_a_held_draft_too(self, place: Place) -> None:
        find = {"h1": HELD}.get
        place.posting._holding = msgspec.structs.replace(HOLDS_NOTHING, find=lambda _, client_id: find(client_id))
        assert place.say(client_id="h1", room=READ_ONLY) == HELD
        with pytest.raises(Refused):
            place.say(client_id="h2", room=READ_ONLY)

    def test_a_repeated_id_never_returns_a_message_of_another_author(self, place: Place) -> None:
        place.say(client_id="a1")
        with pytest.raises(Refused):
            place.say(client_id="a1", author=BOB, access=access(BOB, READ_ONLY))


class TestReplies:
    def test_a_reply_must_refer_to_a_message_of_the_room(self, place: Place) -> None:
        place.say("one")
        line = message_of(place.say("joined"))
        place.store.change(LOBBY.id, line.id, lambda _: {"kind": "event"})
        assert message_of(place.say(reply_to=1)).reply_to == 1
        elsewhere = Room(id="elsewhere", slug="elsewhere", title="")
        for room, sequence in ((LOBBY, 2), (LOBBY, 99), (elsewhere, 1)):
            with pytest.raises(Refused) as refusal:
                place.say(room=room, reply_to=sequence)
            assert refusal.value.reason == "invalid"

    def test_a_deleted_message_may_be_answered(self, place: Place) -> None:
        one = message_of(place.say("one"))
        place.change(LOBBY, place.changes.deleting(access(ALICE, LOBBY), one.id))
        assert message_of(place.say(reply_to=1)).reply_to == 1


def test_code_is_coloured_before_it_is_queued(place: Place) -> None:
    """L17."""
    said = submission("```py\ndef f(): pass\n```")
    completed = place.posting.complete(said, place.posting.check(said))
    assert isinstance(completed, Draft)
    assert '<span class="k">' in completed.html
    assert place.posting.complete(submission("*hi*"), new_draft(ALICE, "*hi*", "c1")) == new_draft(ALICE, "*hi*", "c1")
