"""The page "Invite people"."""

import re
from urllib.parse import unquote

import pytest
import segno
from flask import Flask

from chatroom.services import Services
from tests.conftest import signed_in
from tests.visitors import Visitor, make_room, press, user_of


class TestPage:
    def test_one_press_creates_a_link_that_is_shown_once_with_its_qr_code(self, alice: Visitor) -> None:
        slug = make_room(alice)
        path = f"/rooms/{slug}/invites"
        made = alice.submit(path, uses="25", hours="168").text
        assert "Copy this link now; it won’t be shown again." in made
        [link] = re.findall(r'<input[^>]* value="(http://localhost/join/[^"]+)" readonly', made)
        [picture] = re.findall(r'<img class="invite-code__picture" src="data:image/svg\+xml[^,]*,([^"]+)"', made)
        [_background, drawn] = re.findall(r' d="([^"]+)"', unquote(picture).replace("'", '"'))
        assert drawn in segno.make_qr(link, error="m").svg_inline(border=4)
        again = alice.get(path).text
        assert "/join/" not in again
        assert "25 uses left" in again

    def test_the_form_is_complete_as_it_stands(self, alice: Visitor) -> None:
        page = alice.get("/rooms/lobby/invites").text
        assert re.findall(r'<option selected value="(\d+)">', page) == ["25", "168"]

    def test_a_revoked_link_admits_nobody(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        path = f"/rooms/{slug}/invites"
        [link] = re.findall(r'value="http://localhost(/join/[^"]+)"', alice.submit(path, uses="1", hours="1").text)
        [end] = re.findall(r'action="(/rooms/[^"]+/end)"', alice.get(path).text)
        assert press(alice, end) == 303
        assert "The link was revoked." in alice.get(path).text
        assert bob.get(link).status_code == 404
        again = alice.post(end, data={"csrf_token": alice.token()})
        assert (again.status_code, "has already ended" in again.text) == (404, True)

    def test_other_rooms_are_one_press_away(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, "Snug")
        make_room(bob, "Bob’s own", kind="public")
        page = alice.get(f"/rooms/{make_room(alice)}/invites").text
        assert f'href="/rooms/{slug}/invites"><bdi>Snug</bdi>' in page
        assert "Bob’s own" not in page


class TestChoice:
    def test_the_open_room_comes_first_then_the_lobby(self, alice: Visitor, services: Services) -> None:
        slug = make_room(alice)
        assert alice.get("/invite").location == f"/rooms/{slug}/invites"
        services.people.states.set_role(user_of(services).id, "administrator")
        alice.get("/chatroom")
        assert alice.get("/invite").location == "/rooms/lobby/invites"

    def test_an_administrator_who_never_opened_a_room_invites_to_the_lobby(self, app: Flask) -> None:
        first = signed_in(app, "first")
        assert first.get("/invite").location == "/rooms/lobby/invites"

    def test_an_archived_room_is_left_out(self, alice: Visitor, services: Services) -> None:
        services.people.states.set_role(user_of(services).id, "member")
        slug = make_room(alice)
        assert press(alice, f"/rooms/{slug}/archive", archived="yes") == 303
        assert "You can invite people to rooms" in alice.get("/invite").text


class TestOthers:
    @pytest.mark.parametrize(("path", "status"), [("/invite", 200), ("/rooms/lobby/invites", 403)])
    def test_they_read_whom_they_can_ask(self, app: Flask, alice: Visitor, path: str, status: int) -> None:
        carol = signed_in(app, "carol")
        carol.get("/chatroom")
        page = carol.get(path)
        assert page.status_code == status
        assert re.findall(r'<a href="/people/[^"]*"><bdi>(.*?)</bdi>', page.text) == ["Alice"]
        assert "Create link" not in page.text

    def test_a_direct_conversation_says_why(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        made = alice.submit("/people", person=user_of(services, "bob").id)
        slug = made.location.removeprefix("/chatroom/")
        page = alice.get(f"/rooms/{slug}/invites")
        assert (page.status_code, "A direct conversation keeps its people." in page.text) == (403, True)
