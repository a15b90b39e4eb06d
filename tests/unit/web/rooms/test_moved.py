"""Direct conversations whose addresses could be guessed have new ones; the old ones lead those in them there."""

import re

import pytest

from chatroom.services import Services
from chatroom.site.versions_store import DataVersion
from tests.visitors import PASSWORD, Visitor

OLD = "dm-" + "0123456789" * 2


@pytest.fixture
def moved(alice: Visitor, bob: Visitor, services: Services) -> str:
    """The new address of a conversation of Alice and Bob, in which Alice said something before it moved."""
    people = [services.people.users.find_by_username(name) for name in ("alice", "bob")]
    room = services.rooms.direct.open(people[0], [people[1].id])
    services.database["rooms"].update_one({"_id": room.id}, {"$set": {"slug": OLD}})
    alice.say("hello", f"/chatroom/{OLD}")
    services.site.versions.replace(DataVersion(0))  # as data from before 0.1.0
    services.upgrade(lambda *_: None)
    return services.rooms.store.find(room.id).slug


@pytest.mark.parametrize("path", ["", "/1", "/messages", "/export?format=text&since=2026-01-01", "/1/report"])
def test_old_links_lead_on(bob: Visitor, moved: str, path: str) -> None:
    """U09."""
    answer = bob.get(f"/chatroom/{OLD}{path}")
    assert (answer.status_code, answer.location) == (308, f"/chatroom/{moved}{path}")
    assert bob.get(answer.location).status_code == 200


@pytest.mark.parametrize(
    "query", ["endpoint=x", "_scheme=http", "_anchor=z&_external=1", "_method=a&slug=lobby", "a=1&a=2&b=%20%C3%A4&c"]
)
def test_whatever_is_asked_goes_along(bob: Visitor, moved: str, query: str) -> None:
    answer = bob.get(f"/chatroom/{OLD}?{query}")
    assert (answer.status_code, answer.location) == (308, f"/chatroom/{moved}?{query}")


@pytest.mark.parametrize("path", ["", "/1", "/messages", "/export"])
def test_for_everybody_else_there_is_nothing(mallory: Visitor, client: Visitor, moved: str, path: str) -> None:
    """U09."""
    for visitor, status in ((mallory, {404}), (client, {303, 401})):
        there, nowhere = (seen(visitor, slug, path) for slug in (OLD, "dm-" + "0" * 20))
        assert there == nowhere
        assert there[0] in status


def seen(visitor: Visitor, slug: str, path: str) -> tuple[int, str, str]:
    answer = visitor.get(f"/chatroom/{slug}{path}")
    text = re.sub(r'name="csrf_token" value="[^"]*"', "", answer.text)  # contains the time
    return answer.status_code, (answer.location or "").replace(slug, ""), text.replace(slug, "")


def test_the_page_has_the_former_address_of_drafts(alice: Visitor, moved: str) -> None:
    """U09: static/state/messages/outbox.js takes over what was written at the old address."""
    assert f'data-former-room="{OLD}"' in alice.get(f"/chatroom/{moved}").text
    assert "data-former-room" not in alice.get("/chatroom").text


def test_a_form_that_was_open_is_taken(bob: Visitor, moved: str) -> None:
    page = bob.fields(f"/chatroom/{moved}")
    answer = bob.post(f"/chatroom/{OLD}", data={**page, "text": "there you are"})
    assert answer.status_code == 303
    assert "there you are" in bob.get(f"/chatroom/{moved}").text


def test_programs_can_use_both_addresses(bob: Visitor, services: Services, moved: str) -> None:
    """U09: with a token that is for this conversation alone, and was made for its old address."""
    user = services.people.users.find_by_username("bob")
    token = services.people.sessions.create_token(user, label="bot", rooms=[OLD])
    services.site.versions.replace(DataVersion(0))
    services.upgrade(lambda *_: None)
    bob.log_out()
    headers = {"Authorization": f"Bearer {token}"}
    for slug in (OLD, moved):
        path = f"/api/rooms/{slug}/messages"
        said = bob.post(path, json={"client_id": slug, "text": slug}, headers=headers)
        assert (said.status_code, said.json["room"]) == (201, moved)
        assert bob.get(path, headers=headers).json["messages"][0]["text"] == "hello"
    assert bob.get("/api/rooms/lobby/messages", headers=headers).status_code == 403


def test_a_token_that_is_made_for_the_old_address_is_for_the_new_one(
    alice: Visitor, services: Services, moved: str
) -> None:
    made = alice.submit("/account/tokens", label="bot", days="30", scopes="read", rooms=OLD, password=PASSWORD)
    assert made.status_code == 201
    tokens = services.database["sessions"].find({"kind": "token"})
    assert [token["rooms"] for token in tokens] == [[moved]]


def test_a_title_of_that_form_is_refused_with_advice(alice: Visitor) -> None:
    """U08."""
    answer = alice.submit("/rooms/new", title=OLD, kind="public")
    assert answer.status_code == 400
    assert "Please choose another" in answer.text
    refused = alice.post("/api/rooms", json={"title": OLD}, headers=alice.csrf())
    assert (refused.status_code, refused.json["error"]["reason"]) == (400, "invalid")
