"""Accounts and registration, from the console."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from tests.commands import create, run
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import PASSWORD


def test_making_an_account(app: Flask, runner: FlaskCliRunner) -> None:
    """The first is the administrator, here as on the page."""
    assert create(runner, "alice") == (0, "alice (alice) is registered, as administrator.\n")
    assert create(runner, "bob", "--display-name", "Bob B.") == (0, "bob (Bob B.) is registered, as member.\n")
    assert create(runner, "carol", "--role", "administrator")[1].endswith("as administrator.\n")
    assert visitor(app).log_in("alice").status_code == 303


def test_the_password_is_prompted_and_hidden(app: Flask, runner: FlaskCliRunner) -> None:
    code, output = run(runner, "create-user", "alice", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0
    assert PASSWORD not in output
    assert visitor(app).log_in("alice").status_code == 303


def test_refusals_are_printed(runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    assert create(runner, "ALICE") == (1, "Error: User or displayname existed\n")
    assert create(runner, "admin") == (1, "Error: The name “admin” is reserved. Please choose another.\n")
    code, output = run(runner, "create-user", "bob", "--password-stdin", typed="short\n")
    assert code == 1
    assert "too short" in output


@pytest.mark.parametrize(
    "command",
    [
        ["create-token", "nobody", "--label", "x"],
        ["set-role", "nobody", "member"],
        ["end-sessions", "nobody"],
        ["set-password", "nobody", "--password-stdin"],
    ],
    ids=lambda command: command[0],
)
def test_nobody(runner: FlaskCliRunner, command: list[str]) -> None:
    assert run(runner, *command, typed=f"{PASSWORD}\n") == (1, "Error: There is no user named 'nobody'.\n")


def test_a_new_password_ends_every_session(app: Flask, runner: FlaskCliRunner) -> None:
    """S04."""
    alice = signed_in(app, "alice")
    code, output = run(runner, "set-password", "alice", "--password-stdin", typed="another good one\n")
    assert (code, output) == (0, "alice has a new password and was logged out everywhere.\n")
    assert not alice.is_signed_in
    assert visitor(app).log_in("alice", "another good one").status_code == 303


def test_roles(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    create(runner, "bob")
    assert run(runner, "set-role", "bob", "administrator") == (0, "bob now has the role administrator.\n")
    user = services_of(app).people.users.find_by_username("bob")
    assert user
    assert user.role == "administrator"
    assert run(runner, "set-role", "bob", "emperor")[0] == 2


def test_the_last_administrator(runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "set-role", "alice", "member")
    assert code == 1
    assert "the last administrator" in output


def test_ending_sessions(app: Flask, runner: FlaskCliRunner) -> None:
    """S04."""
    alice = signed_in(app, "alice")
    visitor(app).log_in("alice")
    assert run(runner, "end-sessions", "alice") == (0, "2 sessions of alice were ended.\n")
    assert not alice.is_signed_in


def test_people(runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    create(runner, "bob")
    run(runner, "mute", "bob", "--reason", "loud")
    code, output = run(runner, "list-users")
    assert code == 0
    assert [line.split("  ")[:2] for line in output.splitlines()] == [["alice", "(alice)"], ["bob", "(bob)"]]
    assert "administrator" in output
    assert "muted until it is lifted" in output
    assert run(runner, "list-users", "BO")[1].startswith("bob")
    assert run(runner, "list-users", "x") == (0, "")


class TestDeletingAnAccount:
    def test_it_requires_the_name(self, app: Flask, runner: FlaskCliRunner) -> None:
        signed_in(app, "alice")
        bob = signed_in(app, "bob")
        bob.say("good morning")
        code, output = run(runner, "delete-user", "BOB", "--keep", typed="alice\n")
        assert (code, output.splitlines()[-1]) == (1, "Error: This is not the user name. Nothing was deleted.")
        assert bob.is_signed_in
        code, output = run(runner, "delete-user", "BOB", "--keep", typed="bob\n")
        assert (code, output.splitlines()[-1]) == (0, "The account of bob was deleted; the messages are kept.")
        assert not bob.is_signed_in

    def test_without_asking(self, app: Flask, runner: FlaskCliRunner) -> None:
        alice, bob = signed_in(app, "alice"), signed_in(app, "bob")
        bob.say("good morning")
        words = ["delete-user", "bob", "--erase", "--yes", "--reason", "asked for it"]
        code, output = run(runner, *words)
        assert (code, output.splitlines()[-1]) == (0, "The account of bob was deleted; the messages are erased.")
        assert "good morning" not in alice.get("/chatroom").text
        assert "deleted the account of @bob; the messages are erased: asked for it" in run(runner, "audit")[1]

    def test_refusals(self, app: Flask, runner: FlaskCliRunner) -> None:
        alice = signed_in(app, "alice")
        assert run(runner, "delete-user", "alice", "--yes")[0] == 2
        code, output = run(runner, "delete-user", "alice", "--keep", "--yes")
        assert code == 1
        assert output == "Error: This is the last administrator. Make another user an administrator first.\n"
        assert alice.is_signed_in
        code, output = run(runner, "delete-user", "nobody", "--keep", "--yes")
        assert (code, output) == (1, "Error: There is no user named 'nobody'.\n")


def test_an_invitation(make_app: MakeApp) -> None:
    app = make_app(registration="invite")
    code, output = run(app.test_cli_runner(), "create-invite", "--uses", "2", "--days", "1")
    assert code == 0
    for name, status in (("alice", 303), ("bob", 303), ("carol", 403)):
        assert visitor(app).register(name, invite=output.strip()).status_code == status


def test_the_registration_mode(runner: FlaskCliRunner) -> None:
    assert run(runner, "set-registration", "invite") == (0, "Registration is now: invite.\n")
    assert run(runner, "create-invite", "--uses", "3")[0] == 0
    code, output = run(runner, "list-invites")
    assert code == 0
    assert " 3 left, until " in output
    assert run(runner, "revoke-invite", output[:8]) == (0, "The invite was revoked.\n")
    assert run(runner, "list-invites") == (0, "")
    assert run(runner, "revoke-invite", output[:8])[0] == 1
    assert run(runner, "set-registration", "as-set-up") == (0, "Registration is now: open.\n")


def test_a_token(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-token", "ALICE", "--label", "the weather bot", "--days", "30")
    assert code == 0
    found = services_of(app).people.sessions.find_valid(output.strip(), "token")
    assert found
    session, user = found
    assert (session.label, user.username) == ("the weather bot", "alice")
    assert (session.expires_at - session.created_at).days == 30


def test_a_token_of_little(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-token", "alice", "--label", "x", "--scope", "read", "--room", "lobby")
    assert code == 0
    found = services_of(app).people.sessions.find_valid(output.strip(), "token")
    assert found
    assert (found[0].scopes, found[0].rooms) == (("read",), ("lobby",))


def test_a_bot(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-bot", "weather", "--display-name", "The Weather")
    assert code == 0
    found = services_of(app).people.sessions.find_valid(output.strip(), "token")
    assert found
    assert (found[1].display_name, found[1].is_bot, found[1].role) == ("The Weather", True, "member")


def test_a_bot_is_not_the_first(runner: FlaskCliRunner) -> None:
    code, output = run(runner, "create-bot", "weather")
    assert code == 1
    assert "Create a person's account first" in output
