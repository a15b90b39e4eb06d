"""Steps that bring older data up to date."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskCliRunner

from chatroom import __version__
from chatroom.base.errors import SettingsError
from chatroom.mongo.database import Database
from chatroom.services import Services
from chatroom.site.background import Lease
from chatroom.site.leases_store import LeaseStore
from chatroom.site.upgrades import DATA_VERSION, Changed, Step, Upgrades, log_progress
from chatroom.site.versions_store import DataVersion, VersionStore
from tests.commands import run
from tests.databases import in_memory


class Killed(BaseException):
    """The process ends in the middle of a step, without clean-up."""


def find(database: Database) -> DataVersion:
    found = VersionStore(database).find()
    assert found is not None
    return found


def silent(_name: str, _done: int, _expected: int) -> None:
    pass


def nothing(_changed: Changed) -> None:
    pass


def upgrades(database: Database, *steps: Step, holder: str = "here") -> Upgrades:
    lease = Lease(LeaseStore(database, holder=holder), "upgrade", 30)
    return Upgrades(VersionStore(database), lease, steps)


def older(database: Database, rooms: int = 4) -> Database:
    for number in range(rooms):
        database["rooms"].insert_one({"_id": f"r{number}", "slug": f"r{number}"})
    return database


def marking(database: Database, dies_after: int = 100) -> Callable[[Changed], None]:
    """Make a step that changes one room in each batch, and is killed after some batches."""

    def run(changed: Changed) -> None:
        batches = 0
        while database["rooms"].update_one({"count": None}, {"$set": {"count": 1}}).modified_count:
            batches += 1
            if batches > dies_after:
                raise Killed
            changed(1)

    return run


def test_an_empty_database_has_the_newest_version_and_runs_no_step() -> None:
    database = in_memory()
    parts = upgrades(database, Step("never", marking(database)))
    parts.run(parts.check(is_agreed=False), silent)
    assert find(database).number == 1


@pytest.mark.parametrize("batches", range(4))
def test_a_killed_upgrade_continues_and_changes_each_document_once(batches: int) -> None:
    database = older(in_memory())
    killed = upgrades(database, Step("first", nothing), Step("marks", marking(database, batches)))
    with pytest.raises(Killed):
        killed.run(killed.check(is_agreed=False), silent)
    assert find(database).number == 1
    database["leases"].delete_many({})  # it expires
    again = upgrades(database, Step("first", nothing), Step("marks", marking(database)), holder="again")
    again.run(again.check(is_agreed=False), silent)
    assert find(database).number == 2
    assert [room["count"] for room in database["rooms"].find()] == [1, 1, 1, 1]
    assert database["leases"].find_one() is None


def test_a_process_that_waited_for_another_runs_no_completed_step(caplog: pytest.LogCaptureFixture) -> None:
    database = older(in_memory())
    other = LeaseStore(database, holder="other")
    assert other.take("upgrade", 30)
    parts = upgrades(database, Step("never", marking(database)))
    found = parts.check(is_agreed=False)
    VersionStore(database).advance(1)  # by the other process
    parts.run(found, silent)
    assert find(database).number == 1
    assert database["rooms"].find_one({"count": 1}) is None


def test_a_step_that_shuts_out_older_versions_needs_consent() -> None:
    database = older(in_memory())
    parts = upgrades(database, Step("addresses", marking(database), shuts_out=lambda: True))
    with pytest.raises(SettingsError, match=r"Make a backup first, then run .*upgrade`, or start with UPGRADE=yes"):
        parts.check(is_agreed=False)
    assert database["rooms"].find_one({"count": 1}) is None
    parts.run(parts.check(is_agreed=True), silent)
    assert find(database) == DataVersion(1, 1, __version__)


def test_such_a_step_shuts_out_older_versions_before_its_first_change() -> None:
    database = older(in_memory())
    parts = upgrades(database, Step("addresses", marking(database, 0), shuts_out=lambda: True))
    with pytest.raises(Killed):
        parts.run(parts.check(is_agreed=True), silent)
    assert find(database) == DataVersion(0, 1, __version__)


def test_such_a_step_without_work_needs_no_consent_and_shuts_out_nobody() -> None:
    database = older(in_memory())
    parts = upgrades(database, Step("addresses", nothing, shuts_out=lambda: False))
    parts.run(parts.check(is_agreed=False), silent)
    assert find(database) == DataVersion(1)


def test_newer_data_is_refused_with_both_versions() -> None:
    database = older(in_memory())
    VersionStore(database).create(DataVersion(99, 98, "7.5.0"))
    with pytest.raises(SettingsError, match=rf"version 99 and needs Chatroom 7\.5\.0 .*Chatroom {__version__}"):
        upgrades(database).check(is_agreed=True)
    assert find(database).number == 99


def test_newer_data_that_this_version_can_use_gets_its_later_steps_again() -> None:
    database = older(in_memory())
    VersionStore(database).create(DataVersion(9, 1, "0.2.0"))
    parts = upgrades(database, Step("first", nothing))
    parts.run(parts.check(is_agreed=False), silent)
    assert find(database) == DataVersion(1, 1, "0.2.0")


def test_the_log_shows_progress_every_ten_seconds_and_the_end(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 1.0, 11.0, 11.0, 12.0])
    show = log_progress(lambda: next(times))
    with caplog.at_level(logging.INFO):
        for done in (500, 1000, 1500):
            show("names", done, 0)
        show("names", 1500, 1500)
    assert caplog.messages == ["names: 1000 documents changed so far", "names: complete, 1500 documents changed"]


def test_the_services_know_as_many_steps_as_the_data_version(services: Services) -> None:
    names = [step.name for step in services._steps()]
    assert len(names) == DATA_VERSION
    model = Path("docs/data-model.md").read_text("utf-8")
    assert [f"{number}. {name}" in model for number, name in enumerate(names, 1)] == [True] * DATA_VERSION
    services.prepare()
    assert msgspec.to_builtins(find(services.database)) == {"number": DATA_VERSION, "oldest_reader": 0, "release": ""}


def test_the_newest_release_in_the_list_of_changes_is_this_version(runner: FlaskCliRunner) -> None:
    headings = [line for line in Path("CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## ")]
    assert headings[0] == "## Unreleased"
    assert headings[1].startswith(f"## {__version__} - 20")
    assert run(runner, "version") == (0, f"Chatroom {__version__}, data version {DATA_VERSION}\n")


@pytest.fixture
def guessable(services: Services) -> Database:
    """The database of a site from before 0.1.0, with a direct conversation."""
    room = {"_id": "d", "slug": "dm-" + "0" * 20, "kind": "direct", "title": "", "people": ["a", "b"]}
    services.database["rooms"].insert_one(room)
    VersionStore(services.database).replace(DataVersion(0))
    return services.database


def test_the_console_asks_for_a_backup(runner: FlaskCliRunner, guessable: Database) -> None:
    code, said = run(runner, "upgrade", typed="n\n")
    assert code == 1
    assert "Nothing was changed. Make a backup" in said
    assert find(guessable) == DataVersion(0)


@pytest.mark.parametrize(("words", "typed"), [(["upgrade"], "y\n"), (["upgrade", "--yes"], "")])
def test_the_console_upgrades(runner: FlaskCliRunner, guessable: Database, words: list[str], typed: str) -> None:
    assert run(runner, *words, typed=typed)[0] == 0
    assert guessable["rooms"].find_one({"former_slug": "dm-" + "0" * 20, "_id": "d"})
    assert find(guessable) == DataVersion(DATA_VERSION, 1, __version__)


def test_other_commands_say_what_is_needed_and_a_backup_can_be_made(
    runner: FlaskCliRunner, guessable: Database, tmp_path: Path
) -> None:
    services = runner.app.extensions["chatroom"]
    with pytest.raises(SettingsError, match="Make a backup first"):
        services.upgrades.check(is_agreed=False)
    folder = tmp_path / "backup"
    assert run(runner, "backup", str(folder))[0] == 0
    assert json.loads((folder / "manifest.json").read_bytes())["data_version"] == 0
    assert run(runner, "restore", str(folder))[0] == 0  # into a new, empty database
    assert services.database["rooms"].find_one({"former_slug": "dm-" + "0" * 20, "_id": "d"})
    assert find(services.database).number == DATA_VERSION
