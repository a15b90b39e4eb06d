"""The page that clears a room's history, and the command."""

import pytest
from flask.testing import FlaskCliRunner

from chatroom.base.models import Author
from chatroom.services import Services
from tests.visitors import Visitor, problem

CLEAR = "/chatroom/lobby/clear"


@pytest.fixture(autouse=True)
def open_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ends by closing the database, which in memory would be its end."""
    monkeypatch.setattr(Services, "close", lambda self: None)


def test_it_requires_the_title_and_offers_an_export(alice: Visitor) -> None:
    page = alice.get(CLEAR).text
    assert 'href="/chatroom/lobby/export"' in page
    assert "<bdi>Lobby</bdi>" in page


def test_it_clears(alice: Visitor, bob: Visitor) -> None:
    alice.say("a secret")
    alice.say("another")
    response = alice.submit(CLEAR, title="Lobby", reason="a new beginning")
    assert (response.status_code, response.location) == (303, "/chatroom/lobby")
    page = bob.get("/chatroom").text
    assert "a secret" not in page
    assert "This message was deleted" not in page
    assert "Alice cleared the history" in page
    assert bob.get("/search?q=secret").text.count("<mark>") == 0
    old = bob.get("/api/rooms/lobby/messages?after=0").json["messages"][1:]
    assert [("text" in message, "deleted_at" in message) for message in old] == [(False, True)] * 2
    assert "a new beginning" in alice.get("/admin/audit").text


def test_a_wrong_title_clears_nothing_and_keeps_the_typed_text(alice: Visitor) -> None:
    alice.say("still here")
    response = alice.submit(CLEAR, title="Lobbi <b>", reason="because")
    assert response.status_code == 400
    assert problem(response) == "To confirm, type the room's name: Lobby"
    assert 'value="Lobbi &lt;b&gt;"' in response.text
    assert 'value="because"' in response.text
    assert "still here" in alice.get("/chatroom").text


def test_without_its_token_it_does_nothing(alice: Visitor) -> None:
    alice.say("still here")
    assert alice.post(CLEAR, data={"title": "Lobby"}).status_code == 400
    assert "still here" in alice.get("/chatroom").text


def test_users_without_permission(bob: Visitor, client: Visitor) -> None:
    assert bob.get(CLEAR).status_code == 403
    assert bob.submit("/account", to=CLEAR, title="Lobby").status_code == 403
    assert client.get(CLEAR).status_code == 303


def direct(services: Services) -> str:
    """The slug of the direct conversation of Alice and Bob."""
    alice, bob = (services.people.users.find_by_username(name) for name in ("alice", "bob"))
    assert alice
    assert bob
    return services.rooms.direct.open(Author(alice.id, alice.display_name), [bob.id]).slug


def test_a_direct_conversation_cannot_be_cleared_and_the_page_says_why(
    alice: Visitor, bob: Visitor, services: Services
) -> None:
    page = f"/chatroom/{direct(services)}/clear"
    for person in (alice, bob):
        assert person.get(page).status_code == 403
        refused = person.submit("/account", to=page, title="Bob")
        assert refused.status_code == 403
        assert "You can delete your own messages" in refused.text


class TestCommand:
    def test_a_direct_conversation_goes_by_its_address(
        self, alice: Visitor, bob: Visitor, services: Services, runner: FlaskCliRunner
    ) -> None:
        slug = direct(services)
        assert runner.invoke(args=["clear-history", slug], input="\n").exit_code == 1
        assert runner.invoke(args=["clear-history", slug], input=f"{slug}\n").exit_code == 0

    def test_it_requires_the_title(self, alice: Visitor, runner: FlaskCliRunner) -> None:
        alice.say("a secret")
        wrong = runner.invoke(args=["clear-history", "lobby"], input="no\n")
        assert wrong.exit_code == 1
        assert "a secret" in alice.get("/chatroom").text
        right = runner.invoke(args=["clear-history", "lobby", "--reason", "moved"], input="Lobby\n")
        assert right.exit_code == 0
        assert right.output.endswith("The history of Lobby was cleared.\n")
        page = alice.get("/chatroom").text
        assert "a secret" not in page
        assert "the console cleared the history" in page

    def test_without_asking(self, alice: Visitor, runner: FlaskCliRunner) -> None:
        alice.say("a secret")
        assert runner.invoke(args=["clear-history", "lobby", "--yes"]).exit_code == 0
        assert "a secret" not in alice.get("/chatroom").text
        assert runner.invoke(args=["clear-history", "nowhere", "--yes"]).exit_code == 1
