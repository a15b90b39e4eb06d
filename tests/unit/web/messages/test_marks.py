"""Reactions, pins and names over the JSON API."""

from typing import Any

import pytest

from chatroom.base.models import Message
from chatroom.services import Services
from tests.visitors import LOBBY, Visitor, post


@pytest.fixture
def message(alice: Visitor, services: Services) -> Message:
    post(alice, "hello")
    return newest(services)


def newest(services: Services) -> Message:
    return services.messages.store.newest("lobby", 1)[0]


def send(person: Visitor, path: str, body: Any) -> Any:
    return person.post(f"{LOBBY}/{path}", json=body, headers=person.csrf())


def test_reacting_and_taking_it_back(bob: Visitor, message: Message, services: Services) -> None:
    path = f"{message.id}/reactions"
    answer = send(bob, path, {"emoji": ":tada:"})
    assert (answer.status_code, answer.get_json()) == (
        200,
        {"room": "lobby", "id": message.id, "sequence": 1, "revision": 2},
    )
    assert send(bob, path, {"emoji": "🎉", "on": True}).get_json()["revision"] == 2
    assert [(each.emoji, [one.name for one in each.people]) for each in newest(services).reactions] == [("🎉", ["Bob"])]
    assert send(bob, path, {"emoji": "🎉", "on": False}).get_json()["revision"] == 3
    assert newest(services).reactions == ()


@pytest.mark.parametrize(
    "body", [{}, {"emoji": ""}, {"emoji": "no"}, {"emoji": 7}, {"emoji": "x" * 65}, {"emoji": "🎉", "x": 1}, []]
)
def test_invalid_reactions(bob: Visitor, message: Message, body: Any) -> None:
    answer = send(bob, f"{message.id}/reactions", body)
    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (400, "invalid")


@pytest.mark.parametrize("message_id", ["0" * 24, "nothing", "$ne"])
def test_a_message_that_is_not_there(bob: Visitor, message: Message, message_id: str) -> None:
    assert send(bob, f"{message_id}/reactions", {"emoji": "🎉"}).status_code == 404


def test_pinning(alice: Visitor, bob: Visitor, message: Message) -> None:
    """Alice is the administrator, and so moderates the lobby."""
    assert send(bob, f"{message.id}/pin", {}).status_code == 403
    assert send(alice, f"{message.id}/pin", {}).status_code == 200
    (pinned,) = bob.get("/api/rooms/lobby/pins").get_json()["messages"]
    assert (pinned["text"], bool(pinned["pinned_at"])) == ("hello", True)
    assert bob.get("/api/rooms/lobby/pins?format=html").get_json()["messages"][0]["html"] == "<p>hello</p>"
    assert send(alice, f"{message.id}/pin", {"on": False}).status_code == 200
    assert bob.get("/api/rooms/lobby/pins").get_json() == {"room": "lobby", "messages": []}


def test_both_count_as_posts(make_app: Any, message: Message) -> None:
    from tests.conftest import services_of, signed_in

    app = make_app(post_limit_account="2 per minute")
    person = signed_in(app, "alice")
    post(person, "hello")
    path = f"{newest(services_of(app)).id}/reactions"
    assert send(person, path, {"emoji": "🎉"}).status_code == 200
    assert send(person, path, {"emoji": "🎉"}).status_code == 429


def test_people_who_can_be_mentioned(alice: Visitor, bob: Visitor, services: Services) -> None:
    ids = {name: services.people.users.find_by_username(name) for name in ("alice", "bob")}
    them = [{"id": ids["bob"] and ids["bob"].id, "username": "bob", "name": "Bob"}]
    path = "/api/rooms/lobby/members"
    assert alice.get(f"{path}?q=B").get_json() == {"room": "lobby", "members": [], "others": them, "groups": []}
    bob.get("/chatroom")
    assert alice.get(f"{path}?q=B").get_json() == {"room": "lobby", "members": them, "others": [], "groups": []}
    assert len(alice.get(path).get_json()["members"]) == 2
    assert alice.get("/api/rooms/lobby/members?q=" + "x" * 65).status_code == 400


def test_a_post_names_a_member(alice: Visitor, bob: Visitor, services: Services) -> None:
    post(bob, "hi @alice and @room")
    user = services.people.users.find_by_username("alice")
    assert user
    assert newest(services).mentions == (user.id,)
    post(alice, "hi @room")
    assert newest(services).mentions == ("room",)


def test_a_form_names_a_member(alice: Visitor, services: Services) -> None:
    fields = alice.fields("/chatroom")
    alice.post("/chatroom", data={**fields, "text": "I am @alice"})
    assert len(newest(services).mentions) == 1


class TestForms:
    def send(self, person: Visitor, deed: str, **fields: str) -> Any:
        token = person.fields("/chatroom")["csrf_token"]
        return person.post(f"/chatroom/lobby/1/{deed}", data={"csrf_token": token, **fields})

    def test_reacting_by_a_button_or_by_a_name_and_taking_it_back(
        self, bob: Visitor, message: Message, services: Services
    ) -> None:
        answer = self.send(bob, "react", emoji="🎉")
        assert (answer.status_code, answer.location) == (303, "/chatroom/lobby/1")
        self.send(bob, "react", emoji="", other=":rocket:")
        assert [each.emoji for each in newest(services).reactions] == ["🎉", "🚀"]
        page = bob.get("/chatroom/lobby/1").text
        assert 'name="take_back" value="🎉"' in page
        self.send(bob, "react", take_back="🎉", other="")
        assert [each.emoji for each in newest(services).reactions] == ["🚀"]

    def test_an_invalid_emoji_is_shown_again(self, bob: Visitor, message: Message) -> None:
        answer = self.send(bob, "react", other="no <b>emoji</b>")
        assert answer.status_code == 400
        assert "A reaction is an emoji" in answer.text
        assert 'value="no &lt;b&gt;emoji&lt;/b&gt;"' in answer.text

    def test_pinning_is_for_moderators(
        self, alice: Visitor, bob: Visitor, message: Message, services: Services
    ) -> None:
        assert "Pin this message" not in bob.get("/chatroom/lobby/1").text
        assert self.send(bob, "pin", on="true").status_code == 403
        assert "Pin this message" in alice.get("/chatroom/lobby/1").text
        assert self.send(alice, "pin", on="true").status_code == 303
        assert services.messages.store.get("lobby", message.id).pinned_at
        assert "Alice pinned a message" in bob.get("/chatroom").text
        assert "1 pinned message<" in bob.get("/chatroom").text
        assert self.send(alice, "pin", on="false").status_code == 303
        assert services.messages.store.get("lobby", message.id).pinned_at is None

    @pytest.mark.parametrize("deed", ["react", "pin"])
    def test_a_form_without_its_token_changes_nothing(
        self, alice: Visitor, message: Message, services: Services, deed: str
    ) -> None:
        answer = alice.post(f"/chatroom/lobby/1/{deed}", data={"emoji": "🎉", "on": "true"})
        assert answer.status_code == 400
        assert "has expired" in answer.text
        assert newest(services).revision == 1


def test_cached_markup_does_not_depend_on_the_first_reader(
    alice: Visitor, bob: Visitor, message: Message, services: Services
) -> None:
    send(bob, f"{message.id}/reactions", {"emoji": "🎉"})
    post(alice, "for @bob")
    for _ in range(2):
        for person, is_own in ((bob, True), (alice, False)):
            page = person.get("/chatroom/lobby/messages").text
            assert ("reaction--own" in page, "message--names-me" in page) == (is_own, is_own)
