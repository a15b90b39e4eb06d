"""Room links, opened by people without an account."""

import re
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from chatroom.people.accounts import NO_CODE, USED_UP
from tests.conftest import MakeApp, services_of, visitor
from tests.visitors import PASSWORD, Visitor, make_room, press, problem, user_of

TYPED = {"display_name": "Newcomer", "password": PASSWORD, "password_again": PASSWORD}


def make_link(somebody: Visitor, slug: str, uses: str = "1") -> str:
    page = somebody.submit("/rooms", to=f"/rooms/{slug}/invites", uses=uses, hours="24").text
    (link,) = re.findall(r'value="http://localhost(/join/[^"]+)"', page)
    return str(link)


def join_by(link: str, somebody: Visitor, username: str = "newcomer") -> TestResponse:
    return somebody.submit(f"/register?next={link}", username=username, **TYPED)


def set_mode(app: Flask, mode: str) -> None:
    services_of(app).moderation.admission.set_registration(None, mode)


class TestPage:
    def test_a_stranger_sees_who_invites_to_which_room(self, app: Flask, alice: Visitor) -> None:
        slug = make_room(alice, "Café")
        link = make_link(alice, slug)
        press(alice, f"/rooms/{slug}/general", title="Café", topic="Secret topic")
        page = visitor(app).get(link)
        assert page.status_code == 200
        shown = unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page.text.split("<main")[1])))
        assert "Alice invites you to the room Café" in shown
        assert f'href="/register?next={link}"' in page.text
        assert f'href="/login?next={link}"' in page.text
        assert "You are invited to Chatroom" in shown
        assert "topic" not in page.text.lower()
        assert slug not in page.text

    def test_the_pages_to_register_and_log_in_say_it_too(self, app: Flask, alice: Visitor) -> None:
        link = make_link(alice, make_room(alice))
        for path in ("/register", "/login"):
            assert "invites you to the room" in visitor(app).get(f"{path}?next={link}").text
            assert "invites you" not in visitor(app).get(f"{path}?next=/join/unknown").text

    @pytest.mark.parametrize("mode", ["open", "invite"])
    def test_the_buttons_of_the_header_keep_the_invitation(self, app: Flask, alice: Visitor, mode: str) -> None:
        link = make_link(alice, make_room(alice))
        set_mode(app, mode)
        for path in (link, f"/register?next={link}", f"/login?next={link}"):
            header = visitor(app).get(path).text.split("<main")[0]
            assert f'href="/register?next={link}"' in header
            assert f'href="/login?next={link}"' in header
        assert 'href="/register"' in visitor(app).get("/register").text

    @pytest.mark.parametrize("code", ["unknown", "0" * 32, "%ED%A0%80", "x" * 1000])
    def test_an_unknown_link_shows_nothing(self, app: Flask, code: str) -> None:
        page = visitor(app).get(f"/join/{code}")
        assert page.status_code == 404
        assert "This link has expired or has been used up." in page.text


class TestRegistration:
    @pytest.mark.parametrize("mode", ["open", "invite", "closed"])
    def test_a14_one_link_admits_to_the_site_and_to_the_room(self, app: Flask, alice: Visitor, mode: str) -> None:
        """A14."""
        slug = make_room(alice)
        link = make_link(alice, slug)
        set_mode(app, mode)
        newcomer = visitor(app)
        assert 'name="invite"' not in newcomer.get(f"/register?next={link}").text
        assert join_by(link, newcomer).location == f"/chatroom/{slug}"
        assert "Newcomer joined" in newcomer.get(f"/chatroom/{slug}").text
        assert visitor(app).get(link).status_code == 404

    @pytest.mark.parametrize(
        "written", ["http://localhost{}", " {} ", "http://localhost/register?next={}", "Come in: {}."]
    )
    def test_the_field_of_the_code_takes_a_room_link(self, app: Flask, alice: Visitor, written: str) -> None:
        slug = make_room(alice)
        link = make_link(alice, slug)
        set_mode(app, "invite")
        newcomer = visitor(app)
        assert "Paste your invite link or code." in newcomer.get("/register").text
        pasted = {**TYPED, "invite": written.format(link)}
        assert newcomer.submit("/register", username="newcomer", **pasted).location == f"/chatroom/{slug}"
        again = visitor(app).submit("/register", username="second", **pasted)
        assert (again.status_code, problem(again)) == (403, USED_UP)

    def test_the_field_of_the_code_takes_the_code_of_a_link_too(self, app: Flask, alice: Visitor) -> None:
        slug = make_room(alice)
        code = make_link(alice, slug).removeprefix("/join/")
        set_mode(app, "invite")
        assert (
            visitor(app).submit("/register", username="newcomer", invite=code, **TYPED).location == f"/chatroom/{slug}"
        )

    def test_a14_a_pasted_link_admits_nobody_whom_the_link_does_not_admit(self, make_app: MakeApp) -> None:
        """A14."""
        app = make_app()
        alice, bob = visitor(app), visitor(app)
        alice.register("alice")
        bob.register("bob")
        link = make_link(bob, make_room(bob))
        set_mode(app, "closed")
        fields = {**visitor(app).fields("/login"), "username": "newcomer", **TYPED, "invite": link}
        assert visitor(app).post("/register", data=fields).status_code == 403
        assert services_of(app).people.users.find_by_username("newcomer") is None

    @pytest.mark.parametrize("pasted", ["nonsense", "https://elsewhere.example/", "join", "{16}", "x" * 2000])
    def test_what_is_neither_code_nor_link_is_called_so(self, app: Flask, alice: Visitor, pasted: str) -> None:
        assert alice.is_signed_in
        set_mode(app, "invite")
        refused = visitor(app).submit("/register", username="newcomer", invite=pasted, **TYPED)
        assert (refused.status_code, problem(refused)) == (403, NO_CODE)

    def test_a_refused_registration_does_not_use_the_link(self, app: Flask, alice: Visitor) -> None:
        slug = make_room(alice)
        link = make_link(alice, slug)
        set_mode(app, "invite")
        assert join_by(link, visitor(app), "alice").status_code == 409
        assert join_by(link, visitor(app)).location == f"/chatroom/{slug}"

    @pytest.mark.parametrize("mode", ["invite", "closed"])
    def test_an_unknown_link_admits_nobody(self, app: Flask, alice: Visitor, mode: str) -> None:
        set_mode(app, mode)
        refused = visitor(app).post(
            "/register",
            data={**visitor(app).fields("/login"), "username": "mallory", **TYPED, "next": "/join/unknown"},
        )
        assert refused.status_code in {400, 403}
        assert services_of(app).people.users.find_by_username("mallory") is None

    def test_a14_a_link_ends_for_strangers_with_the_rights_of_its_creator(
        self, app: Flask, alice: Visitor, bob: Visitor
    ) -> None:
        """A14."""
        slug = make_room(alice)
        bob_id = user_of(services_of(app), "bob").id
        press(alice, f"/rooms/{slug}/members", username="bob")
        press(alice, f"/rooms/{slug}/roles", **{f"role-{bob_id}": "moderator"})
        link = make_link(bob, slug)
        set_mode(app, "invite")
        assert join_by(link, visitor(app)).status_code == 303
        link = make_link(bob, slug)
        press(alice, f"/rooms/{slug}/roles", **{f"role-{bob_id}": "member"})
        assert "/register" not in visitor(app).get(link).text.split("<main")[1]
        assert join_by(link, visitor(app), "second").status_code == 403

    def test_a14_a_ban_of_the_creator_ends_it_too(self, app: Flask, alice: Visitor, bob: Visitor) -> None:
        """A14."""
        link = make_link(bob, make_room(bob))
        set_mode(app, "invite")
        press(alice, f"/people/{user_of(services_of(app), 'bob').id}/ban", reason="spam", duration="1h")
        assert join_by(link, visitor(app)).status_code == 403

    def test_a14_a_closed_site_is_opened_only_by_its_administrators(self, make_app: MakeApp) -> None:
        """A14."""
        app = make_app()
        alice, bob = visitor(app), visitor(app)
        alice.register("alice")
        bob.register("bob")
        link = make_link(bob, make_room(bob))
        set_mode(app, "closed")
        page = visitor(app).get(link)
        assert "This site accepts no new accounts" in page.text
        assert "/register" not in page.text.split("<main")[1]
        stranger = visitor(app)
        hidden = stranger.fields(f"/login?next={link}")
        refused = stranger.post("/register", data={**hidden, "username": "newcomer", **TYPED})
        assert (refused.status_code, problem(refused)) == (403, "")
        assert services_of(app).people.users.find_by_username("newcomer") is None
        assert press(alice, "/rooms/lobby/invites", uses="1", hours="24") == 200

    def test_registrations_by_a_link_are_limited_too(self, make_app: MakeApp) -> None:
        app = make_app(register_limit_address="2 per hour", registration="open")
        alice = visitor(app)
        alice.register("alice")
        link = make_link(alice, make_room(alice), "25")
        set_mode(app, "invite")
        assert [join_by(link, visitor(app), name).status_code for name in ("first", "second")] == [303, 429]
