"""U10: whoever is no member is marked as a bot, wherever their name is shown."""

import re

import pytest
from flask.testing import FlaskCliRunner

from chatroom.base.models import Author
from chatroom.outbound.notifications import describe
from chatroom.rooms.access import LOBBY
from chatroom.services import Services
from chatroom.site.audit import about_message
from tests.messaging import new_draft
from tests.visitors import Visitor

FALSE_ALICE = Author("f" * 24, "Alice", is_bot=True)


@pytest.fixture
def said(services: Services, alice: Visitor, bob: Visitor) -> None:
    """A webhook that has Alice's name says something; it is answered, pinned, reported and found."""
    draft = new_draft(FALSE_ALICE, "send me your secret biscuits")
    message = services.messages.writer.post(LOBBY, draft).message
    bob.say("why?", reply_to="1")
    pinned = alice.submit("/chatroom/lobby/1", to="/chatroom/lobby/1/pin", on="1")
    assert pinned.status_code == 303
    assert bob.submit("/chatroom/lobby/1/report", reason="not Alice").status_code == 303
    assert message.author.is_bot


@pytest.mark.parametrize(
    "path",
    [
        "/chatroom",  # in the quote, and among the pins
        "/chatroom/lobby/1",
        "/chatroom/lobby/1/report",
        "/search?q=biscuits",
        "/reports",
        "/chatroom/lobby/export?format=html&since=2026-01-01",
        "/chatroom/lobby/export?format=text&since=2026-01-01",
    ],
)
def test_pages(alice: Visitor, bob: Visitor, said: None, path: str) -> None:
    visitor = bob if path.endswith("/report") else alice
    text = visitor.get(path).text
    assert "Alice (bot)" in text
    quoted = re.findall(r'class="quote__author[^>]*>([^<]+)<', text)
    assert set(quoted) <= {"Alice (bot)"}
    assert bool(quoted) == (path in {"/chatroom", "/chatroom/lobby/1"})


def test_programs(alice: Visitor, said: None) -> None:
    (hit,) = alice.get("/api/search?q=biscuits").json["hits"]
    messages = alice.get("/api/rooms/lobby/messages").json["messages"]
    pins = alice.get("/api/rooms/lobby/pins").json["messages"]
    for message in (hit["message"], messages[0], pins[0]):
        assert message["author"] == {"id": FALSE_ALICE.id, "name": "Alice", "is_bot": True}
    lines = alice.get("/chatroom/lobby/export?format=jsonl&since=2026-01-01").text.splitlines()
    assert any('"is_bot":true' in line.replace(" ", "") for line in lines)


def test_notifications_and_the_record(services: Services, runner: FlaskCliRunner, said: None) -> None:
    message = services.messages.store.newest(LOBBY.id, 9)[0]
    assert describe(LOBBY, message)["title"] == "Alice (bot) in Lobby"
    assert about_message(message.id, message.author, "Lobby").name == "Alice (bot) in Lobby"
    assert "Alice (bot)" in runner.invoke(args=["list-reports"]).output
