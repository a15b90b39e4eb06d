import re
import sys
import time

import pytest
from flask import Flask

from chatroom.base.models import Scope
from chatroom.services import Services
from chatroom.site.audit import CONSOLE, ENTRIES, about_room
from chatroom.site.limits import AskingLimit
from tests.conftest import MakeApp, services_of, signed_in
from tests.databases import record
from tests.visitors import Visitor, problem

SAVED = {"title": "Snug", "topic": "Tea", "slow_seconds": "0", "retention_days": "0"}


def make_room(somebody: Visitor, title: str = "Den", kind: str = "private") -> str:
    """Make a room; answers with its slug."""
    made = somebody.submit("/rooms/new", title=title, topic="", kind=kind)
    assert made.status_code == 303
    return str(made.location.removeprefix("/chatroom/"))


def press(somebody: Visitor, path: str, **typed: str) -> int:
    """Press a button that is a form of its own."""
    return somebody.submit("/rooms", to=path, **typed).status_code


def id_of(services: Services, username: str) -> str:
    user = services.people.users.find_by_username(username)
    assert user is not None
    return user.id


class TestFlooding:
    def test_who_comes_and_goes_without_end_is_slowed_down(self, alice: Visitor, bob: Visitor) -> None:
        """M09: each time says so to everybody who is there, also when it is done by somebody who is muted."""
        slug = make_room(alice, "Tea", "public")
        came = []
        for _ in range(25):
            came.append(press(bob, f"/rooms/{slug}/join"))
            press(bob, f"/rooms/{slug}/leave")
        assert came == [303] * 20 + [429] * 5

    def test_nor_by_the_room_s_page(self, alice: Visitor, bob: Visitor) -> None:
        """M09."""
        slug = make_room(alice, "Tea", "public")
        came = [bob.get(f"/chatroom/{slug}").status_code]
        for _ in range(25):
            press(bob, f"/rooms/{slug}/leave")
            came.append(bob.get(f"/chatroom/{slug}").status_code)
        assert came == [200] * 21 + [429] * 5

    def test_nobody_begins_conversations_without_end(
        self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M09: they would fill the lists of those who cannot leave them."""
        monkeypatch.setattr(services.site.limits, "opening", AskingLimit("1 per hour", "opening", "Too many."))
        first, second = id_of(services, "alice"), id_of(services, "bob")
        assert mallory.submit("/people", person=first).status_code == 303
        refused = mallory.submit("/people", person=second)
        assert (refused.status_code, "Too many." in problem(refused)) == (429, True)
        assert mallory.submit("/people", person=first).status_code == 303  # it is there


class TestEvading:
    def test_who_has_left_posts_nothing_and_is_not_let_in_by_it(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        """M17: by the form, by the API, and by what comes after it."""
        slug = make_room(alice, "Tea", "public")
        fields = bob.fields(f"/chatroom/{slug}") | {"text": "hello again"}
        press(bob, f"/rooms/{slug}/leave")
        answer = bob.post(f"/chatroom/{slug}", data=fields)
        assert (answer.status_code, "Join it first" in answer.text) == (403, True)
        path = f"/api/rooms/{slug}/messages"
        assert bob.post(path, json={"text": "hi"}, headers=bob.csrf()).status_code == 403
        assert bob.get(path).status_code == 403
        assert services.rooms.rooms.find_for(id_of(services, "bob"), slug) is None
        assert press(bob, f"/rooms/{slug}/join") == 303
        assert bob.post(path, json={"text": "hi"}, headers=bob.csrf()).status_code == 201

    @pytest.mark.parametrize(("scopes", "status"), [(["read", "post"], 403), (["rooms"], 200)])
    def test_a_token_enters_only_where_its_scopes_say_so(
        self, alice: Visitor, bob: Visitor, client: Visitor, services: Services, scopes: list[Scope], status: int
    ) -> None:
        """M17."""
        slug = make_room(alice, "Tea", "public")
        user = services.people.users.find(id_of(services, "bob"))
        assert user is not None
        headers = {"Authorization": f"Bearer {services.people.sessions.create_token(user, label='x', scopes=scopes)}"}
        client.get(f"/api/rooms/{slug}/messages", headers=headers)
        client.post(f"/api/rooms/{slug}/messages", json={"text": "hi"}, headers=headers)
        assert client.post(f"/api/rooms/{slug}/join", headers=headers).status_code == status
        assert (services.rooms.rooms.find_for(user.id, slug) is not None) == (status == 200)

    def test_the_last_word_on_a_public_room_is_the_site_s(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        """M15."""
        slug = make_room(bob, "Tea", "public")
        assert alice.get(f"/chatroom/{slug}").status_code == 200
        assert f"members/{id_of(services, 'alice')}/remove" not in bob.get(f"/rooms/{slug}/settings").text
        assert press(bob, f"/rooms/{slug}/members/{id_of(services, 'alice')}/remove") == 403
        assert alice.get(f"/chatroom/{slug}").status_code == 200
        assert press(alice, f"/rooms/{slug}/members/{id_of(services, 'bob')}/remove") == 303
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
    def test_what_was_typed_comes_back_with_what_is_wrong(
        self, alice: Visitor, typed: dict[str, str], said: str
    ) -> None:
        answer = alice.submit("/rooms/new", **{"topic": "", "kind": "private", **typed})
        assert answer.status_code == 400
        assert said in problem(answer)
        assert re.search(r'checked[^>]*value="private"|value="private"[^>]*checked', answer.text)

    def test_a_refusal_comes_back_too(self, make_app: MakeApp) -> None:
        app = make_app(room_creation="administrators")
        signed_in(app, "alice")
        bob = signed_in(app, "bob")
        answer = bob.submit("/rooms/new", title="Tea", topic="", kind="public")
        assert (answer.status_code, problem(answer)) == (403, "Only administrators make rooms here.")
        assert "/rooms/new" not in bob.get("/rooms").text

    def test_the_list_goes_on(self, alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("chatroom.rooms.rooms", "chatroom.web.rooms.rooms"):
            monkeypatch.setattr(sys.modules[module], "PAGE", 1)
        make_room(alice, "Ants & Co", "public")
        (more,) = re.findall(r'href="(/rooms\?[^"]*)"', alice.get("/rooms").text)
        assert "Lobby" in alice.get(more.replace("&amp;", "&")).text


class TestSettings:
    def test_those_who_manage_it_change_it(self, alice: Visitor) -> None:
        slug = make_room(alice)
        path = f"/rooms/{slug}/settings"
        assert alice.submit(path, **SAVED, is_read_only="y").status_code == 303
        page = alice.get(path).text
        assert "The room was changed." in page
        assert "read-only" in page
        assert "Alice set the topic to “Tea”" in alice.get(f"/chatroom/{slug}").text

    def test_a_member_sees_who_is_in_it_and_no_forms(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, kind="public")
        press(bob, f"/rooms/{slug}/join")
        page = bob.get(f"/rooms/{slug}/settings").text
        assert "Alice" in page
        assert "Leave this room" in page
        assert f"/rooms/{slug}/archive" not in page
        assert bob.submit(f"/rooms/{slug}/settings", **SAVED).status_code == 403

    @pytest.mark.parametrize(
        "wrong", [{"slow_seconds": "x"}, {"slow_seconds": "-1"}, {"retention_days": "9999"}, {"title": ""}]
    )
    def test_what_is_wrong_is_marked(self, alice: Visitor, wrong: dict[str, str]) -> None:
        slug = make_room(alice)
        answer = alice.submit(f"/rooms/{slug}/settings", **{**SAVED, **wrong})
        assert answer.status_code == 400
        assert "Please correct what is marked below." in problem(answer)

    def test_it_says_how_much_it_would_delete_before_it_does(
        self, alice: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slug = make_room(alice)
        monkeypatch.setattr(services.rooms.settings, "count_older", lambda access, days: 1234)
        path = f"/rooms/{slug}/settings"
        answer = alice.submit(path, **{**SAVED, "retention_days": "30"})
        assert answer.status_code == 409
        assert "1,234 messages" in answer.text
        assert alice.submit(path, **{**SAVED, "retention_days": "30"}, confirmed="y").status_code == 303
        assert "kept 30 days" in alice.get(path).text

    def test_an_archived_room_is_read_and_not_written_in(self, alice: Visitor) -> None:
        slug = make_room(alice, kind="public")
        path = f"/chatroom/{slug}"
        alice.say("hello", path)
        assert press(alice, f"/rooms/{slug}/archive", archived="yes") == 303
        page = alice.get(path).text
        assert "hello" in page
        assert "This room is archived" in page
        answer = alice.say("more", path)
        assert answer.status_code == 403
        assert "This room is archived" in problem(answer)
        assert f"/chatroom/{slug}" not in alice.get("/rooms").text
        assert press(alice, f"/rooms/{slug}/archive", archived="no") == 303
        assert alice.say("more", path).status_code == 303

    def test_a_slow_room_says_how_long_to_wait(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice, kind="public")
        alice.submit(f"/rooms/{slug}/settings", **{**SAVED, "slow_seconds": "60"})
        path = f"/chatroom/{slug}"
        assert 'data-slow-seconds="60"' in bob.get(path).text
        began = time.monotonic()
        assert bob.say("one", path).status_code == 303
        answer = bob.say("two", path)
        assert answer.status_code == 429
        assert 59 - (time.monotonic() - began) <= int(answer.headers["Retry-After"]) <= 60
        refused = bob.post(f"/api/rooms/{slug}/messages", json={"text": "two"}, headers=bob.csrf())
        assert refused.get_json()["error"]["reason"] == "too_fast"
        assert [alice.say(text, path).status_code for text in ("one", "two")] == [303, 303]


class TestMembers:
    def test_somebody_is_added_given_a_role_and_removed(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        slug = make_room(alice)
        bob_id = id_of(services, "bob")
        assert press(alice, f"/rooms/{slug}/members", username="BOB") == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 200
        assert press(alice, f"/rooms/{slug}/members/{bob_id}/role", role="moderator") == 303
        assert "Make a link" in bob.get(f"/rooms/{slug}/settings").text
        assert press(alice, f"/rooms/{slug}/members/{bob_id}/role", role="king") == 400
        assert press(alice, f"/rooms/{slug}/members/{bob_id}/remove") == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 404

    def test_who_is_not_there_is_not_added(self, alice: Visitor) -> None:
        slug = make_room(alice)
        answer = alice.submit("/rooms", to=f"/rooms/{slug}/members", username="nobody")
        assert (answer.status_code, problem(answer)) == (404, "There is nobody of this user name.")
        assert 'value="nobody"' in answer.text

    def test_who_leaves_is_gone(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        press(alice, f"/rooms/{slug}/members", username="bob")
        assert press(alice, f"/rooms/{slug}/leave") == 403
        assert press(bob, f"/rooms/{slug}/leave") == 303
        assert bob.get(f"/chatroom/{slug}").status_code == 404


class TestLinks:
    def link(self, somebody: Visitor, slug: str) -> str:
        page = somebody.submit("/rooms", to=f"/rooms/{slug}/invites", uses="1", hours="24").text
        (link,) = re.findall(r'value="http://localhost(/join/[^"]+)"', page)
        return str(link)

    def test_a_newcomer_registers_and_comes_in(self, app: Flask, alice: Visitor, client: Visitor) -> None:
        link = self.link(alice, make_room(alice))
        asked = client.get(link)
        assert asked.location == f"/login?next={link}"
        (register,) = re.findall(r'href="(/register\?next=[^"]*)"', client.get(asked.location).text)
        answer = client.submit(
            register,
            username="newcomer",
            display_name="Newcomer",
            password="a good long one",
            password_again="a good long one",
        )
        assert answer.location == link
        assert "Den" in client.get(link).text
        came = client.submit(link)
        assert client.get(came.location).status_code == 200
        assert "Newcomer joined" in client.get(came.location).text
        assert signed_in(app, "mallory").get(link).status_code == 404

    def test_a_link_is_listed_and_ended(self, alice: Visitor, bob: Visitor) -> None:
        slug = make_room(alice)
        link = self.link(alice, slug)
        page = alice.get(f"/rooms/{slug}/settings").text
        assert link not in page
        (end,) = re.findall(r'action="(/rooms/[^"]+/end)"', page)
        assert press(alice, end) == 303
        assert press(alice, end) == 404
        assert bob.get(link).status_code == 404

    @pytest.mark.parametrize("typed", [{}, {"uses": "7", "hours": "24"}, {"uses": "x", "hours": "1"}])
    def test_what_is_not_offered_is_refused(self, alice: Visitor, typed: dict[str, str]) -> None:
        slug = make_room(alice)
        status = press(alice, f"/rooms/{slug}/invites", **typed)
        assert status == (400 if typed else 200)


class TestPeople:
    def test_two_talk_alone(self, alice: Visitor, bob: Visitor, mallory: Visitor, services: Services) -> None:
        assert "Bob" in alice.get("/people?q=bo").text
        assert "Bob" not in alice.get("/people?q=xyz").text
        opened = alice.submit("/people", person=id_of(services, "bob"))
        assert opened.status_code == 303
        assert "data-room-heading>Bob<" in alice.get(opened.location).text
        assert "data-room-heading>Alice<" in bob.get(opened.location).text
        assert mallory.get(opened.location).status_code == 404
        again = bob.submit("/people", person=id_of(services, "alice"))
        assert again.location == opened.location

    @pytest.mark.parametrize(("chosen", "status"), [("", 400), ("nobody", 404)])
    def test_nobody_is_no_conversation(self, alice: Visitor, chosen: str, status: int) -> None:
        answer = alice.submit("/people", **({"person": chosen} if chosen else {}))
        assert answer.status_code == status
        assert problem(answer)
        assert services_of(alice.application).rooms.rooms.list_public("x")


class TestRecord:
    @pytest.fixture
    def den(self, alice: Visitor, bob: Visitor) -> str:
        """A private room of Bob's; Alice runs the site and is not in it. Its slug."""
        slug = make_room(bob)
        settings = f"/rooms/{slug}/settings"
        assert bob.submit(settings, **SAVED, reason="<b>too long</b>").status_code == 303
        return slug

    def test_those_who_manage_the_room_read_it(self, bob: Visitor, den: str) -> None:
        for path in (f"/rooms/{den}/settings", f"/rooms/{den}/record"):
            text = bob.get(path).text
            for words in ("<strong>change room</strong>", "title: <bdi>Snug</bdi>", "&lt;b&gt;too long&lt;/b&gt;"):
                assert words in text

    def test_nobody_else_does(self, alice: Visitor, bob: Visitor, mallory: Visitor, den: str) -> None:
        assert mallory.get(f"/rooms/{den}/record").status_code == 404
        assert alice.get(f"/rooms/{den}/record").status_code == 404
        press(bob, f"/rooms/{den}/members", username="mallory")
        assert mallory.get(f"/rooms/{den}/record").status_code == 403
        assert "change room" not in mallory.get(f"/rooms/{den}/settings").text
        assert "change room" in alice.get("/admin/audit").text

    def test_only_of_this_room_and_in_pages(self, bob: Visitor, den: str, services: Services) -> None:
        other = make_room(bob, "Other")
        assert press(bob, f"/rooms/{other}/archive", archived="yes", reason="hushed") == 303
        assert "hushed" in bob.get(f"/rooms/{other}/settings").text
        assert "hushed" not in bob.get(f"/rooms/{den}/record").text
        room = services.rooms.rooms.find_by_slug(den)
        assert room
        for n in range(ENTRIES):
            record(services.database, CONSOLE, "archive_room", about_room(room), f"reason {n:02}")
        first = bob.get(f"/rooms/{den}/record").text
        assert "too long" not in first
        (more,) = re.findall(rf'href="(/rooms/{den}/record\?before=[^"]*)"', first)
        assert "too long" in bob.get(more).text
        assert bob.get(f"/rooms/{den}/settings").text.count("<strong>") == 5
