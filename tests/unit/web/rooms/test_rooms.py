"""Find, make and join rooms by their pages, and talk to people alone."""

import re
import sys

import pytest
from flask import Flask

from chatroom.base.models import Scope
from chatroom.rooms.direct import MOST_PEOPLE
from chatroom.services import Services
from chatroom.site.limits import AccountLimit
from tests.conftest import MakeApp, services_of, signed_in
from tests.visitors import Visitor, make_room, press, problem, user_of


class TestFlooding:
    def test_endless_joining_is_limited(self, alice: Visitor, bob: Visitor) -> None:
        """M09: each time says so to everybody who is there, also when it is done by somebody who is muted."""
        slug = make_room(alice, "Tea", "public")
        came = []
        for _ in range(25):
            came.append(press(bob, f"/rooms/{slug}/join"))
            press(bob, f"/rooms/{slug}/leave")
        assert came == [303] * 20 + [429] * 5

    def test_opening_the_page_is_limited_too(self, alice: Visitor, bob: Visitor) -> None:
        """M09."""
        slug = make_room(alice, "Tea", "public")
        came = [bob.get(f"/chatroom/{slug}").status_code]
        for _ in range(25):
            press(bob, f"/rooms/{slug}/leave")
            came.append(bob.get(f"/chatroom/{slug}").status_code)
        assert came == [200] * 21 + [429] * 5

    def test_new_conversations_are_limited(
        self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M09: they would fill the lists of those who cannot leave them."""
        monkeypatch.setattr(services.site.limits, "opening", AccountLimit("1 per hour", "Too many."))
        first, second = user_of(services, "alice").id, user_of(services, "bob").id
        assert mallory.submit("/people", person=first).status_code == 303
        refused = mallory.submit("/people", person=second)
        assert (refused.status_code, "Too many." in problem(refused)) == (429, True)
        assert mallory.submit("/people", person=first).status_code == 303  # it is there


class TestEvading:
    def test_a_former_member_cannot_post_or_rejoin_by_posting(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        """M17: by the form, by the API, and by what comes after it."""
        slug = make_room(alice, "Tea", "public")
        fields = bob.fields(f"/chatroom/{slug}") | {"text": "hello again"}
        press(bob, f"/rooms/{slug}/leave")
        answer = bob.post(f"/chatroom/{slug}", data=fields)
        assert (answer.status_code, "Open its page to join it" in answer.text) == (403, True)
        path = f"/api/rooms/{slug}/messages"
        assert bob.post(path, json={"text": "hi"}, headers=bob.csrf()).status_code == 403
        assert bob.get(path).status_code == 403
        assert services.rooms.access.find_for(user_of(services, "bob").id, slug) is None
        assert press(bob, f"/rooms/{slug}/join") == 303
        assert bob.post(path, json={"text": "hi"}, headers=bob.csrf()).status_code == 201

    @pytest.mark.parametrize(("scopes", "status"), [(["read", "post"], 403), (["rooms"], 200)])
    def test_a_token_joins_only_with_its_scope(
        self, alice: Visitor, bob: Visitor, client: Visitor, services: Services, scopes: list[Scope], status: int
    ) -> None:
        """M17."""
        slug = make_room(alice, "Tea", "public")
        user = services.people.users.find(user_of(services, "bob").id)
        assert user is not None
        headers = {"Authorization": f"Bearer {services.people.sessions.create_token(user, label='x', scopes=scopes)}"}
        client.get(f"/api/rooms/{slug}/messages", headers=headers)
        client.post(f"/api/rooms/{slug}/messages", json={"text": "hi"}, headers=headers)
        assert client.post(f"/api/rooms/{slug}/join", headers=headers).status_code == status
        assert (services.rooms.access.find_for(user.id, slug) is not None) == (status == 200)

    def test_a_new_private_room_says_so_and_invites(self, alice: Visitor) -> None:
        for kind, is_private in (("private", True), ("public", False)):
            slug = make_room(alice, f"A {kind} room", kind)
            page = alice.get(f"/chatroom/{slug}").text
            title, empty = page.split('id="room-title"')[1], page.split("data-empty")[1]
            assert ('aria-label="Private"' in title.split("</h1>")[0]) == is_private
            assert (f'href="/rooms/{slug}/invites"' in empty.split("</div>")[0]) == is_private

    def test_the_last_word_on_a_public_room_is_the_site_s(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        """M15."""
        slug = make_room(bob, "Tea", "public")
        assert alice.get(f"/chatroom/{slug}").status_code == 200
        assert f"members/{user_of(services, 'alice').id}/remove" not in bob.get(f"/rooms/{slug}/members").text
        assert press(bob, f"/rooms/{slug}/members/{user_of(services, 'alice').id}/remove") == 403
        assert alice.get(f"/chatroom/{slug}").status_code == 200
        bob_id = user_of(services, "bob").id
        assert press(alice, f"/rooms/{slug}/members/{bob_id}/remove", confirmed=bob_id) == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 404


class TestMaking:
    def test_a_room_is_made_and_found_by_others(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, "Tea & Cake", "public")
        assert "Tea &amp; Cake" in alice.get(f"/chatroom/{slug}").text
        assert "Tea &amp; Cake" in bob.get("/rooms").text
        assert press(bob, f"/rooms/{slug}/join") == 303
        assert "Bob joined" in bob.get(f"/chatroom/{slug}").text

    def test_a_private_one_is_not_found(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, "Hideout")
        assert "Hideout" not in bob.get("/rooms").text
        assert [press(bob, f"/rooms/{slug}/{what}") for what in ("join", "leave", "archive")] == [404] * 3

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            ({"title": " "}, "Give the room a name."),
            ({"title": "x" * 61}, "A name has at most 60 characters."),
            ({"title": "Tea", "topic": "x" * 251}, "A topic has at most 250 characters."),
        ],
    )
    def test_the_typed_text_is_shown_with_the_error(self, alice: Visitor, typed: dict[str, str], said: str) -> None:
        answer = alice.submit("/rooms/new", **{"topic": "", "kind": "private", **typed})
        assert answer.status_code == 400
        assert said in problem(answer)
        assert re.search(r'checked[^>]*value="private"|value="private"[^>]*checked', answer.text)

    def test_a_refusal_is_shown_too(self, make_app: MakeApp) -> None:
        app = make_app(room_creation="administrators")
        signed_in(app, "alice")
        bob = signed_in(app, "bob")
        answer = bob.submit("/rooms/new", title="Tea", topic="", kind="public")
        assert (answer.status_code, problem(answer)) == (403, "Only administrators can create rooms.")
        assert "/rooms/new" not in bob.get("/rooms").text

    def test_the_list_has_more_pages(self, alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("chatroom.rooms.listings_store", "chatroom.web.rooms.rooms"):
            monkeypatch.setattr(sys.modules[module], "PAGE", 1)
        make_room(alice, "Ants & Co", "public")
        (more,) = re.findall(r'href="(/rooms\?[^"]*)"', alice.get("/rooms").text)
        assert "Lobby" in alice.get(more.replace("&amp;", "&")).text


class TestPeople:
    def test_two_talk_alone(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        assert "Bob" in alice.get("/people?q=bo").text
        assert "Bob" not in alice.get("/people?q=xyz").text
        opened = alice.submit("/people", person=user_of(services, "bob").id)
        assert opened.status_code == 303
        assert "data-room-heading>Bob<" in alice.get(opened.location).text
        assert "data-room-heading>Alice<" in bob.get(opened.location).text
        assert mallory.get(opened.location).status_code == 404
        again = bob.submit("/people", person=user_of(services, "alice").id)
        assert again.location == opened.location

    @pytest.mark.parametrize("to", ["bob", "@Bob ,bob", " BOB; ", "\tbob\n"])
    def test_user_names_are_enough(self, alice: Visitor, bob: Visitor, services: Services, to: str) -> None:
        assert bob.is_signed_in
        opened = alice.submit("/people", names=to)
        assert opened.location == alice.submit("/people", person=user_of(services, "bob").id).location

    @pytest.mark.parametrize(
        ("to", "status", "said"),
        [
            ("bob, zoe", 404, "There is no user named zoe."),
            ("bob, alice", 400, "You are in the conversation already. Leave your own name out."),
            (" ,; @", 400, "Choose 1 to 7 people."),
        ],
    )
    def test_strange_names_are_refused_and_kept(
        self, alice: Visitor, bob: Visitor, to: str, status: int, said: str
    ) -> None:
        assert bob.is_signed_in
        refused = alice.submit("/people", names=to)
        assert (refused.status_code, problem(refused)) == (status, said)
        assert f'name="names" value="{to}"' in refused.text

    def test_too_many_names_are_refused(self, app: Flask, alice: Visitor) -> None:
        names = [f"guest{number}" for number in range(MOST_PEOPLE)]
        for name in names:
            signed_in(app, name)
        assert alice.submit("/people", names=", ".join(names[1:])).status_code == 303
        refused = alice.submit("/people", names=", ".join(names))
        assert (refused.status_code, problem(refused)) == (400, "Choose 1 to 7 people.")

    @pytest.mark.parametrize(("chosen", "status"), [("", 400), ("nobody", 404)])
    def test_a_conversation_needs_another_person(self, alice: Visitor, chosen: str, status: int) -> None:
        answer = alice.submit("/people", **({"person": chosen} if chosen else {}))
        assert answer.status_code == status
        assert problem(answer)
        assert services_of(alice.application).rooms.listings.list_public("x")
