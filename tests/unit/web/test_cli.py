"""Commands for the person at the console."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.embedded import EmbeddedMongo
from chatroom.embedded.folder import FolderError
from chatroom.services import Services
from chatroom.web import cli
from tests.conftest import MakeApp, services_of, signed_in, visitor
from tests.visitors import PASSWORD

COMMANDS = ["create-user", "create-token", "create-bot", "create-invite", "set-password", "set-role", "end-sessions"]
COMMANDS += ["audit", "mute", "unmute", "ban", "unban", "list-reports", "reset-link", "list-users", "list-invites"]
COMMANDS += ["revoke-invite", "set-registration"]


@pytest.fixture(autouse=True)
def open_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command ends by closing the database, which in memory would be its end."""
    monkeypatch.setattr(Services, "close", lambda self: None)
    return


def run(runner: FlaskCliRunner, *words: str, typed: str | None = None) -> tuple[int, str]:
    result = runner.invoke(args=list(words), input=typed)
    return result.exit_code, result.output


def create(runner: FlaskCliRunner, name: str, *options: str) -> tuple[int, str]:
    return run(runner, "create-user", name, "--password-stdin", *options, typed=f"{PASSWORD}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(runner: FlaskCliRunner, command: str) -> None:
    code, output = run(runner, command, "--help")
    assert code == 0
    assert len(output.split("Options:")[0].splitlines()) > 2


def test_making_an_account(app: Flask, runner: FlaskCliRunner) -> None:
    """The first is the administrator, here as on the page."""
    assert create(runner, "alice") == (0, "alice (alice) is registered, as administrator.\n")
    assert create(runner, "bob", "--display-name", "Bob B.") == (0, "bob (Bob B.) is registered, as member.\n")
    assert create(runner, "carol", "--role", "administrator")[1].endswith("as administrator.\n")
    assert visitor(app).log_in("alice").status_code == 303


def test_the_password_is_asked_for_and_not_shown(app: Flask, runner: FlaskCliRunner) -> None:
    code, output = run(runner, "create-user", "alice", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0
    assert PASSWORD not in output
    assert visitor(app).log_in("alice").status_code == 303


def test_what_is_refused_is_said(runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    assert create(runner, "ALICE") == (1, "Error: User or displayname existed\n")
    assert create(runner, "admin") == (1, "Error: This name is reserved. Please choose another.\n")
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
    assert run(runner, *command, typed=f"{PASSWORD}\n") == (1, "Error: There is no user with the name 'nobody'.\n")


def test_a_token(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-token", "ALICE", "--label", "the weather bot", "--days", "30")
    assert code == 0
    found = services_of(app).sessions.find_valid(output.strip(), "token")
    assert found
    session, user = found
    assert (session.label, user.username) == ("the weather bot", "alice")
    assert (session.expires_at - session.created_at).days == 30


def test_an_invitation(make_app: MakeApp) -> None:
    app = make_app(registration="invite")
    code, output = run(app.test_cli_runner(), "create-invite", "--uses", "2", "--days", "1")
    assert code == 0
    for name, status in (("alice", 303), ("bob", 303), ("carol", 403)):
        assert visitor(app).register(name, invite=output.strip()).status_code == status


def test_a_new_password_ends_every_session(app: Flask, runner: FlaskCliRunner) -> None:
    """S04."""
    alice = signed_in(app, "alice")
    code, output = run(runner, "set-password", "alice", "--password-stdin", typed="another good one\n")
    assert (code, output) == (0, "alice has a new password, and is logged out everywhere.\n")
    assert not alice.is_signed_in
    assert visitor(app).log_in("alice", "another good one").status_code == 303


def test_roles(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    create(runner, "bob")
    assert run(runner, "set-role", "bob", "administrator") == (0, "bob is now: administrator.\n")
    user = services_of(app).accounts.users.find_by_username("bob")
    assert user
    assert user.role == "administrator"
    assert run(runner, "set-role", "bob", "emperor")[0] == 2


def test_ending_sessions(app: Flask, runner: FlaskCliRunner) -> None:
    """S04."""
    alice = signed_in(app, "alice")
    visitor(app).log_in("alice")
    assert run(runner, "end-sessions", "alice") == (0, "2 sessions of alice were ended.\n")
    assert not alice.is_signed_in


@pytest.mark.integration
def test_while_the_site_runs(mongod: EmbeddedMongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded mongod belongs to the site that runs; a command goes in beside it."""
    from chatroom.config import Settings

    settings = Settings(data_dir=str(mongod.folder.path), mongo_db=mongod.database, bcrypt_rounds=4)
    services = Services(settings)
    with pytest.raises(FolderError):
        services.open()
    monkeypatch.undo()
    beside = cli._opened(Services(settings))
    try:
        assert beside.database.is_answering()
        assert not beside.settings.is_embedded
    finally:
        beside.close()


def test_a_token_of_little(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-token", "alice", "--label", "x", "--scope", "read", "--room", "lobby")
    assert code == 0
    found = services_of(app).sessions.find_valid(output.strip(), "token")
    assert found
    assert (found[0].scopes, found[0].rooms) == (("read",), ("lobby",))


def test_a_bot(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "create-bot", "weather", "--display-name", "The Weather")
    assert code == 0
    found = services_of(app).sessions.find_valid(output.strip(), "token")
    assert found
    assert (found[1].display_name, found[1].is_bot, found[1].role) == ("The Weather", True, "member")


def test_a_bot_is_not_the_first(runner: FlaskCliRunner) -> None:
    code, output = run(runner, "create-bot", "weather")
    assert code == 1
    assert "Make a person's account first" in output


def test_keeping_order(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    bob = signed_in(app, "bob")
    assert run(runner, "mute", "bob", "--reason", "loud") == (0, "bob is muted until it is lifted.\n")
    assert bob.say("hello").status_code == 403
    assert run(runner, "unmute", "bob") == (0, "bob may post again.\n")
    code, output = run(runner, "ban", "bob", "--for", "7d", "--reason", "spam")
    assert code == 0
    assert output.startswith("bob is banned until ")
    assert not bob.is_signed_in
    assert run(runner, "unban", "bob") == (0, "bob may log in again.\n")
    assert run(runner, "ban", "bob", "--for", "ages", "--reason", "spam")[0] == 1
    assert run(runner, "ban", "bob")[0] == 2
    code, output = run(runner, "audit", "--about", "bob", "--limit", "2")
    assert code == 0
    assert [line.split()[4] for line in output.splitlines()] == ["unban", "ban"]
    assert "spam" in output


def test_the_last_administrator(runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    code, output = run(runner, "set-role", "alice", "member")
    assert code == 1
    assert "the last administrator" in output


def test_who_may_join(runner: FlaskCliRunner) -> None:
    assert run(runner, "set-registration", "invite") == (0, "Registration is now: invite.\n")
    assert run(runner, "create-invite", "--uses", "3")[0] == 0
    code, output = run(runner, "list-invites")
    assert code == 0
    assert " 3 left, until " in output
    assert run(runner, "revoke-invite", output[:8]) == (0, "It is revoked.\n")
    assert run(runner, "list-invites") == (0, "")
    assert run(runner, "revoke-invite", output[:8])[0] == 1
    assert run(runner, "set-registration", "as-set-up") == (0, "Registration is now: open.\n")


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
