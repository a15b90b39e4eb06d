"""One's own data as a file: all of it, and nothing of others."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chatroom.base.models import Room
from chatroom.export import own_data
from chatroom.people.fields import EXPORTED
from chatroom.people.profiles import Profile
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.services import Services
from tests.conftest import MakeApp, signed_in
from tests.visitors import Visitor

DEN = Room(id="den-id", slug="den", title="The Den", kind="private")


def records(visitor: Visitor) -> list[dict[str, Any]]:
    response = visitor.get("/account/data")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].endswith('.jsonl"')
    return [json.loads(line) for line in response.text.splitlines()]


def test_account_sessions_rooms_and_messages(alice: Visitor, bob: Visitor) -> None:
    alice.say("mine")
    bob.say("his, about alice")
    alice.say("mine too")
    found = records(alice)
    assert [record["type"] for record in found] == ["account", "session", "membership", "message", "message"]
    account, session, membership, *messages = found
    assert (account["username"], account["role"]) == ("alice", "administrator")
    assert session["kind"] == "browser"
    assert (membership["room"], membership["title"]) == ("lobby", "Lobby")
    assert [(message["room"], message["text"]) for message in messages] == [("lobby", "mine too"), ("lobby", "mine")]


def test_all_that_is_known_of_the_account(alice: Visitor, services: Services) -> None:
    """As a field is marked: what one says about oneself, and why one is muted."""
    user = services.people.users.find_by_username("alice")
    assert user
    services.people.profiles.change(user, Profile(display_name="Ally", about="a gardener", time_zone="Europe/Vienna"))
    services.people.states.set_mute(user.id, datetime(9999, 1, 1, tzinfo=UTC), "too loud")
    account = records(alice)[0]
    assert set(account) == {"type", *EXPORTED}
    assert (account["about"], account["time_zone"], account["mute_reason"]) == (
        "a gardener",
        "Europe/Vienna",
        "too loud",
    )


def test_no_secret_is_in_it(alice: Visitor) -> None:
    text = alice.get("/account/data").text
    assert "$2b$" not in text
    assert "password" not in text


def test_own_messages_in_a_former_room(alice: Visitor, services: Services) -> None:
    rooms = RoomStore(services.database)
    memberships = MembershipStore(services.database)
    rooms.ensure(DEN)
    user = services.people.users.find_by_username("alice")
    assert user
    memberships.admit(user.id, DEN)
    alice.say("in the den", path="/chatroom/den")
    services.database["memberships"].delete_one({"room": DEN.id})
    found = records(alice)
    assert [record["room"] for record in found if record["type"] == "message"] == ["den"]
    assert "The Den" not in str(found)


def test_what_an_edited_message_said_before(alice: Visitor) -> None:
    alice.say("teh")
    alice.submit("/chatroom/lobby/1", to="/chatroom/lobby/1/edit", text="the")
    (message,) = [record for record in records(alice) if record["type"] == "message"]
    assert message["text"] == "the"
    assert [version["text"] for version in message["versions"]] == ["teh"]


def test_many_pages(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "PAGE", 2)
    for n in range(5):
        alice.say(f"m{n}")
    texts = [record["text"] for record in records(alice) if record["type"] == "message"]
    assert texts == ["m4", "m3", "m2", "m1", "m0"]


def test_while_the_index_is_being_made(alice: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    alice.say("hello")
    monkeypatch.setattr(own_data, "MOST_BATCHES", 0)
    response = alice.get("/account/data")
    assert response.status_code == 503
    monkeypatch.undo()
    assert alice.get("/account/data").status_code == 200


def test_too_often(make_app: MakeApp, client: Visitor) -> None:
    somebody = signed_in(make_app(export_limit_account="1 per hour"), "alice")
    assert somebody.get("/account/data").status_code == 200
    assert somebody.get("/account/data").status_code == 429
    assert client.get("/account/data").status_code == 303
