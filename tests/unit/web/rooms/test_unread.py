"""Marking as unread, by the API and without scripts."""

from typing import Any

import pytest

from chatroom.base.clock import utc_now
from chatroom.services import Services
from tests.visitors import Visitor


def lobby(visitor: Visitor) -> dict[str, Any]:
    (room,) = visitor.get("/api/rooms").get_json()["rooms"]
    return {name: room[name] for name in ("unread", "read_sequence", "unread_from", "unread_marks")}


def ask(visitor: Visitor, path: str, body: object) -> Any:
    return visitor.post(f"/api/rooms/lobby/{path}", json=body, headers=visitor.csrf())


@pytest.fixture
def reader(alice: Visitor, bob: Visitor) -> Visitor:
    alice.get("/chatroom")
    for text in ("one", "two", "three"):
        bob.say(text)
    ask(alice, "read", {"sequence": 3})
    return alice


def test_a_mark_holds_against_positions_from_before_it(reader: Visitor) -> None:
    answer = ask(reader, "unread", {"sequence": 2})
    assert (answer.status_code, answer.get_json()) == (200, {"room": "lobby", "sequence": 1, "unread_marks": 1})
    assert ask(reader, "read", {"sequence": 3, "unread_marks": 0}).get_json()["sequence"] == 1
    assert lobby(reader) == {"unread": 2, "read_sequence": 1, "unread_from": 2, "unread_marks": 1}
    assert ask(reader, "read", {"sequence": 3, "unread_marks": 1}).get_json()["sequence"] == 3
    assert lobby(reader)["unread"] == 0


def test_the_room_opens_at_the_mark(reader: Visitor) -> None:
    ask(reader, "unread", {"sequence": 1})
    page = reader.get("/chatroom", headers={"Sec-Fetch-Dest": "document"}).text
    assert 'data-read="0"\n  data-marks="1"\n  data-unread-from="1"' in page


@pytest.mark.parametrize("body", [{}, {"sequence": -1}, {"sequence": "1"}, {"sequence": 1, "room": "x"}, []])
def test_an_invalid_message_is_refused(reader: Visitor, body: object) -> None:
    answer = ask(reader, "unread", body)
    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (400, "invalid")


@pytest.mark.parametrize("sequence", [0, 4, 2**53])
def test_a_message_that_is_not_there_is_refused(reader: Visitor, sequence: int) -> None:
    assert ask(reader, "unread", {"sequence": sequence}).status_code == 404
    assert lobby(reader)["unread"] == 0


@pytest.mark.parametrize("sequence", [1, 3])
def test_without_scripts_it_is_a_form_on_the_page_of_the_message(reader: Visitor, sequence: int) -> None:
    page = f"/chatroom/lobby/{sequence}"
    answer = reader.submit(page, to=f"{page}/unread")
    assert (answer.status_code, answer.location) == (303, page)
    assert "Unread from this message on" in reader.get(page).text  # which does not read it
    assert lobby(reader)["unread"] == 4 - sequence
    reader.get("/chatroom/lobby/messages")  # the frame of the room, when it is opened again
    assert lobby(reader)["unread"] == 0


def test_the_form_refuses_what_is_not_there(reader: Visitor) -> None:
    assert reader.submit("/chatroom/lobby/3", to="/chatroom/lobby/4/unread").status_code == 404


def test_an_archived_room_can_be_unread(reader: Visitor, services: Services) -> None:
    services.database["rooms"].update_one({"_id": "lobby"}, {"$set": {"archived_at": utc_now()}})
    assert ask(reader, "unread", {"sequence": 3}).status_code == 200
    assert lobby(reader)["unread"] == 1
