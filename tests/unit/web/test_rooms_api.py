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
        "notify": "all",
        "is_read_only": False,
        "archived": False,
        "unread": 1,
        "mentions": 0,
        "read_sequence": 0,
        "newest_sequence": 1,
        "people": [],
    }
    assert bob.get("/api/rooms").get_json()["rooms"][0]["unread"] == 0


def test_who_is_in_none_has_an_empty_list(mallory: Visitor, services: Services) -> None:
    assert mallory.get("/api/rooms").get_json() == {"rooms": []}


def test_anonymous_has_no_list(client: Visitor) -> None:
    assert client.get("/api/rooms").status_code == 401
