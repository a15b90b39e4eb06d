"""Bots and tokens, from the console."""

from flask import Flask
from flask.testing import FlaskCliRunner

from tests.commands import create, run
from tests.conftest import services_of


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
