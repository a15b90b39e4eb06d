import re
from datetime import UTC, datetime
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


def items(visitor: Visitor, path: str = "/chatroom", section: str = "") -> list[str]:
    """The rooms of the list in their order, with what is said of each: of all sections, or of one."""
    html = visitor.get(path).text
    html = re.sub(r"<template.*?</template>", "", html, flags=re.DOTALL)
    if section:
        html = html.partition(f'data-room-list="{section}"')[2].partition("</ul>")[0]
    found = re.findall(
        r'data-room-item([^>]*)>.*?<bdi class="room-item__name" data-item-name>([^<]*)</bdi>.*?data-room-mark>([^<]*)<'
        r".*?data-room-heard>([^<]*)<",
        html,
        re.DOTALL,
    )
    shown = [each for each in found if not each[0].endswith(" hidden")]
    return [name + heard + (f" ({mark})" if mark else "") for _, name, mark, heard in shown]


def arrange(visitor: Visitor, slug: str, change: str) -> None:
    path = f"/rooms/{slug}/arrange"
    assert visitor.submit(path, change=change).location == "/"


@pytest.fixture
def den(alice: Visitor, bob: Visitor, services: Services) -> Room:
    assert alice.is_signed_in
    assert bob.is_signed_in
    return make_room(services, "den", "alice", "bob")


def test_rooms_are_links_with_unread_counts(alice: Visitor, bob: Visitor, services: Services, den: Room) -> None:
    make_room(services, "attic", "alice")
    assert items(alice) == ["Attic", "Den", "Lobby"]
    say(bob, "den", "hello")
    assert items(alice) == ["Attic", "Den, 1 unread", "Lobby"]
    assert '<a class="room-item__link" href="/chatroom/den">' in alice.get("/chatroom").text


def test_rooms_keep_their_places_whatever_is_new_and_muted_ones_show_no_number(
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
    assert items(alice) == [
        "Attic, 1 unread",
        "Cellar (muted)",
        "Den, 1 mention, 2 unread",
        "Lobby",
        "Bob, 1 unread",
    ]


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


def test_conversations_are_sorted_by_their_newest_message(
    alice: Visitor, bob: Visitor, mallory: Visitor, services: Services
) -> None:
    assert bob.is_signed_in
    for name in ("bob", "mallory"):
        people = sorted(user_id(services, each) for each in ("alice", name))
        make_room(services, f"with-{name}", "alice", name, kind="direct", people=people)
    say(mallory, "with-mallory", "first")
    say(alice, "with-bob", "second")
    assert items(alice, section="direct") == ["Bob", "Mallory, 1 unread"]
    say(mallory, "with-mallory", "third")
    assert items(alice, section="direct") == ["Mallory, 2 unread", "Bob"]
    liked = {"emoji": "👍"}
    first = alice.get("/api/rooms/with-bob/messages").get_json()["messages"][0]["id"]
    reacted = bob.post(f"/api/rooms/with-bob/messages/{first}/reactions", json=liked, headers=bob.csrf())
    assert reacted.status_code == 200
    assert items(alice, section="direct") == ["Mallory, 2 unread", "Bob"], "a reaction is no message"


def test_archived_rooms_are_last_and_say_so(alice: Visitor, services: Services, den: Room) -> None:
    make_room(services, "attic", "alice", archived_at=datetime.now(UTC))
    assert items(alice) == ["Den", "Lobby", "Attic (archived)"]


def test_a_star_lists_a_room_above_the_others(alice: Visitor, bob: Visitor, services: Services, den: Room) -> None:
    page = alice.get("/chatroom").text
    assert re.search(r'aria-labelledby="rooms-starred" hidden>', page), "an empty section is not shown"
    alice.get("/chatroom/den")  # the room that was open last
    arrange(alice, "den", "star")
    assert alice.get("/").location == "/chatroom/den"
    assert (items(alice, section="starred"), items(alice, section="rooms")) == (["Den"], ["Lobby"])
    assert items(bob, section="starred") == [], "it is Alice's"
    arrange(alice, "den", "unstar")
    assert (items(alice, section="starred"), items(alice, section="rooms")) == ([], ["Den", "Lobby"])


def test_a_hidden_room_comes_back_with_a_message(alice: Visitor, bob: Visitor, services: Services, den: Room) -> None:
    say(bob, "den", "one")
    arrange(alice, "den", "hide")
    assert items(alice) == ["Lobby"]
    assert items(bob) == ["Den", "Lobby"], "it is Alice's"
    assert items(alice, "/chatroom/den") == ["Den", "Lobby"], "the open room is always listed"
    first = alice.get("/api/rooms/den/messages").get_json()["messages"][0]["id"]
    alice.post(f"/api/rooms/den/messages/{first}/reactions", json={"emoji": "👍"}, headers=alice.csrf())
    assert items(alice) == ["Lobby"], "a reaction is no message"
    say(bob, "den", "two")
    assert items(alice) == ["Den, 1 unread", "Lobby"]


def test_a_hidden_muted_room_stays_hidden(alice: Visitor, bob: Visitor, den: Room) -> None:
    arrange(alice, "den", "hide")
    arrange(alice, "den", "mute")
    say(bob, "den", "hello")
    assert items(alice) == ["Lobby"]
    arrange(alice, "den", "show")
    assert items(alice) == ["Den (muted)", "Lobby"]
    arrange(alice, "den", "unmute")
    assert items(alice) == ["Den, 1 unread", "Lobby"]


def test_a_star_shows_a_hidden_room(alice: Visitor, den: Room) -> None:
    arrange(alice, "den", "hide")
    arrange(alice, "den", "star")
    assert items(alice, section="starred") == ["Den"]


def test_who_leaves_and_returns_finds_a_plain_room(alice: Visitor, bob: Visitor, services: Services) -> None:
    assert bob.is_signed_in
    make_room(services, "hall", "alice", "bob", kind="public")
    for change in ("hide", "mute", "star"):
        arrange(alice, "hall", change)
    alice.submit("/rooms/hall/about", to="/rooms/hall/leave")
    alice.get("/chatroom/hall")
    assert items(alice) == ["Hall", "Lobby"]


def test_the_page_offers_what_undoes_it(alice: Visitor, den: Room) -> None:
    def offered() -> list[str]:
        return re.findall(r'name="change" value="(\w+)"', alice.get("/rooms/den/arrange").text)

    assert offered() == ["star", "mute", "hide"]
    for change in ("star", "mute", "hide"):
        arrange(alice, "den", change)
    assert offered() == ["unstar", "unmute", "show"]


@pytest.mark.parametrize("change", ["", "everything"])
def test_an_unknown_change_is_refused(alice: Visitor, den: Room, change: str) -> None:
    answer = alice.submit("/rooms/den/arrange", change=change)
    assert answer.status_code == 400
    assert "Choose one of the buttons." in answer.text


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
    assert choices.pop(0) == ["As chosen below", "Mentions", "All messages", "Nothing"]
    later, *rooms = choices
    assert later == ["Mentions", "All messages", "Nothing"]
    assert rooms == [["All messages", "Nothing"], ["Mentions", "All messages", "Nothing"]]
