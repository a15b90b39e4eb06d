"""The bell of a room, from the page and by the API."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from chatroom.base.models import Room
from chatroom.services import Services
from tests.visitors import Visitor, make_room

API = "/api/rooms/lobby/arrange"


def pressed(page: str) -> list[str]:
    """The choices that the bell shows as chosen."""
    menu = re.findall(r'name="notify" value="(\w+)" aria-pressed="true"', page)
    assert 'aria-label="Notify me about: ' in page
    return menu


def choose(visitor: Visitor, notify: str, path: str = "/chatroom/lobby/notify") -> str:
    answer = visitor.post(path, data={"csrf_token": visitor.token(), "notify": notify, "is_bell": "y"})
    assert (answer.status_code, answer.location) == (303, "/chatroom/lobby")
    return html.unescape(visitor.get("/chatroom").text)


def test_the_bell_is_a_form_that_leads_back_to_the_room(alice: Visitor) -> None:
    assert pressed(alice.get("/chatroom").text) == ["mentions"]
    for choice, said in (("all", "all messages"), ("none", "nothing"), ("mentions", "mentions")):
        page = choose(alice, choice)
        assert pressed(page) == [choice]
        assert f"This room notifies you of {said}." in page
        assert f"This room notifies you of {said}." not in alice.get("/chatroom").text


def test_nothing_until_tomorrow(alice: Visitor, services: Services) -> None:
    alice.set_cookie("time_zone", "Asia/Kathmandu")
    choose(alice, "all")
    page = choose(alice, "tomorrow")
    assert pressed(page) == ["tomorrow"]
    assert ", 08:00" in page
    (entry,) = services.rooms.listings.list_for(id_of(alice))
    until = entry.membership.paused_until
    assert until is not None
    assert (until.hour, until.minute) == (2, 15)
    assert timedelta() < until - datetime.now(UTC) <= timedelta(hours=28)
    settings = alice.get("/account/notifications").text
    assert re.search(r'<option selected value="kept">Nothing until 08:00( tomorrow)?</option>', settings)
    assert "Nothing notifies you until <time" in alice.get("/rooms/lobby/arrange").text


def test_a_save_of_the_settings_keeps_a_pause_and_its_button_ends_it(alice: Visitor, services: Services) -> None:
    alice.set_cookie("time_zone", "Asia/Kathmandu")
    choose(alice, "all")

    def now() -> tuple[str, str]:
        (entry,) = services.rooms.listings.list_for(id_of(alice))
        return entry.membership.notify, entry.membership.chosen

    for typed, then in (
        ({"notify-lobby-id": "kept"}, ("none", "all")),
        ({"notify-lobby-id": "kept", "end": "lobby-id"}, ("all", "all")),
        ({"notify-lobby-id": "all"}, ("all", "all")),
        ({"notify-lobby-id": "mentions"}, ("mentions", "mentions")),
    ):
        choose(alice, "all")
        choose(alice, "tomorrow")
        (entry,) = services.rooms.listings.list_for(id_of(alice))
        form = {
            key.replace("lobby-id", entry.room.id): value.replace("lobby-id", entry.room.id)
            for key, value in typed.items()
        }
        assert f'name="end" value="{entry.room.id}"' in alice.get("/account/notifications").text
        alice.submit("/account/notifications", every="", **form)
        assert now() == then
    assert 'name="end"' not in alice.get("/account/notifications").text


@pytest.mark.parametrize(("before", "after"), [("all", "all"), ("mentions", "mentions"), ("none", "mentions")])
def test_unmute_ends_a_pause_and_brings_back_the_choice_before_it(
    alice: Visitor, services: Services, before: str, after: str
) -> None:
    choose(alice, before)
    choose(alice, "tomorrow")
    alice.submit("/rooms/lobby/arrange", change="unmute")
    (entry,) = services.rooms.listings.list_for(id_of(alice))
    assert (entry.membership.notify, entry.membership.paused_until) == (after, None)


@pytest.mark.parametrize(("hour", "day"), [(1, "today"), (12, "tomorrow")])
def test_before_four_o_clock_the_next_morning_is_today(alice: Visitor, hour: int, day: str) -> None:
    behind = (datetime.now(UTC).hour - hour) % 24  # where it is this hour
    zone = f"Etc/GMT+{behind}" if behind <= 12 else f"Etc/GMT-{24 - behind}"
    alice.set_cookie("time_zone", zone)
    assert f"Nothing in this room until 8:00 {day}" in alice.get("/chatroom").text


def test_the_bell_and_the_settings_lead_to_do_not_disturb(alice: Visitor) -> None:
    for path in ("/chatroom", "/account/notifications"):
        assert 'href="/account/status#quiet-title"' in alice.get(path).text
    alice.submit("/account/status", to="/account/undisturbed", undisturbed="1h", last_day="")
    assert "“Do not disturb” is on: nothing notifies you now." in alice.get("/account/notifications").text


def test_the_settings_lead_back_to_the_settings(alice: Visitor) -> None:
    answer = alice.post("/chatroom/lobby/notify", data={"csrf_token": alice.token(), "notify": "none"})
    assert answer.location == "/account/notifications"


def test_one_save_changes_what_was_chosen_for_each_room_or_for_every_room(
    alice: Visitor, bob: Visitor, services: Services
) -> None:
    slug = make_room(alice, kind="public")
    assert alice.is_signed_in
    opened = alice.submit("/people", person=id_of(bob)).location.removeprefix("/chatroom/")
    alice.say("hello", f"/chatroom/{opened}")

    def now() -> dict[str, str]:
        return {each.room.slug: each.membership.chosen for each in services.rooms.listings.list_for(id_of(alice))}

    ids = {each.room.slug: each.room.id for each in services.rooms.listings.list_for(id_of(alice))}
    typed = {f"notify-{ids[slug]}": "none", f"notify-{ids['lobby']}": "mentions", f"notify-{ids[opened]}": "loud"}
    answer = alice.submit("/account/notifications", every="", **typed)
    assert (answer.status_code, answer.location) == (303, "/account/notifications")
    assert now() == {slug: "none", "lobby": "mentions", opened: "mentions"}
    alice.submit("/account/notifications", every="all", **typed)
    assert now() == {slug: "all", "lobby": "all", opened: "mentions"}
    alice.submit("/account/notifications", every="loud")
    assert now() == {slug: "all", "lobby": "all", opened: "mentions"}


def test_programs_choose_by_the_api(alice: Visitor) -> None:
    assert alice.is_signed_in
    paused = alice.post(API, json={"notify": "tomorrow"}, headers=alice.csrf()).get_json()
    assert (paused["notify"], paused["chosen"]) == ("none", "mentions")
    assert paused["paused_until"].endswith("T08:00:00Z")  # without a time zone
    assert alice.post(API, json={"notify": "all"}, headers=alice.csrf()).get_json() == {
        "room": "lobby",
        "notify": "all",
        "chosen": "all",
        "paused_until": None,
    }
    assert alice.post(API, json={"notify": "sometimes"}, headers=alice.csrf()).status_code == 400


def test_a_direct_conversation_has_no_mentions_to_choose(alice: Visitor, bob: Visitor, services: Services) -> None:
    room = alice.post("/people", data={"csrf_token": alice.token(), "person": id_of(bob)}).location
    page = alice.get(room).text
    assert re.findall(r'name="notify" value="(\w+)"', page) == ["mentions", "none", "tomorrow"]
    assert "All messages" in page


def id_of(visitor: Visitor) -> str:
    found = re.search(r'data-user="([^"]+)"', visitor.get("/chatroom").text)
    assert found
    return found[1]


@pytest.mark.parametrize("choice", ["all", "mentions", "none"])
def test_rooms_joined_later_begin_with_the_default(
    alice: Visitor, bob: Visitor, services: Services, choice: str
) -> None:
    before = make_room(alice, kind="public")
    alice.get("/chatroom")  # which makes her a member of the lobby
    alice.submit("/account/notifications", every="", new_rooms=choice)
    assert f'<option value="{choice}" selected>' in alice.get("/account/notifications").text
    made = make_room(alice, kind="private", title="Made")
    joined = make_room(bob, kind="public", title="Joined")
    alice.get(f"/chatroom/{joined}")
    opened = alice.submit("/people", person=id_of(bob)).location.removeprefix("/chatroom/")
    alice.submit("/account/notifications", every="", new_rooms="loud")  # changes nothing
    now = {each.room.slug: each.membership.chosen for each in services.rooms.listings.list_for(id_of(alice))}
    assert now == {"lobby": "mentions", before: "mentions", made: choice, joined: choice, opened: choice}
    left = services.rooms.access.get_for(id_of(alice), joined)
    services.rooms.membership.leave(left)
    alice.submit("/account/notifications", every="", new_rooms="mentions")
    alice.get(f"/chatroom/{joined}")
    alice.submit(f"/rooms/{joined}/join")
    assert services.rooms.access.get_for(id_of(alice), joined).membership.chosen == "mentions"


def test_many_rooms_have_pages_and_one_save_keeps_what_is_on_the_page(alice: Visitor, services: Services) -> None:
    assert alice.is_signed_in
    for number in range(101):
        room = Room(id=f"r{number:03}", slug=f"r{number:03}", title=f"{number:03} " + "<'&>" * 14, kind="private")
        services.rooms.store.ensure(room)
        services.rooms.membership_store.admit(id_of(alice), room)
    seen: list[str] = []
    address = "/account/notifications"
    while address:
        page = alice.get(address).text
        assert len(page) < 100_000
        seen += re.findall(r'<label class="preference__room" for="notify-([^"]*)"', page)
        more = re.search(r'href="([^"]*)">More rooms', page)
        last, address = address, more[1] if more else ""
    assert seen == [f"r{number:03}" for number in range(101)] + ["lobby"]
    answer = alice.submit(last, to=last, **{"notify-r100": "none", "new_rooms": "mentions", "every": ""})
    assert answer.location == last
    chosen = {each.room.id: each.membership.chosen for each in services.rooms.listings.list_for(id_of(alice))}
    assert [id for id, choice in chosen.items() if choice == "none"] == ["r100"]
    assert 'for="notify-r000"' in alice.get("/account/notifications?after=gone").text
