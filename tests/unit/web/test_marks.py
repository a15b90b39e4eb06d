"""Reactions, pins and names over the JSON API."""

from typing import Any

import pytest

from chatroom.models import Message
from chatroom.services import Services
from tests.unit.web.test_api import LOBBY, post
from tests.visitors import Visitor


@pytest.fixture
def message(alice: Visitor, services: Services) -> Message:
    post(alice, "hello")
    return newest(services)


def newest(services: Services) -> Message:
    return services.message_store.newest("lobby", 1)[0]


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
def test_what_is_no_reaction(bob: Visitor, message: Message, body: Any) -> None:
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


def test_whom_one_can_name(alice: Visitor, bob: Visitor, services: Services) -> None:
    ids = {name: services.accounts.users.find_by_username(name) for name in ("alice", "bob")}
    members = alice.get("/api/rooms/lobby/members?q=B").get_json()["members"]
    assert members == [{"id": ids["bob"] and ids["bob"].id, "username": "bob", "name": "Bob"}]
    assert len(alice.get("/api/rooms/lobby/members").get_json()["members"]) == 2
    assert alice.get("/api/rooms/lobby/members?q=" + "x" * 65).status_code == 400


def test_a_post_names_a_member(alice: Visitor, bob: Visitor, services: Services) -> None:
    post(bob, "hi @alice and @room")
    user = services.accounts.users.find_by_username("alice")
    assert user
    assert newest(services).mentions == (user.id,)
    post(alice, "hi @room")
    assert newest(services).mentions == ("room",)


def test_a_form_names_a_member(alice: Visitor, services: Services) -> None:
    fields = alice.fields("/chatroom")
    alice.post("/chatroom", data={**fields, "text": "I am @alice"})
    assert len(newest(services).mentions) == 1
