"""What the commands share."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from chatroom.base.config import Settings
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.mongo.embedded.folder import FolderError
from chatroom.services import Services
from chatroom.web.commands import COMMANDS
from chatroom.web.commands.console import open_beside
from tests.commands import run
from tests.waiting import PATIENCE_SECONDS

WIDTH = 78  # what click writes into


@pytest.mark.parametrize("command", sorted(str(command.name) for command in COMMANDS))
def test_every_command_explains_itself(runner: FlaskCliRunner, command: str) -> None:
    code, output = run(runner, command, "--help")
    assert code == 0
    assert len(output.split("Options:")[0].splitlines()) > 2


def test_no_summary_is_cut_short(app: Flask) -> None:
    room = WIDTH - 6 - max(len(name) for name in app.cli.commands)
    cut = {command.name: command.get_short_help_str(room) for command in COMMANDS}
    assert [name for name, text in cut.items() if not text or text.endswith("...")] == []


@pytest.mark.integration
def test_while_the_site_runs(mongod: EmbeddedMongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded mongod belongs to the site that runs; a command goes in beside it."""
    patient = {"store_timeout_seconds": PATIENCE_SECONDS}
    settings = Settings(data_dir=str(mongod.folder.path), mongo_db=mongod.database, bcrypt_rounds=4, **patient)
    services = Services(settings)
    with pytest.raises(FolderError):
        services.open()
    monkeypatch.undo()
    beside = open_beside(Services(settings))
    try:
        assert beside.database.is_answering(PATIENCE_SECONDS)
        assert not beside.settings.is_embedded
    finally:
        beside.close()
