"""Keeping order, from the console."""

from flask import Flask
from flask.testing import FlaskCliRunner

from tests.commands import create, run
from tests.conftest import signed_in


def test_keeping_order(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    bob = signed_in(app, "bob")
    assert run(runner, "mute", "bob", "--reason", "loud") == (0, "bob is muted until it is lifted.\n")
    assert bob.say("hello").status_code == 403
    assert run(runner, "unmute", "bob") == (0, "bob can post again.\n")
    code, output = run(runner, "ban", "bob", "--for", "7d", "--reason", "spam")
    assert code == 0
    assert output.startswith("bob is banned until ")
    assert not bob.is_signed_in
    assert run(runner, "unban", "bob") == (0, "bob can log in again.\n")
    assert run(runner, "ban", "bob", "--for", "ages", "--reason", "spam")[0] == 1
    assert run(runner, "ban", "bob")[0] == 2
    code, output = run(runner, "audit", "--about", "bob", "--limit", "2")
    assert code == 0
    assert [line.split()[4] for line in output.splitlines()] == ["unban", "ban"]
    assert "spam" in output
