import json
from typing import Any

from chatroom.base.models import Person
from chatroom.live.presence.presence import Presence
from tests.people import CAST

ALICE, BOB, MALLORY = CAST


def shown(presence: Presence, seen: int) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(presence.frame(seen))
    assert frame.pop("type") == "presence"
    assert frame.pop("room") == "lobby"
    return frame


def fields(person: Person) -> dict[str, str]:
    return {"id": person.id, "name": person.name}


def test_a_new_reader_gets_the_whole_list_by_name() -> None:
    presence = Presence("lobby")
    for person in (BOB, ALICE, Person("d", "aaron")):
        assert presence.enter(person)
    assert presence.publish()

    assert shown(presence, 0) == {"here": [{"id": "d", "name": "aaron"}, fields(ALICE), fields(BOB)]}


def test_an_empty_room_is_reported_too() -> None:
    presence = Presence("lobby")

    assert presence.publish()
    assert presence.version == 1
    assert not presence.publish()
    assert shown(presence, 0) == {"here": []}


def test_a_reader_of_the_previous_version_gets_the_changes() -> None:
    presence = Presence("lobby")
    presence.enter(ALICE)
    presence.publish()
    presence.enter(BOB)
    presence.leave(ALICE)
    presence.publish()

    assert shown(presence, 1) == {"came": [fields(BOB)], "left": [ALICE.id]}


def test_a_reader_of_an_older_version_gets_the_whole_list() -> None:
    presence = Presence("lobby")
    for person in (ALICE, BOB, MALLORY):
        presence.enter(person)
        presence.publish()

    assert presence.version == 3
    assert shown(presence, 1) == {"here": [fields(ALICE), fields(BOB), fields(MALLORY)]}
    assert shown(presence, 2) == {"came": [fields(MALLORY)], "left": []}


def test_nothing_is_published_before_it_is_time() -> None:
    presence = Presence("lobby")
    presence.enter(ALICE)
    presence.publish()
    presence.enter(BOB)

    assert presence.version == 1
    assert shown(presence, 0) == {"here": [fields(ALICE)]}


def test_a_person_who_came_and_left_in_between_is_not_reported() -> None:
    presence = Presence("lobby")
    presence.publish()
    presence.enter(ALICE)
    presence.leave(ALICE)

    assert not presence.publish()


def test_w08_two_connections_are_one_person() -> None:
    presence = Presence("lobby")

    assert presence.enter(ALICE)
    assert not presence.enter(ALICE)
    presence.publish()
    assert shown(presence, 0) == {"here": [fields(ALICE)]}
    assert not presence.leave(ALICE)
    assert not presence.publish()
    assert presence.local() == [ALICE]
    assert presence.leave(ALICE)
    assert presence.publish()
    assert shown(presence, 0) == {"here": []}
    assert presence.local() == []


def test_people_in_other_processes_are_here_too_once() -> None:
    presence = Presence("lobby")
    presence.enter(ALICE)
    presence.see_elsewhere([ALICE, BOB])
    presence.publish()

    assert shown(presence, 0) == {"here": [fields(ALICE), fields(BOB)]}
    assert presence.local() == [ALICE]
    presence.see_elsewhere([])
    presence.publish()
    assert shown(presence, 1) == {"came": [], "left": [BOB.id]}


def test_a_new_name_is_reported() -> None:
    presence = Presence("lobby")
    presence.enter(ALICE)
    presence.publish()
    renamed = Person(ALICE.id, "Alice of the Woods")
    presence.enter(renamed)
    presence.publish()

    assert shown(presence, 1) == {"came": [fields(renamed)], "left": []}


def test_a_name_is_escaped() -> None:
    presence = Presence("lobby")
    odd = Person("d", '"</script>\u202e')
    presence.enter(odd)
    presence.publish()

    assert shown(presence, 0) == {"here": [fields(odd)]}


def test_the_whole_list_is_made_once_for_a_version() -> None:
    presence = Presence("lobby")
    presence.enter(ALICE)
    presence.publish()

    assert presence.frame(0) is presence.frame(0)
