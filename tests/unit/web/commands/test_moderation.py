"""Mutes, bans and held messages, from the console."""

from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.services import Services
from tests.commands import create, run
from tests.conftest import services_of, signed_in


def test_mute_and_ban(app: Flask, runner: FlaskCliRunner) -> None:
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
    assert [line.split()[2] for line in output.splitlines()] == ["unban", "ban"]
    assert "spam" in output


def test_hold_list_and_decide(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    services: Services = services_of(app)
    bob = signed_in(app, "bob")
    assert run(runner, "set-holding", "3") == (0, "The first 3 messages of newcomers are held.\n")
    for text in ("one", "two\nlines", "three"):
        assert bob.say(text).status_code == 303
    assert services.messages.store.newest("lobby", 10) == []
    code, output = run(runner, "list-held")
    lines = output.splitlines()
    assert code == 0
    assert len(lines) == 3
    assert lines[0].endswith("Bob in Lobby: one")
    first, second, _ = (line.split()[0] for line in lines)
    assert run(runner, "approve", first) == (0, "The message was posted.\n")
    code, output = run(runner, "approve", first)
    assert (code, "the console approved this message" in output) == (1, True)
    assert run(runner, "reject", second)[0] == 2
    assert run(runner, "reject", second, "--reason", "spam", "--others") == (0, "2 messages were rejected.\n")
    assert run(runner, "list-held") == (0, "")
    assert [message.text for message in services.messages.store.newest("lobby", 10)] == ["one"]
    assert run(runner, "approve", "guessed")[0] == 1
    assert run(runner, "set-holding", "21")[0] == 2
    assert run(runner, "set-holding", "0") == (0, "Messages are no longer held.\n")
    bob.say("four")
    assert [message.text for message in services.messages.store.newest("lobby", 10)] == ["one", "four"]


def test_trust(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    run(runner, "set-holding", "3")
    bob = signed_in(app, "bob")
    bob.say("one")
    held_id = run(runner, "list-held")[1].split()[0]
    assert run(runner, "approve", held_id, "--trust")[0] == 0
    bob.say("two")
    assert [message.text for message in services_of(app).messages.store.newest("lobby", 10)] == ["one", "two"]
