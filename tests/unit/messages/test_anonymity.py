"""What becomes of a message when somebody whose name stands in it is gone."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chatroom.base.models import Author, FormerMember, Message, Person, Reaction
from chatroom.messages.anonymity import is_erased_with, without_name
from chatroom.messages.markdown.rendering import render
from tests.people import ALICE, BOB

AT = datetime(2026, 11, 21, tzinfo=UTC)
KEPT = FormerMember(id=ALICE.id, deleted_at=AT, is_erased=False)
ERASED = FormerMember(id=ALICE.id, deleted_at=AT, is_erased=True)
FORMER = Author(ALICE.id, "Former member")


def message(author: Author = ALICE, text: str = "hello", **more: Any) -> Message:
    fields: dict[str, Any] = {"id": "0" * 24, "sequence": 1, "revision": 1, "author": author, "client_id": "c"}
    return Message(**{**fields, "text": text, "html": f"<p>{text}</p>", "sent_at": AT, **more})


@pytest.mark.parametrize("former", [KEPT, ERASED])
def test_the_author(former: FormerMember) -> None:
    assert without_name(former, message()) == {"author.name": "Former member"}
    assert without_name(former, message(deleted_at=AT, text="")) == {"author.name": "Former member"}
    assert without_name(former, message(FORMER)) == {}
    assert without_name(former, message(BOB, "Alice said so")) == {}


def test_what_they_said_before_an_edit_goes_with_them() -> None:
    """M19."""
    edited = message(edited_at=AT)
    assert without_name(KEPT, edited) == {"author.name": "Former member", "versions": []}
    assert "versions" not in without_name(KEPT, message(BOB, edited_at=AT))


def test_only_their_messages_are_erased_and_only_on_request() -> None:
    assert is_erased_with(ERASED, message())
    assert not is_erased_with(KEPT, message())
    assert not is_erased_with(ERASED, message(BOB))
    assert not is_erased_with(ERASED, message(deleted_at=AT))
    assert not is_erased_with(ERASED, message(kind="event"))


def test_a_line_of_the_room() -> None:
    joined = message(text="Alice joined", kind="event")
    assert without_name(KEPT, joined) == {
        "author.name": "Former member",
        "text": "Former member joined",
        "html": "<p>Former member joined</p>",
    }
    assert without_name(KEPT, message(BOB, "Bob added Carol", kind="event")) == {}


def test_only_rendered_mentions_are_replaced() -> None:
    text = "@alice and @bob: Alice, **come**! `@alice`"
    members = [
        Person(id=ALICE.id, username="alice", name="Al <b> O'Ice"),
        Person(id=BOB.id, username="bob", name="Bob"),
    ]
    said = message(BOB, text, html=render(text, members), mentions=(ALICE.id, BOB.id))
    fields = without_name(KEPT, said)
    named = [Person(id=ALICE.id, username="alice", name="Former member"), members[1]]
    assert fields == {"html": render(text, named)}
    assert without_name(KEPT, msgspec.structs.replace(said, html=fields["html"])) == {}


def test_reactions_stay_without_the_name_or_go() -> None:
    said = message(BOB, reactions=(Reaction("🎉", (BOB, ALICE)), Reaction("👍", (ALICE,))))
    nobody, bob = {"id": ALICE.id, "name": "Former member"}, {"id": BOB.id, "name": "Bob"}
    kept = {"emoji": "🎉", "people": (bob, nobody)}, {"emoji": "👍", "people": (nobody,)}
    assert without_name(KEPT, said) == {"reactions": kept}
    assert without_name(ERASED, said) == {"reactions": ({"emoji": "🎉", "people": (bob,)},)}
    again = message(BOB, reactions=(Reaction("🎉", (BOB, FORMER)),))
    assert without_name(KEPT, again) == {}
