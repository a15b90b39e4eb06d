"""Rooms, from the console."""

from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.base.models import Author
from tests.commands import create, run
from tests.conftest import services_of
from tests.visitors import user_of


def test_rooms_in_figures(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    services = services_of(app)
    alice = Author(user_of(services, "alice").id, "alice")
    den = services.rooms.making.create(alice, "member", title="The den", is_private=True)
    code, output = run(runner, "list-rooms")
    assert code == 0
    lines = output.splitlines()
    assert lines[0] == "lobby  (Lobby)  public, 0 members, 0 messages, 0 bytes of files"
    assert lines[1] == f"{den.slug}  (The den)  private, 1 member, 0 messages, 0 bytes of files, managed by alice"
    assert run(runner, "list-rooms", "the") == (0, lines[1] + "\n")
    assert run(runner, "list-rooms", "--limit", "1") == (0, lines[0] + "\n")


def test_archiving(app: Flask, runner: FlaskCliRunner) -> None:
    create(runner, "alice")
    services = services_of(app)
    den = services.rooms.making.create(Author(user_of(services, "alice").id, "alice"), "member", title="The den")
    assert run(runner, "archive-room", den.slug, "--reason", "over") == (0, "The den was archived.\n")
    assert "archived" in run(runner, "list-rooms", "the")[1]
    assert run(runner, "unarchive-room", den.slug, "--reason", "not over") == (0, "The den was reopened.\n")
    assert run(runner, "archive-room", den.slug)[0] == 2
    assert run(runner, "archive-room", "nowhere", "--reason", "x") == (1, "Error: There is no such room.\n")
    assert run(runner, "archive-room", "lobby", "--reason", "x") == (1, "Error: The lobby cannot be archived.\n")
    assert "Somebody at the console reopened The den: not over" in run(runner, "audit", "--limit", "1")[1]


def test_appointing_an_administrator(app: Flask, runner: FlaskCliRunner) -> None:
    for name in ("alice", "bob"):
        create(runner, name)
    services = services_of(app)
    den = services.rooms.making.create(Author(user_of(services, "alice").id, "alice"), "member", title="The den")
    services.rooms.access.visit(user_of(services, "bob").id, den.slug)
    assert run(runner, "appoint", den.slug, "bob", "--reason", "x")[0] == 1
    services.database["memberships"].update_many({}, {"$unset": {"role": ""}})
    assert run(runner, "appoint", den.slug, "bob", "--reason", "x") == (0, "bob is now an administrator of The den.\n")
    assert "made @bob the administrator of The den: x" in run(runner, "audit", "--limit", "1")[1]
