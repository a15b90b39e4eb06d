import json
from datetime import UTC, datetime, timedelta
from typing import Any

from chatroom.base.models import Person
from chatroom.live.presence.typing import MOST_SHOWN, TypingPeople
from tests.people import CAST

ALICE, BOB, _ = CAST

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def shown(typing: TypingPeople) -> list[str]:
    frame: dict[str, Any] = json.loads(typing.frame(0))
    assert (frame["type"], frame["room"]) == ("typing", "lobby")
    return [person["name"] for person in frame["people"]]


def test_typing_is_shown_for_six_seconds() -> None:
    typing = TypingPeople("lobby")
    assert not typing.publish(NOW)
    typing.type(ALICE, NOW)
    assert typing.publish(after(1))
    assert shown(typing) == ["Alice"]
    assert not typing.publish(after(5.9))
    assert typing.publish(after(6))
    assert shown(typing) == []


def test_continued_typing_stays_shown() -> None:
    typing = TypingPeople("lobby")
    for seconds in (0, 3, 6):
        typing.type(ALICE, after(seconds))
        typing.publish(after(seconds))
    assert not typing.publish(after(11))
    assert shown(typing) == ["Alice"]


def test_the_first_stays_first() -> None:
    typing = TypingPeople("lobby")
    typing.type(BOB, NOW)
    typing.type(ALICE, after(1))
    typing.type(BOB, after(2))
    typing.publish(after(2))
    assert shown(typing) == ["Bob", "Alice"]


def test_typing_ends_with_the_message_despite_late_frames() -> None:
    typing = TypingPeople("lobby")
    typing.type(ALICE, NOW)
    typing.publish(NOW)
    typing.stop(ALICE.id, after(2))
    assert typing.publish(after(2))
    typing.see_elsewhere([(ALICE, after(1))])  # as a lease says that was read late
    assert not typing.publish(after(3))
    typing.type(ALICE, after(4))
    assert typing.publish(after(4))
    assert shown(typing) == ["Alice"]


def test_leases_get_typing_once_and_not_after_the_message() -> None:
    typing = TypingPeople("lobby")
    typing.type(ALICE, NOW)
    typing.type(BOB, NOW)
    typing.stop(BOB.id, after(1))
    assert typing.take_fresh() == {ALICE.id: True}
    assert typing.take_fresh() == {}
    typing.rest(ALICE.id, after(2))
    assert typing.take_fresh() == {ALICE.id: False}


def test_who_stops_is_no_longer_shown_here_and_elsewhere() -> None:
    typing = TypingPeople("lobby")
    typing.type(ALICE, NOW)
    typing.see_elsewhere([(BOB, NOW)])
    typing.publish(after(1))
    assert shown(typing) == ["Alice", "Bob"]
    typing.rest(ALICE.id, after(2))
    typing.publish(after(2))
    assert shown(typing) == ["Bob"]
    typing.type(ALICE, after(3))
    typing.see_elsewhere([])
    typing.publish(after(3))
    assert shown(typing) == ["Alice"]


def test_a_crowd_is_a_few_names_and_changes_nothing_more() -> None:
    typing = TypingPeople("lobby")
    for n in range(100):
        typing.type(Person(f"u{n}", f"P{n}"), NOW)
    typing.publish(NOW)
    assert shown(typing) == [f"P{n}" for n in range(MOST_SHOWN)]
    typing.type(Person("u100", "P100"), NOW)
    assert not typing.publish(NOW)


def test_a_new_follower_gets_no_empty_list_and_versions_are_not_reused() -> None:
    typing = TypingPeople("lobby")
    versions = []
    for n in range(3):
        typing.type(ALICE, after(10 * n))
        typing.publish(after(10 * n))
        versions.append(typing.version)
        typing.publish(after(10 * n + 6))
        assert typing.version == 0
    assert len(set(versions)) == 3
