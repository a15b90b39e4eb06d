"""A message's own page."""

import re

import pytest

from chatroom.services import Services
from tests.conftest import MakeApp, signed_in
from tests.unit.web.test_pages import bodies, secret_room  # noqa: F401  secret_room is a fixture
from tests.visitors import Visitor


def marked(page: str) -> list[str]:
    return re.findall(r'message--target"[^>]*data-sequence="(\d+)"', page)


class TestMessage:
    @pytest.fixture
    def reader(self, make_app: MakeApp) -> Visitor:
        reader = signed_in(make_app(history_page=4, post_limit_account="0"), "alice")
        for number in range(1, 12):
            reader.say(str(number))
        return reader

    def test_it_is_shown_among_its_neighbours(self, reader: Visitor) -> None:
        page = reader.get("/chatroom/lobby/6").text
        assert bodies(page) == ["4", "5", "6", "7", "8"]
        assert marked(page) == ["6"]
        assert 'href="/chatroom/lobby?before=4"' in page
        assert 'href="/chatroom/lobby/8">Newer messages' in page

    @pytest.mark.parametrize(
        ("sequence", "shown", "older", "newer"),
        [(1, ["1", "2", "3"], False, True), (11, ["9", "10", "11"], True, False)],
    )
    def test_at_the_ends(self, reader: Visitor, sequence: int, shown: list[str], older: bool, newer: bool) -> None:
        page = reader.get(f"/chatroom/lobby/{sequence}").text
        assert bodies(page) == shown
        assert (">Older messages" in page, ">Newer messages" in page) == (older, newer)

    def test_every_message_leads_to_its_page(self, reader: Visitor) -> None:
        for path in ("/chatroom", "/chatroom/lobby", "/chatroom/lobby/messages"):
            page = reader.get(path).text
            assert re.findall(r'data-more[^>]*href="([^"]*)"', page) == [f"/chatroom/lobby/{n}" for n in range(8, 12)]

    def test_a_sequence_without_a_message_leads_to_the_next_one(self, alice: Visitor, services: Services) -> None:
        alice.say("one")
        user = services.accounts.users.find_by_username("alice")
        assert user
        access = services.rooms.get_for(user.id, "lobby")
        first = services.message_store.newest("lobby", 1)[0]
        services.messages.change(access.room, services.messages.editing(access, first.id, "one!"))
        alice.say("two")
        response = alice.get("/chatroom/lobby/2")
        assert (response.status_code, response.location) == (303, "/chatroom/lobby/3")

    @pytest.mark.parametrize("sequence", ["12", "99999999999999999999999", "0x1", "-1", "1.5"])
    def test_beyond_the_room_there_is_nothing(self, reader: Visitor, sequence: str) -> None:
        assert reader.get(f"/chatroom/lobby/{sequence}").status_code == 404

    def test_a_deleted_message_keeps_its_page(self, alice: Visitor, services: Services) -> None:
        alice.say("one")
        user = services.accounts.users.find_by_username("alice")
        assert user
        access = services.rooms.get_for(user.id, "lobby")
        first = services.message_store.newest("lobby", 1)[0]
        services.messages.change(access.room, services.messages.deleting(access, first.id))
        assert "This message was deleted." in alice.get("/chatroom/lobby/1").text

    @pytest.mark.usefixtures("secret_room")
    def test_outsiders(self, mallory: Visitor, client: Visitor) -> None:
        assert mallory.get("/chatroom/secret/1").status_code == 404
        assert client.get("/chatroom/lobby/1").location.startswith("/login")
