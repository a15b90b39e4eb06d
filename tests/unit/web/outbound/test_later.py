"""The list Later, by forms and by the API."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatroom.base.models import Room
from chatroom.outbound import later as saving
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.services import Services
from tests.visitors import Visitor, user_of


def send(visitor: Visitor, path: str, **typed: str) -> Any:
    return visitor.post(path, data={"csrf_token": visitor.token(), **typed})


def call(visitor: Visitor, path: str, **body: Any) -> Any:
    return visitor.post(path, json=body, headers=visitor.csrf())


def data_of(page: Any, name: str) -> Any:
    """What a data attribute tells the scripts."""
    found = re.search(rf'data-{name}="([^"]*)"', page.text)
    assert found
    return json.loads(html.unescape(found[1]))


def newest(services: Services) -> int:
    return services.messages.store.newest("lobby", 1)[0].sequence


def first_id(visitor: Visitor) -> str:
    (id,) = set(re.findall(r'action="/later/([0-9a-f]{24})"', visitor.get("/later").text))
    return str(id)


def make_due(services: Services) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    services.database["saved"].update_many({}, {"$set": {"remind_at": past, "waits_to": past}})


class TestForms:
    def test_saved_found_done(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        alice.say("the printer is on floor 2")
        path = f"/chatroom/lobby/{newest(services)}"
        assert f'action="{path}/later"' in bob.get(path).text
        assert send(bob, f"{path}/later", when="").location == "/later"
        page = bob.get("/later").text
        assert "the printer is on floor 2" in page
        assert f'href="{path}"' in page
        assert "printer" not in alice.get("/later").text
        assert "Saved for later</summary>" not in alice.get(path).text
        shown = bob.get(path).text
        assert f'action="{path}/later"' not in shown, "it is saved already"
        (remove,) = re.findall(r'action="(/later/[0-9a-f]{24})"', shown)
        assert send(bob, remove, when="remove").location == "/later"
        assert "Nothing is waiting" in bob.get("/later").text

    def test_a_due_reminder_is_counted_in_the_list_of_rooms(self, bob: Visitor, services: Services) -> None:
        bob.say("call the electrician")
        send(bob, f"/chatroom/lobby/{newest(services)}/later", when="1 hour")
        count = re.compile(r"data-later-count( hidden)?>(\d*)<")
        assert "Reminder on" in bob.get("/later").text
        assert count.findall(bob.get("/chatroom").text) == [(" hidden", "")]
        make_due(services)
        assert "Due now" in bob.get("/later").text
        assert count.findall(bob.get("/chatroom").text) == [("", "1")]

    def test_times_are_in_ones_own_zone(self, bob: Visitor, services: Services) -> None:
        services.database["users"].update_one({"username": "bob"}, {"$set": {"time_zone": "Asia/Tokyo"}})
        bob.say("hi")
        day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
        send(bob, f"/chatroom/lobby/{newest(services)}/later", when="at", at=f"{day}T09:00")
        (document,) = services.database["saved"].find()
        assert document["remind_at"].isoformat() == f"{day}T00:00:00+00:00"

    @pytest.mark.parametrize(
        "typed", [{"when": "at", "at": "soon"}, {"when": "at", "at": "2020-01-01T09:00"}, {"when": "never"}]
    )
    def test_a_time_that_cannot_be(self, bob: Visitor, services: Services, typed: dict[str, str]) -> None:
        bob.say("hi")
        path = f"/chatroom/lobby/{newest(services)}/later"
        response = send(bob, path, **typed)
        assert response.status_code == 400
        assert re.search("Write the date|has passed", response.text)
        assert services.database["saved"].count_documents({}) == 0

    def test_what_is_gone_has_no_text(
        self, alice: Visitor, bob: Visitor, services: Services, secret_room: Room
    ) -> None:
        """I12."""
        bob_id = user_of(services, "bob").id
        MembershipStore(services.database).admit(bob_id, secret_room)
        alice.say("the treasure", "/chatroom/secret")
        sequence = services.messages.store.newest("secret", 1)[0].sequence
        send(bob, f"/chatroom/secret/{sequence}/later", when="1 hour")
        make_due(services)
        assert "the treasure" in bob.get("/later").text
        services.rooms.membership.leave(services.rooms.access.get_for(bob_id, "secret"))
        page = bob.get("/later").text
        assert "a room that you can no longer read" in page
        assert not re.search("treasure|Secret|Alice", page)
        answer = bob.get("/api/later").get_json()["saved"][0]
        assert [answer[name] for name in ("room", "title", "url", "message")] == [None] * 4
        assert send(bob, f"/later/{first_id(bob)}", when="remove").status_code == 303


class TestApi:
    def test_saved_listed_changed_removed(self, alice: Visitor, bob: Visitor, services: Services) -> None:
        alice.say("*hello*")
        saved = call(bob, "/api/later", room="lobby", sequence=newest(services), remind="20 minutes").get_json()
        assert (saved["message"]["text"], saved["room"], saved["is_due"]) == ("*hello*", "lobby", False)
        assert saved["excerpt"] == "hello"
        ids = {saved["message"]["id"]: saved["id"]}
        assert data_of(bob.get("/chatroom"), "saved") == ids
        assert data_of(alice.get("/chatroom"), "saved") == {}
        path = f"/api/later/{saved['id']}"
        changed = bob.patch(path, json={"remind": ""}, headers=bob.csrf()).get_json()
        assert changed["remind_at"] is None
        make_due(services)
        listed = bob.get("/api/later").get_json()
        assert (listed["due_count"], [each["id"] for each in listed["saved"]], listed["ids"]) == (1, [saved["id"]], ids)
        assert bob.delete(path, headers=bob.csrf()).get_json() == {"id": saved["id"]}
        assert bob.get("/api/later").get_json() == {"due_count": 0, "saved": [], "before": None, "ids": {}}

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"room": "lobby", "sequence": 999}, 404),
            ({"room": "nowhere", "sequence": 1}, 404),
            ({"room": "lobby", "sequence": 0}, 400),
            ({"room": "lobby", "sequence": 1, "remind": "x" * 41}, 400),
            ({"room": "lobby"}, 400),
        ],
    )
    def test_refusals(self, bob: Visitor, body: dict[str, Any], status: int) -> None:
        bob.say("hi")
        assert call(bob, "/api/later", **body).status_code == status

    def test_a_full_list(self, bob: Visitor, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        """L21."""
        monkeypatch.setattr(saving, "MOST_SAVED", 1)
        for text in ("one", "two"):
            bob.say(text)
        assert call(bob, "/api/later", room="lobby", sequence=newest(services)).status_code == 200
        refused = call(bob, "/api/later", room="lobby", sequence=newest(services) - 1)
        assert refused.status_code == 409
        assert "Remove some" in refused.get_json()["error"]["message"]

    @pytest.mark.parametrize("path", ["/later?before=x", "/api/later?before=x", "/api/later?before=" + "0" * 25])
    def test_a_cursor_of_something_else(self, bob: Visitor, path: str) -> None:
        assert bob.get(path).status_code == 400


def test_it_is_in_ones_own_data(bob: Visitor, services: Services) -> None:
    bob.say("hello")
    call(bob, "/api/later", room="lobby", sequence=newest(services))
    lines = [line for line in bob.get("/account/data").text.splitlines() if '"saved_message"' in line]
    assert len(lines) == 1
    assert services.messages.store.newest("lobby", 1)[0].id in lines[0]
