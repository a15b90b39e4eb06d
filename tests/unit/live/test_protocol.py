import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Person
from chatroom.live import protocol
from chatroom.live.protocol import Delete, Edit, Follow, Format, Post, Unfollow
from chatroom.messages.messages_store import Stored
from tests.unit.live.messages import SENT_AT, message

ID = "0123456789abcdef01234567"


def frame(**fields: Any) -> str:
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            frame(type="post", room="lobby", client_id="a1", text="hi"),
            Post(room="lobby", text="hi", client_id="a1"),
        ),
        (frame(type="post", room="lobby", text=""), Post(room="lobby", text="")),
        (frame(type="post", room="lobby", text="\U0001f600"), Post(room="lobby", text="\U0001f600")),
        ('{"text":"hi","type":"post","room":"lobby"}', Post(room="lobby", text="hi")),
        (
            frame(type="post", room="r" * 64, text="x", client_id="Az09_-" * 10 + "1234"),
            Post(room="r" * 64, text="x", client_id="Az09_-" * 10 + "1234"),
        ),
        (frame(type="edit", room="lobby", id=ID, text="hi"), Edit(room="lobby", id=ID, text="hi")),
        (
            frame(type="edit", room="lobby", id=ID, text="hi", client_id="a1"),
            Edit(room="lobby", id=ID, text="hi", client_id="a1"),
        ),
        (frame(type="delete", room="lobby", id=ID), Delete(room="lobby", id=ID)),
        (frame(type="follow", room="lobby"), Follow(room="lobby")),
        (frame(type="follow", room="lobby", after=0), Follow(room="lobby", after=0)),
        (frame(type="follow", room="lobby", after=2**53), Follow(room="lobby", after=2**53)),
        (frame(type="follow", room="lobby", after=None), Follow(room="lobby")),
        (frame(type="unfollow", room="lobby"), Unfollow(room="lobby")),
    ],
)
def test_a_frame_is_a_typed_value(raw: str, expected: Any) -> None:
    assert protocol.parse(raw) == expected


POST = {"type": "post", "room": "lobby", "client_id": "a1", "text": "hi"}
EDIT = {"type": "edit", "room": "lobby", "id": ID, "text": "hi"}
FOLLOW = {"type": "follow", "room": "lobby", "after": 1}
WRONG: list[Any] = [{}, {"$ne": None}, [], ["a1"], 1, 1.5, True, None]

MALFORMED = [
    *[frame(**POST | {"text": value}) for value in WRONG],
    *[frame(**POST | {"room": value}) for value in WRONG],
    *[frame(**POST | {"client_id": value}) for value in WRONG if value is not None],
    *[frame(**POST | {"type": value}) for value in WRONG],
    *[frame(**EDIT | {"id": value}) for value in WRONG],
    *[frame(**FOLLOW | {"after": value}) for value in [{}, [], "1", 1.5, 1.0, True, -1, 2**53 + 1, 2**70]],
    *[frame(**POST | {"room": value}) for value in ["", "r" * 65]],
    *[
        frame(**POST | {"client_id": value})
        for value in ["", "a" * 65, "a b", "a\n", "a1\n", "ä", ".a", "a.b", "$x", "\0"]
    ],
    *[frame(**EDIT | {"id": value}) for value in ["", "0" * 23, "0" * 25, "G" * 24, "A" * 24, ID + "\n"]],
    frame(**POST | {"extra": 1}),
    frame(**POST | {"user": "alice"}),  # W03: who it is from is not the frame's to say
    frame(**FOLLOW | {"text": "x"}),
    frame(type="unfollow", room="lobby", after=1),
    frame(type="post", room="lobby"),
    frame(type="post", text="hi"),
    frame(type="edit", room="lobby", text="hi"),
    frame(type="launch", room="lobby"),
    frame(type="Post", room="lobby", text="hi"),
    frame(room="lobby", text="hi"),
    '{"type":"post","room":"lobby","text":"hi"',
    '{"type":"post","room":"lobby","text":"hi"}}',
    '{"type":"post","room":"lobby","text":"hi","type":"delete"}',
    '{"type":"follow","room":"lobby","after":NaN}',
    '{"type":"follow","room":"lobby","after":Infinity}',
    '{"type":"follow","room":"lobby","after":1e400}',
    '{"type":"follow","room":"lobby","after":' + "9" * 5000 + "}",
    '{"type":"follow","room":"lobby","after":-' + "9" * 5000 + "}",
    '{"type":"post","room":"lobby","text":"\\ud800"}',
    '{"type":"post","room":"lobby","text":"\\udc00\\ud800"}',
    '{"type":"post","room":"lobby","text":"\ud800"}',
    '{"type":"post","room":"lobby","text":"a\nb"}',
    "[" * 200_000,
    '{"a":' * 50_000,
    '{"type":"post","room":"lobby","text":' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"type":' + '"' + "A" * 60_000 + '"}',
    "",
    " ",
    "zzz",
    "9",
    "[]",
    "{}",
    "null",
    "true",
    '"post"',
    "\0",
    "﻿{}",
    "45999999999-[]",
]


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: ascii(raw[:60]))
def test_i02_i08_w04_a_malformed_frame_is_refused_as_invalid(raw: str) -> None:
    with pytest.raises(Refused) as refusal:
        protocol.parse(raw)

    assert refusal.value.reason == "invalid"
    answer = protocol.refused(refusal.value, protocol.subject_of(raw))
    assert len(answer) < 1000  # what was sent does not come back at length
    assert json.loads(answer)["reason"] == "invalid"
    assert set(json.loads(answer)) <= {"type", "room", "client_id", "reason", "message"}


@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["type", "room", "text", "id", "after", "client_id"]), inner)
        ),
    ).map(json.dumps)
)
def test_any_input_is_a_frame_or_a_refusal(raw: str) -> None:
    try:
        assert isinstance(protocol.parse(raw), protocol.Frame)
    except Refused as refusal:
        json.loads(protocol.refused(refusal, protocol.subject_of(raw)))


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (frame(type="x", room="lobby", client_id="a1", text="long"), {"room": "lobby", "client_id": "a1"}),
        (frame(room={"$ne": 1}, client_id=["a1"]), {}),
        (frame(room="r" * 65, client_id="c" * 64), {"client_id": "c" * 64}),
        ("[1]", {}),
        ("zzz", {}),
        ("[" * 200_000, {}),
        ('{"room":"\\ud800"}', {}),
        ('{"room":"\ud800"}', {}),
    ],
    ids=lambda value: ascii(str(value)[:40]),
)
def test_a_refusal_names_its_subject_as_far_as_it_can_be_read(raw: str, subject: dict[str, str]) -> None:
    assert protocol.subject_of(raw) == subject


ALWAYS = {"id", "sequence", "revision", "author", "client_id", "sent_at"}


class TestMessages:
    """X06: exactly the allow-listed fields leave the server."""

    @pytest.mark.parametrize(("format", "other"), [("text", "html"), ("html", "text")])
    def test_x06_a_message_has_its_text_or_its_html_and_never_both(self, format: Format, other: str) -> None:
        shown = json.loads(protocol.encode_message(message(7), format))

        assert set(shown) == {*ALWAYS, format}
        assert shown["author"] == {"id": "a" * 24, "name": "Alice"}
        assert (shown["id"], shown["sequence"], shown["revision"]) == (f"{7:024x}", 7, 7)
        assert shown["sent_at"] == "2026-11-21T01:02:03.456Z"

    def test_in_brief_it_is_counted_and_not_read(self) -> None:
        said = message(7, 9, mentions=("b" * 24,), reply_to=3, pinned_at=SENT_AT, edited_at=SENT_AT)
        deleted = message(7, 9, deleted_at=SENT_AT, kind="event")

        shown = json.loads(protocol.encode_message(said, "brief"))

        assert set(shown) == {"id", "sequence", "revision", "author", "mentions"}
        assert shown["mentions"] == ["b" * 24]
        gone = {"id", "sequence", "revision", "author", "deleted_at", "kind"}
        assert set(json.loads(protocol.encode_message(deleted, "brief"))) == gone

    def test_an_edited_message_has_its_time(self) -> None:
        edited = message(7, 9, edited_at=SENT_AT.replace(microsecond=0))

        shown = json.loads(protocol.encode_message(edited, "text"))

        assert set(shown) == {*ALWAYS, "text", "edited_at"}
        assert shown["edited_at"] == "2026-11-21T01:02:03.000Z"

    @pytest.mark.parametrize("format", ["text", "html"])
    def test_a_deleted_message_has_neither_text_nor_html(self, format: Format) -> None:
        deleted = message(7, 9, deleted_at=SENT_AT)  # even if the store should still have its text

        assert set(json.loads(protocol.encode_message(deleted, format))) == {*ALWAYS, "deleted_at"}

    def test_an_empty_html_is_still_there(self) -> None:
        assert json.loads(protocol.encode_message(message(7, html=""), "html"))["html"] == ""

    def test_a_client_id_that_the_server_made_up_is_its_own_business(self) -> None:
        shown = json.loads(protocol.encode_message(message(7, client_id=".made-up"), "text"))

        assert set(shown) == {*ALWAYS, "text"} - {"client_id"}

    def test_names_and_texts_are_escaped(self) -> None:
        text = '"}],"type":"x</script>\0\u2028\n\\'
        odd = message(7, text=text, author=Author('a"', "\u202ename"))

        shown = json.loads(protocol.changes("lobby", 7, [protocol.encode_message(odd, "text")]))

        assert shown["messages"][0]["text"] == text
        assert shown["messages"][0]["author"] == {"id": 'a"', "name": "\u202ename"}


def test_timestamps_are_utc_with_milliseconds() -> None:
    assert protocol.timestamp(datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC)) == "2026-01-02T03:04:05.999Z"


class TestFramesFromTheServer:
    def test_changes(self) -> None:
        pieces = [protocol.encode_message(message(n), "text") for n in (1, 2)]

        shown = json.loads(protocol.changes("lobby", 2, pieces))

        assert list(shown) == ["type", "room", "revision", "messages"]
        assert (shown["type"], shown["room"], shown["revision"]) == ("changes", "lobby", 2)
        assert [m["sequence"] for m in shown["messages"]] == [1, 2]
        assert json.loads(protocol.changes("lobby", 2, []))["messages"] == []

    @pytest.mark.parametrize("room", ['a"b', "a\\", "ünï", "\u2028"])
    def test_no_room_name_breaks_a_frame(self, room: str) -> None:
        assert json.loads(protocol.changes(room, 2, []))["room"] == room
        assert json.loads(protocol.caught_up(room, 2, 0))["room"] == room

    def test_stored(self) -> None:
        result = Stored(message(41), is_repeated=True)

        assert json.loads(protocol.stored("lobby", result.message, result.message.client_id)) == {
            "type": "stored",
            "room": "lobby",
            "client_id": "c41",
            "id": f"{41:024x}",
            "sequence": 41,
            "revision": 41,
        }

    def test_stored_without_a_client_id(self) -> None:
        result = Stored(message(41, client_id=".x"), is_repeated=False)

        assert "client_id" not in json.loads(protocol.stored("lobby", result.message, result.message.client_id))

    def test_a_stored_change_bears_the_client_id_of_its_own_frame(self) -> None:
        changed = message(41, 50)

        assert json.loads(protocol.stored("lobby", changed, "e1"))["client_id"] == "e1"
        assert "client_id" not in json.loads(protocol.stored("lobby", changed, None))

    def test_caught_up(self) -> None:
        assert json.loads(protocol.caught_up("lobby", 42, 37)) == {
            "type": "caught_up",
            "room": "lobby",
            "revision": 42,
            "missed": 37,
        }

    def test_refused(self) -> None:
        error = Refused("too_fast", "Wait a little.", retry_after=timedelta(seconds=1.4567).total_seconds())

        assert json.loads(protocol.refused(error, {"room": "lobby", "client_id": "a1"})) == {
            "type": "refused",
            "room": "lobby",
            "client_id": "a1",
            "reason": "too_fast",
            "message": "Wait a little.",
            "retry_after": 1.5,
        }
        assert "retry_after" not in json.loads(protocol.refused(Refused("empty", "…"), {}))

    def test_presence(self) -> None:
        ann = Person("1", "Ann")

        assert json.loads(protocol.here("lobby", [ann])) == {
            "type": "presence",
            "room": "lobby",
            "here": [{"id": "1", "name": "Ann"}],
        }
        assert json.loads(protocol.presence_changed("lobby", [ann], ["2"])) == {
            "type": "presence",
            "room": "lobby",
            "came": [{"id": "1", "name": "Ann"}],
            "left": ["2"],
        }
