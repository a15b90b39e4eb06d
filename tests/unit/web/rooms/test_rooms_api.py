import pytest

from chatroom.services import Services
from tests.visitors import Visitor


def test_ones_rooms_are_listed(alice: Visitor, bob: Visitor) -> None:
    assert alice.is_signed_in
    assert bob.is_signed_in
    bob.say("hello")
    (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
    assert lobby == {
        "slug": "lobby",
        "title": "Lobby",
        "kind": "public",
        "topic": "",
        "role": "member",
        "notify": "mentions",
        "is_read_only": False,
        "archived": False,
        "unread": 1,
        "mentions": 0,
        "read_sequence": 0,
        "revision": 1,
        "people": [],
    }
    assert bob.get("/api/rooms").get_json()["rooms"][0]["unread"] == 0


def test_who_is_in_none_has_an_empty_list(mallory: Visitor, services: Services) -> None:
    assert mallory.get("/api/rooms").get_json() == {"rooms": []}


def test_anonymous_has_no_list(client: Visitor) -> None:
    assert client.get("/api/rooms").status_code == 401


class TestRead:
    def test_a_position_is_kept_and_clears_the_count(self, alice: Visitor, bob: Visitor) -> None:
        assert alice.is_signed_in
        bob.say("hello")
        token = {"X-CSRFToken": alice.fields("/account")["csrf_token"]}
        response = alice.post("/api/rooms/lobby/read", json={"sequence": 99}, headers=token)
        assert (response.status_code, response.get_json()) == (200, {"room": "lobby", "sequence": 1})
        (lobby,) = alice.get("/api/rooms").get_json()["rooms"]
        assert (lobby["unread"], lobby["read_sequence"]) == (0, 1)
        response = alice.post("/api/rooms/lobby/read", json={"sequence": 0}, headers=token)
        assert response.get_json()["sequence"] == 1

    @pytest.mark.parametrize("body", [{}, {"sequence": -1}, {"sequence": "1"}, {"sequence": 1, "room": "x"}, []])
    def test_what_is_no_position_is_refused(self, alice: Visitor, body: object) -> None:
        token = {"X-CSRFToken": alice.fields("/account")["csrf_token"]}
        response = alice.post("/api/rooms/lobby/read", json=body, headers=token)
        assert (response.status_code, response.get_json()["error"]["reason"]) == (400, "invalid")
