"""The sentences of the audit log."""

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from chatroom.base.models import Author
from chatroom.moderation.sentences import PHRASES, sentence_of
from chatroom.site.audit import CONSOLE, SITE, ActName
from chatroom.site.audit_store import Act, Subject

ALICE = Author("a", "Alice")
BOB = Subject("user", "b", "bob")
DEN = Subject("room", "den", "Den")
HIS = Subject("message", "m", "Bob in Den")
SENTENCES: list[tuple[ActName, Subject, dict[str, Any], str]] = [
    ("add_member", BOB, {}, "Alice added @bob to Den"),
    ("appoint", BOB, {}, "Alice made @bob the administrator of Den"),
    ("approve_message", HIS, {}, "Alice approved a message by Bob in Den"),
    ("approve_message", HIS, {"trusted": "yes"}, "Alice approved a message by Bob in Den, and trusts its author"),
    ("archive_room", DEN, {}, "Alice archived Den"),
    ("ban", BOB, {"until": "until 3 May 2026, 10:00 UTC"}, "Alice banned @bob until 3 May 2026, 10:00 UTC"),
    ("ban", BOB, {"until": "until it is lifted"}, "Alice banned @bob until it is lifted"),
    (
        "change_room",
        DEN,
        {"title": "Snug", "topic": "", "slow_seconds": 6, "is_read_only": False},
        "Alice changed Den: set the name to “Snug”; removed the topic; let everybody write again; "
        "made the room slow: one message every 6 seconds",
    ),
    ("change_room", DEN, {"topic": "{who} & <b>"}, "Alice changed Den: set the topic to “{who} & <b>”"),
    ("clear_history", DEN, {}, "Alice cleared the history of Den"),
    ("delete_account", BOB, {"messages": "kept"}, "Alice deleted the account of @bob; the messages stay"),
    ("delete_account", Subject("user", "a", "alice"), {}, "Alice deleted their own account"),
    ("delete_message", HIS, {"message": 12}, "Alice deleted message 12 by Bob in Den"),
    ("dismiss_report", HIS, {"reports": 1}, "Alice dismissed 1 report about a message by Bob in Den"),
    ("end_room_link", DEN, {"link": "abcdef01"}, "Alice ended a link to Den"),
    ("end_sessions", BOB, {"count": 2}, "Alice logged @bob out everywhere: 2 sessions"),
    ("make_invite", SITE, {"uses": 1, "days": 7}, "Alice created an invite to the site, for 1 person and 7 days"),
    ("make_reset_link", BOB, {}, "Alice created a link for @bob to choose a new password"),
    ("make_room_link", DEN, {"uses": 25, "hours": 168}, "Alice created a link to Den, for 25 people and 7 days"),
    ("make_room_link", DEN, {"uses": 1, "hours": 1}, "Alice created a link to Den, for 1 person and 1 hour"),
    (
        "make_webhook",
        DEN,
        {"webhook": "CI", "kind": "outgoing", "host": "ci.example.org"},
        "Alice created the outgoing webhook “CI” in Den, which sends messages to ci.example.org",
    ),
    ("mute", BOB, {"until": "until it is lifted"}, "Alice muted @bob in Den until it is lifted"),
    ("reject_message", HIS, {}, "Alice rejected a message by Bob in Den"),
    ("remove_member", BOB, {}, "Alice removed @bob from Den"),
    ("remove_webhook", DEN, {"webhook": "abcdef01"}, "Alice removed a webhook of Den"),
    ("rename", Subject("user", "a", "alice"), {"before": "Al"}, "Alice changed their name, which was “Al”"),
    ("revoke_invite", SITE, {"invite": "abcdef01"}, "Alice revoked an invite to the site"),
    ("set_holding", SITE, {"first": 3}, "Alice had the first 3 messages of newcomers held for approval"),
    ("set_holding", SITE, {"first": 0}, "Alice let newcomers post without approval"),
    (
        "set_naming",
        SITE,
        {"name": "Attic", "about": "For us"},
        "Alice named the site “Attic”; what it is for: “For us”",
    ),
    (
        "set_naming",
        SITE,
        {"name": "as set up", "about": ""},
        "Alice left the name of the site to the configuration of the server",
    ),
    ("set_registration", SITE, {"registration": "open"}, "Alice opened registration to everybody"),
    (
        "set_registration",
        SITE,
        {"registration": "as set up"},
        "Alice left registration to the configuration of the server",
    ),
    (
        "set_role",
        BOB,
        {"role": "moderator", "before": "administrator"},
        "Alice made @bob a moderator of the site; before: administrator",
    ),
    ("set_room_role", BOB, {"role": "administrator"}, "Alice made @bob an administrator of Den"),
    ("unarchive_room", DEN, {}, "Alice reopened Den"),
    ("unban", BOB, {}, "Alice let @bob back in"),
    ("unmute", BOB, {}, "Alice unmuted @bob in Den"),
    ("uphold_report", HIS, {"reports": 2}, "Alice agreed with 2 reports about a message by Bob in Den"),
    ("use_reset_link", Subject("user", "a", "alice"), {}, "Alice chose a new password with a link"),
]


def act(name: str, subject: Subject, details: dict[str, Any], actor: Author = ALICE) -> Act:
    """An act in the den."""
    room = DEN if subject.kind in {"user", "room"} else None
    return Act(at=datetime.now(UTC), actor=actor, act=name, subject=subject, room=room, details=details)


@pytest.mark.parametrize(("name", "subject", "details", "said"), SENTENCES)
def test_each_act_is_a_sentence(name: str, subject: Subject, details: dict[str, Any], said: str) -> None:
    assert str(sentence_of(act(name, subject, details))) == said


def test_every_act_is_in_the_list_above() -> None:
    assert {name for name, *_ in SENTENCES} == set(PHRASES) == set(get_args(ActName))


@pytest.mark.parametrize("name", get_args(ActName))
def test_an_act_without_details_and_without_a_room_has_a_sentence_too(name: ActName) -> None:
    said = str(sentence_of(Act(at=datetime.now(UTC), actor=CONSOLE, act=name, subject=BOB)))
    assert said.startswith("Somebody at the console ")
    assert not {"_", "{", "}"} & set(said)


def test_the_record_of_a_room_does_not_repeat_its_name() -> None:
    for name, subject, said in (
        ("remove_member", BOB, "Alice removed @bob from this room"),
        ("archive_room", DEN, "Alice archived this room"),
    ):
        assert str(sentence_of(act(name, subject, {}), DEN.id)) == said


def test_an_act_of_a_later_version_is_told_too() -> None:
    assert str(sentence_of(act("teleport", BOB, {}))) == "Alice did something to @bob (teleport)"
