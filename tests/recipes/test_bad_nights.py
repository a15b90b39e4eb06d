"""The nine bad nights of docs/bad-nights.md, on real sites, with the commands of the page."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pymongo
import pytest

from tests.databases import standalone
from tests.faults.replica import Disk
from tests.ports import Port
from tests.processes import mongods
from tests.recipes.blocks import block
from tests.recipes.sites import Site
from tests.waiting import wait_until

pytestmark = pytest.mark.long

DISK_MEGABYTES = 120
UNAVAILABLE = "The database does not answer right now. Please try again in a moment."

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Make a site, by default in a folder of its own."""
    made: list[Site] = []

    def make(folder: Path | None = None, **settings: str) -> Site:
        made.append(Site(folder or tmp_path / f"site{len(made)}", **settings))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[Callable[[str, int], Disk]]:
    """Make a small disk."""
    disks: list[Disk] = []

    def make(name: str, megabytes: int) -> Disk:
        disks.append(Disk(tmp_path / name, megabytes))
        if disks[-1].why_not:
            pytest.skip(f"no disk can be mounted: {disks[-1].why_not}")
        return disks[-1]

    yield make
    for disk in disks:
        disk.close()


def is_ready(site: Site) -> bool:
    return site.ask("/readyz") == 200


def test_the_disk_is_full(make_site: MakeSite, make_disk: Callable[[str, int], Disk]) -> None:
    disk = make_disk("disk", DISK_MEGABYTES)
    site = make_site(disk.folder / "site", POST_LIMIT_ACCOUNT="0", POST_LIMIT_ADDRESS="0")
    site.backups, small = make_disk("backups", 1).folder, site.backups
    site.log_path = disk.folder.parent / "log"
    site.start()
    site.create("alice")
    alice, program = site.browser("alice"), site.program("alice")
    acknowledged = []

    def post() -> httpx.Response:
        text = os.urandom(1950).hex()
        answer = program.say(text)
        acknowledged.extend([text] * (answer.status_code == 201))
        return answer

    for _ in range(400):
        assert post().status_code == 201
    code, said = site.try_to_type(block("Backups").splitlines()[0])
    assert code == 1
    assert said.endswith(": No space left on device.\n")
    assert not list(site.backups.iterdir())

    disk.fill()
    refused = wait_until(lambda: None if (answer := post()).status_code == 201 else answer)
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, UNAVAILABLE)
    assert refused.headers["Retry-After"] == "5"
    assert alice.get("/chatroom").status_code == 503
    assert site.ask("/readyz") == 503
    assert site.ask("/livez") == 200
    assert "No space left on device" in site.log

    disk.free()
    wait_until(lambda: is_ready(site))
    assert post().status_code == 201
    assert set(acknowledged) <= set(program.texts())
    assert alice.get("/chatroom").status_code == 200
    site.backups = small
    assert "messages" in site.type(block("Backups"))
    site.stop()
    disk.fill()
    assert site.fail_to_start() == 2
    assert site.log.endswith("No space left on device\n")


def test_the_database_is_away(make_site: MakeSite) -> None:
    """The embedded mongod is killed."""
    site = make_site()
    site.start()
    site.create("alice")
    alice, program = site.browser("alice"), site.program("alice")
    assert program.say("before").status_code == 201
    [mongod] = mongods(site.data)
    os.kill(mongod, signal.SIGKILL)
    assert site.ask("/livez") == 200
    assert alice.get("/chatroom").status_code in {200, 503}
    wait_until(lambda: is_ready(site))
    assert "mongod exited with -9 and is started again" in site.log
    assert program.say("after").status_code == 201
    assert program.texts() == ["before", "after"]
    assert alice.get("/chatroom").status_code == 200


def test_an_own_database_is_away(make_site: MakeSite, tmp_path: Path) -> None:
    port = Port()
    words = tmp_path / "mongodb", "--replSet", "own"
    with standalone(*words, port=port) as uri:
        with pymongo.MongoClient[dict[str, object]](uri) as client:
            members = [{"_id": 0, "host": f"127.0.0.1:{port.number}"}]
            client.admin.command("replSetInitiate", {"_id": "own", "members": members})
        site = make_site(MONGO_URI=f"mongodb://127.0.0.1:{port.number}/?replicaSet=own", SECRET_KEY="x" * 32)
        site.start()
        site.create("alice")
        alice, program = site.browser("alice"), site.program("alice")
        assert program.say("before").status_code == 201
    assert site.ask("/livez") == 200
    assert site.ask("/readyz") == 503
    assert alice.get("/chatroom").status_code == 503
    refused = program.say("refused")
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, UNAVAILABLE)
    with standalone(*words, port=port):
        wait_until(lambda: is_ready(site))
        assert program.say("after").status_code == 201
        assert {"before", "after"} <= set(program.texts())
        assert alice.get("/chatroom").status_code == 200
        site.stop()
    port.release()
