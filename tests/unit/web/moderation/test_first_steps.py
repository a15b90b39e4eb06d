"""The first steps of an administrator, and the name of the site."""

import re
from html import unescape

import pytest
from flask import Flask

from chatroom.services import Services
from tests.conftest import signed_in, visitor
from tests.visitors import Visitor, make_room, press, problem, user_of

NAME, INVITE, ROOM, NOTIFICATIONS = "Name this place", "Invite people", "Make a room", "Turn on notifications"


def steps_of(somebody: Visitor) -> dict[str, bool]:
    """The steps that the room shows, and whether each is done."""
    [shown] = re.findall(r'<section class="first-steps".*?</section>', somebody.get("/chatroom").text, re.DOTALL)
    links = re.findall(r'<a class="(first-steps__step[^"]*)"[^>]*>.*?</span>(.*?)</a>', shown)
    return {re.sub("<.*", "", text): "--done" in classes for classes, text in links}


@pytest.fixture
def first(app: Flask) -> Visitor:
    """The only person on a new site."""
    return signed_in(app, "first")


class TestFirstSteps:
    def test_each_is_ticked_when_it_is_done_and_then_they_go(self, first: Visitor, services: Services) -> None:
        assert steps_of(first) == {NAME: False, INVITE: False, ROOM: False, NOTIFICATIONS: False}
        press(first, "/admin/name", name="The Shed", about="")
        assert steps_of(first)[NAME]
        press(first, "/rooms/lobby/invites", uses="25", hours="168")
        assert steps_of(first)[INVITE]
        make_room(first)
        assert steps_of(first) == {NAME: True, INVITE: True, ROOM: True, NOTIFICATIONS: False}
        services.outbound.push.subscribe(user_of(services, "first").id, "s", "https://1.1.1.1/push", "p" * 87, "a" * 22)
        assert "first-steps" not in first.get("/chatroom").text

    def test_somebody_who_came_counts_as_invited(self, first: Visitor, app: Flask) -> None:
        signed_in(app, "second")
        assert steps_of(first)[INVITE]

    def test_hidden_steps_stay_hidden_for_this_account(self, first: Visitor, app: Flask, services: Services) -> None:
        second = signed_in(app, "second")
        services.people.states.set_role(user_of(services, "second").id, "administrator")
        assert press(first, "/admin/first-steps/hide") == 303
        assert "first-steps" not in first.get("/chatroom").text
        assert NAME in steps_of(second)

    def test_others_see_none(self, first: Visitor, app: Flask) -> None:
        assert "first-steps" not in signed_in(app, "second").get("/chatroom").text


class TestNaming:
    def test_the_name_is_on_every_page_and_the_sentence_on_the_start_page(self, first: Visitor, app: Flask) -> None:
        assert press(first, "/admin/name", name="  The  <Shed> ", about="For all who dig.") == 303
        stranger = visitor(app)
        start = unescape(stranger.get("/").text)
        assert "<title>The <Shed></title>" in start
        assert "For all who dig." in start
        assert "The &lt;Shed&gt;" in stranger.get("/login").text
        made = first.submit("/rooms/lobby/invites", uses="1", hours="1").text
        [link] = re.findall(r'value="http://localhost(/join/[^"]+)"', made)
        assert "For all who dig." in stranger.get(link).text
        assert stranger.get("/manifest.webmanifest").get_json()["name"] == "The <Shed>"
        entry = first.get("/admin/audit").text
        assert "The &lt;Shed&gt;" in entry

    def test_an_empty_name_restores_the_name_of_the_server(self, first: Visitor, services: Services) -> None:
        press(first, "/admin/name", name="The Shed", about="")
        press(first, "/admin/name", name="", about="")
        assert services.moderation.naming.name == services.settings.site_name

    @pytest.mark.parametrize("typed", [{"name": "x" * 61, "about": ""}, {"name": "", "about": "x" * 201}])
    def test_too_long_is_refused_and_shown_again(self, first: Visitor, typed: dict[str, str]) -> None:
        answer = first.post("/admin/name", data={"csrf_token": first.token(), **typed})
        assert answer.status_code == 400
        assert "is too long" in problem(answer)
        assert max(typed.values(), key=len) in answer.text

    def test_nobody_else_names_it(self, first: Visitor, app: Flask, services: Services) -> None:
        assert press(signed_in(app, "second"), "/admin/name", name="Mine", about="") == 404
        assert services.moderation.naming.chosen == ""
