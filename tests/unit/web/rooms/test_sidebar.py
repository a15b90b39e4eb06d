import re
from typing import Any

import pytest

from chatroom.base.models import Room
from chatroom.rooms.listings_store import MOST_UNREAD
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from chatroom.web.rooms.rooms import badge
from tests.visitors import Visitor


def make_room(services: Services, slug: str, *people: str, **fields: Any) -> Room:
    """A room with these people, as whoever runs the site would make it."""
    room = Room(id=slug, slug=slug, title=slug.capitalize(), kind=fields.pop("kind", "private"))
    store = RoomStore(services.database)
    memberships = MembershipStore(services.database)
    store.ensure(room)
    for name in people:
        memberships.admit(user_id(services, name), room)
    if fields:
        services.database["rooms"].update_one({"_id": room.id}, {"$set": fields})
    return room


def user_id(services: Services, name: str) -> str:
    user = services.people.users.find_by_username(name)
    assert user is not None
    return user.id


def say(visitor: Visitor, slug: str, text: str) -> None:
    fields = visitor.fields(f"/chatroom/{slug}")
    assert visitor.post(f"/chatroom/{slug}", data={**fields, "text": text}).status_code == 303


def items(visitor: Visitor, path: str = "/chatroom") -> list[str]:
    """The rooms of the list in their order, with what is said of each."""
    html = visitor.get(path).text
    html = re.sub(r"<template.*?</template>", "", html, flags=re.DOTALL)
    found = re.findall(
        r'<bdi class="room-item__name" data-item-name>([^<]*)</bdi>.*?data-room-heard>([^<]*)<', html, re.DOTALL
    )
    return [name + heard for name, heard in found]


@pytest.fixture
def den(alice: Visitor, bob: Visitor, services: Services) -> Room:
    assert alice.is_signed_in
    assert bob.is_signed_in
    return make_room(services, "den", "alice", "bob")


def test_rooms_are_links_with_unread_counts(alice: Visitor, bob: Visitor, services: Services, den: Room) -> None:
    make_room(services, "attic", "alice")
    assert items(alice) == ["Attic", "Den", "Lobby"]
    say(bob, "den", "hello")
    assert items(alice) == ["Den, 1 unread", "Attic", "Lobby"]
    assert '<a class="room-item__link" href="/chatroom/den">' in alice.get("/chatroom").text


def test_mentions_and_direct_rooms_come_first_and_muted_ones_say_nothing(
    alice: Visitor, bob: Visitor, services: Services, den: Room
) -> None:
    people = sorted(user_id(services, name) for name in ("alice", "bob"))
    make_room(services, "both", "alice", "bob", kind="direct", people=people)
    make_room(services, "attic", "alice", "bob")
    make_room(services, "cellar", "alice", "bob")
    for slug, text in (("attic", "hi"), ("den", "hi"), ("den", "@alice"), ("both", "psst"), ("cellar", "@alice")):
        say(bob, slug, text)
    services.database["memberships"].update_one(
        {"user": user_id(services, "alice"), "room": "cellar"}, {"$set": {"notify": "none"}}
    )
    assert items(alice) == ["Den, 1 mention, 2 unread", "Attic, 1 unread", "Cellar", "Lobby", "Bob, 1 unread"]


def test_opening_a_room_reads_it(alice: Visitor, bob: Visitor, den: Room) -> None:
    say(bob, "den", "hello")
    assert 'data-read="0"' in alice.get("/chatroom/den").text  # where the line stands: before the visit
    assert items(alice) == ["Den", "Lobby"]


def test_so_does_the_frame_next_to_the_form(alice: Visitor, bob: Visitor, den: Room) -> None:
    say(bob, "den", "hello")
    alice.get("/chatroom/den/messages")
    assert items(alice) == ["Den", "Lobby"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/chatroom/den?before=99", {}), ("/chatroom/den/1", {}), ("/chatroom/den", {"Sec-Purpose": "prefetch"})],
)
def test_prefetching_or_another_page_does_not(
    path: str, headers: dict[str, str], alice: Visitor, bob: Visitor, den: Room
) -> None:
    say(bob, "den", "hello")
    assert alice.get(path, headers=headers).status_code == 200
    assert items(alice) == ["Den, 1 unread", "Lobby"]


def test_an_outsider_sees_no_name_of_a_closed_room(mallory: Visitor, den: Room) -> None:
    assert items(mallory) == ["Lobby"]


def test_a_badge_has_two_digits() -> None:
    assert [badge(1), badge(MOST_UNREAD - 1), badge(MOST_UNREAD)] == ["1", "99", "99+"]


def test_a_conversation_is_listed_from_its_first_message_on(alice: Visitor, bob: Visitor, services: Services) -> None:
    opened = alice.submit("/people", person=user_id(services, "bob"))
    slug = opened.location.removeprefix("/chatroom/")
    hidden = rf'data-slug="{slug}"[^>]* hidden>'
    assert re.search(hidden, bob.get("/chatroom").text)
    assert re.search(hidden, alice.get("/chatroom").text)
    assert not re.search(hidden, alice.get(opened.location).text)  # it is open
    assert 'for="notify-direct' not in bob.get("/account/notifications").text
    say(alice, slug, "hello")
    assert not re.search(hidden, bob.get("/chatroom").text)
    assert "Alice, 1 unread" in items(bob)


def test_a_group_shows_the_faces_of_its_people(
    alice: Visitor, bob: Visitor, mallory: Visitor, services: Services
) -> None:
    people = sorted(user_id(services, name) for name in ("alice", "bob", "mallory"))
    make_room(services, "group", "alice", "bob", "mallory", kind="direct", people=people)
    item = re.search(r'data-slug="group".*?</a>', alice.get("/chatroom").text, re.DOTALL)
    assert item is not None
    assert re.findall(r'data-initials="(\w)"', item[0]) == [
        "B" if each == user_id(services, "bob") else "M" for each in people if each != user_id(services, "alice")
    ]


def test_the_setting_of_a_direct_conversation_does_not_say_mentions(
    alice: Visitor, bob: Visitor, services: Services
) -> None:
    opened = alice.submit("/people", person=user_id(services, "bob"))
    say(alice, opened.location.removeprefix("/chatroom/"), "hello")
    bob.get("/chatroom")  # makes Bob a member of the lobby
    page = bob.get("/account/notifications").text
    choices = [
        re.findall(r">([^<]+)</option>", select) for select in re.findall(r"<select.*?</select>", page, re.DOTALL)
    ]
    assert choices == [["All messages", "Nothing"], ["Mentions", "All messages", "Nothing"]]
