"""Mentions that notify nobody: what the author is told by the form, the API and the page, and adding the person."""

import re
from typing import Any

import pytest
from flask import Flask

from chatroom.messages.markdown.plain import without_room_links
from chatroom.services import Services
from tests.conftest import signed_in
from tests.visitors import LOBBY, Visitor, make_room, post, user_of

SENTENCE = "Bob is not in this room and will not see this."


def notes(page: str) -> list[str]:
    """The sentences of the page, without the template."""
    shown = page.split("<template data-unreached-template>", maxsplit=1)[0]
    return re.findall(r"data-unreached-text>([^<]*)<", shown)


def may_add(page: str) -> list[str]:
    shown = page.split("<template data-unreached-template>", maxsplit=1)[0]
    return re.findall(r'name="username" value="(\w+)"', shown)


@pytest.fixture
def carol(app: Flask, alice: Visitor) -> Visitor:
    return signed_in(app, "carol")


@pytest.fixture
def den(alice: Visitor, bob: Visitor) -> str:
    """The address of Alice's private room."""
    return f"/chatroom/{make_room(alice)}"


def let_in(services: Services, den: str, username: str, role: str = "member") -> None:
    room = services.rooms.store.find_by_slug(den.removeprefix("/chatroom/"))
    assert room
    user = user_of(services, username)
    services.rooms.membership_store.admit(user.id, room)
    services.rooms.membership_store.set_role(user.id, room, role)  # type: ignore[arg-type]


class TestForm:
    def test_a_moderator_is_offered_to_add_them(
        self, alice: Visitor, bob: Visitor, services: Services, den: str
    ) -> None:
        answer = alice.say("hello @bob", den)
        assert (answer.status_code, answer.location) == (303, f"{den}?sent=1")
        page = alice.get(answer.location).text
        assert (notes(page), may_add(page)) == ([SENTENCE], ["bob"])
        fields = {"csrf_token": alice.token(), "username": "bob", "in_room": "yes"}
        added = alice.post(f"{den.replace('/chatroom', '/rooms')}/members", data=fields)
        assert (added.status_code, added.location) == (303, den)
        assert "Alice added Bob" in bob.get(den).text
        assert notes(alice.get(answer.location).text) == []
        assert alice.say("hello @bob", den).location == den
        assert f'data-user="{user_of(services, "bob").id}" dir="auto">@Bob<' in alice.get(den).text

    def test_members_are_told_and_offered_nothing(
        self, alice: Visitor, carol: Visitor, services: Services, den: str
    ) -> None:
        let_in(services, den, "carol")
        page = carol.get(carol.say("hello @bob", den).location).text
        assert (notes(page), may_add(page)) == ([SENTENCE], [])

    def test_a_removed_user_is_not_offered(self, alice: Visitor, services: Services, den: str) -> None:
        let_in(services, den, "bob")
        room = services.rooms.store.find_by_slug(den.removeprefix("/chatroom/"))
        assert room
        services.rooms.membership_store.remove(user_of(services, "bob").id, room)
        page = alice.get(alice.say("hello @bob", den).location).text
        assert (notes(page), may_add(page)) == ([SENTENCE], [])

    def test_an_edit_tells_too(self, alice: Visitor, den: str) -> None:
        alice.say("hello", den)
        answer = alice.submit(f"{den}/1", to=f"{den}/1/edit", text="hello @bob")
        assert answer.location == f"{den}/1?sent=1"
        assert notes(alice.get(answer.location).text) == [SENTENCE]

    @pytest.mark.parametrize("said", ["1", "2", "3", "9" * 20, "-1", "x"])
    def test_only_the_author_of_the_message_is_told(
        self, alice: Visitor, carol: Visitor, services: Services, den: str, said: str
    ) -> None:
        """No query of the page tells anybody about the messages of others, or about lines of the server."""
        let_in(services, den, "carol")
        alice.say("hello @bob", den)
        assert notes(carol.get(f"{den}?sent={said}").text) == []
        assert notes(alice.get(f"{den}?sent={said}").text) == ([SENTENCE] if said == "1" else [])

    def test_an_unknown_name_is_plain_text(self, alice: Visitor, den: str) -> None:
        assert alice.say("hello @nobody", den).location == den


class TestApi:
    def test_a_post_and_an_edit_say_who_is_not_reached(self, alice: Visitor, den: str) -> None:
        path = f"/api/rooms/{den.removeprefix('/chatroom/')}/messages"
        told = [{"name": "bob", "message": SENTENCE, "may_add": True}]
        answer = post(alice, "hello @bob", path).get_json()
        assert answer["unreached"] == told
        again = post(alice, "hello", path).get_json()
        assert "unreached" not in again
        edited = alice.patch(f"{path}/{again['id']}", json={"text": "@bob"}, headers=alice.csrf()).get_json()
        assert edited["unreached"] == told

    def test_everybody_by_a_member(self, alice: Visitor, bob: Visitor) -> None:
        sentence = "Only moderators can mention everybody: @room notified nobody."
        assert post(bob, "@room", LOBBY).get_json()["unreached"] == [{"name": "room", "message": sentence}]


class TestAdding:
    def add(self, person: Visitor, den: str, username: Any = "bob") -> Any:
        path = f"/api/rooms/{den.removeprefix('/chatroom/')}/members"
        return person.post(path, json={"username": username}, headers=person.csrf())

    def test_a_moderator_adds_once(self, alice: Visitor, bob: Visitor, den: str) -> None:
        answers = [self.add(alice, den).get_json() for _ in range(2)]
        assert [each["added"] for each in answers] == [True, False]
        assert answers[0]["member"]["username"] == "bob"
        assert bob.get(den).status_code == 200

    def test_refusals(self, alice: Visitor, bob: Visitor, carol: Visitor, services: Services, den: str) -> None:
        let_in(services, den, "carol")
        assert self.add(carol, den).status_code == 403
        assert self.add(bob, den).status_code == 404
        answer = self.add(alice, den, "nobody")
        assert (answer.status_code, answer.get_json()["error"]["message"]) == (404, "There is no user named nobody.")
        for odd in ("", "x" * 65, 5, None):
            assert self.add(alice, den, odd).status_code == 400


class TestRoomLinks:
    def html(self, person: Visitor, path: str = LOBBY) -> str:
        return str(person.get(f"{path}?format=html").get_json()["messages"][-1]["html"])

    def test_the_link_is_for_those_who_may_open_the_room(self, alice: Visitor, bob: Visitor, den: str) -> None:
        """Bob's guess of the address is no link. Alice's link tells him nothing but what she typed."""
        slug = den.removeprefix("/chatroom/")
        post(bob, f"#{slug}")
        assert self.html(bob) == f"<p>#{slug}</p>"
        post(alice, f"see #{slug} or #Lobby")
        link = '<a class="room-link" href="/chatroom/{0}" dir="auto">#{1}</a>'.format
        assert self.html(bob) == f"<p>see {link(slug, slug)} or {link('lobby', 'Lobby')}</p>"
        assert bob.get(den).status_code == bob.get("/chatroom/nothing-there").status_code == 404
        assert alice.get(den).status_code == 200

    def test_an_edit_makes_and_removes_links(self, alice: Visitor) -> None:
        message = post(alice, "#lobby").get_json()
        for text, is_link in (("`#lobby`", False), ("about #lobby", True)):
            alice.patch(f"{LOBBY}/{message['id']}", json={"text": text}, headers=alice.csrf())
            assert ('class="room-link"' in self.html(alice)) is is_link

    def test_not_for_a_user_who_was_removed_from_a_public_room(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        path = f"/chatroom/{make_room(alice, 'Garden', 'public')}"
        let_in(services, path, "bob")
        room = services.rooms.store.find_by_slug("garden")
        assert room
        store = services.rooms.membership_store
        store.leave(user_of(services, "bob").id, room)
        post(bob, "#garden")
        assert "room-link" in self.html(bob)
        store.remove(user_of(services, "bob").id, room)
        post(bob, "#garden")
        assert "room-link" not in self.html(bob)

    def test_an_export_has_no_links_without_a_host(self) -> None:
        html = '<p><a class="room-link" href="/chatroom/x" dir="auto">#x</a> <a href="https://x.example">y</a></p>'
        assert without_room_links(html) == '<p>#x <a href="https://x.example">y</a></p>'


class TestGroups:
    def find(self, person: Visitor, beginning: str) -> list[str]:
        return list(person.get(f"/api/rooms/lobby/members?q={beginning}").get_json()["groups"])

    def test_they_are_proposed_to_those_who_may_use_them(
        self, alice: Visitor, bob: Visitor, services: Services
    ) -> None:
        assert [self.find(alice, beginning) for beginning in ("", "H", "roo", "x")] == [
            ["room", "here"],
            ["here"],
            ["room"],
            [],
        ]
        assert self.find(bob, "") == []
        services.database["rooms"].update_one({"_id": "lobby"}, {"$set": {"members_mention_all": True}})
        assert self.find(bob, "") == ["room", "here"]

    def test_here_mentions_who_is_there_now(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        assert post(alice, "@here").get_json()["unreached"][0]["message"].startswith("Nobody else is here now")
        bob.get(f"{LOBBY}?after=0")
        answer = post(alice, "@here")
        assert "unreached" not in answer.get_json()
        message = alice.get(f"{LOBBY}/{answer.get_json()['id']}?format=html").get_json()
        assert message["mentions"] == ["here", user_of(services, "bob").id]
        assert message["html"] == '<p><span class="mention" data-user="here" dir="auto">@here</span></p>'


class TestCompletion:
    def find(self, person: Visitor, den: str) -> Any:
        answer = person.get(f"/api/rooms/{den.removeprefix('/chatroom/')}/members?q=b").get_json()
        return [[each["username"] for each in answer[part]] for part in ("members", "others")]

    def test_others_stand_apart(self, alice: Visitor, carol: Visitor, services: Services, den: str) -> None:
        let_in(services, den, "carol")
        assert self.find(alice, den) == [[], ["bob"]]
        assert self.find(carol, den) == [[], []]
        let_in(services, den, "bob")
        assert self.find(carol, den) == [["bob"], []]
