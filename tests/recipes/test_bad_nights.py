"""The nine bad nights of docs/bad-nights.md, on real sites, with the commands of the page."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pymongo
import pytest

from chatroom.base.config import Settings
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.services import Services
from tests.databases import standalone
from tests.faults.replica import Disk
from tests.integration.live.servers import settings_of
from tests.people import rendered
from tests.ports import Port
from tests.processes import mongods
from tests.recipes.blocks import block, command
from tests.recipes.sites import MESSAGES, Site, clone, read_documents, run_git
from tests.visitors import NEW, PASSWORD
from tests.waiting import wait_until

pytestmark = pytest.mark.long

DISK_MEGABYTES = 120
MANY = 20_000
BATCH = 500
KEY = "x" * 32
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


@contextmanager
def own_replica_set(folder: Path, port: Port) -> Iterator[str]:
    """A MongoDB that the operator runs, with one node."""
    with standalone(folder, "--replSet", "own", port=port) as uri:
        with pymongo.MongoClient[dict[str, Any]](uri) as client, suppress(pymongo.errors.OperationFailure):
            members = [{"_id": 0, "host": f"127.0.0.1:{port.number}"}]
            client.admin.command("replSetInitiate", {"_id": "own", "members": members})  # refused the second time
        yield f"mongodb://127.0.0.1:{port.number}/?replicaSet=own"


def fill(settings: Settings) -> None:
    """Store many messages."""
    services = Services(settings)
    services.open()
    try:
        for start in range(0, MANY, BATCH):
            drafts = [rendered(f"c-{number}", f"message {number}") for number in range(start, start + BATCH)]
            services.messages.store.append("lobby", drafts)
    finally:
        services.close()


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
    wait_until(lambda: "is started again: No space left on device" in site.log)

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
    live = site.connect(program)
    live.wait_for_type("caught_up")
    [mongod] = mongods(site.data)
    os.kill(mongod, signal.SIGKILL)
    assert site.ask("/livez") == 200
    assert alice.get("/chatroom").status_code in {200, 503}
    wait_until(lambda: is_ready(site))
    wait_until(lambda: "mongod exited with -9 and is started again" in site.log)
    assert program.say("after").status_code == 201
    assert program.texts() == ["before", "after"]
    live.wait_for(lambda frame: "after" in [message.get("text") for message in frame.get("messages", [])])
    assert alice.get("/chatroom").status_code == 200


def test_an_own_database_is_away(make_site: MakeSite, tmp_path: Path) -> None:
    port = Port()
    with own_replica_set(tmp_path / "mongodb", port) as uri:
        site = make_site(MONGO_URI=uri, SECRET_KEY=KEY)
        site.start()
        site.create("alice")
        alice, program = site.browser("alice"), site.program("alice")
        assert program.say("before").status_code == 201
    assert site.ask("/livez") == 200
    assert site.ask("/readyz") == 503
    assert alice.get("/chatroom").status_code == 503
    refused = program.say("refused")
    assert (refused.status_code, refused.json()["error"]["message"]) == (503, UNAVAILABLE)
    with own_replica_set(tmp_path / "mongodb", port):
        wait_until(lambda: is_ready(site))
        assert program.say("after").status_code == 201
        assert {"before", "after"} <= set(program.texts())
        assert alice.get("/chatroom").status_code == 200
        site.stop()
    port.release()


def test_the_only_administrator_is_locked_out(make_site: MakeSite) -> None:
    site = make_site()
    site.start()
    site.create("alice")
    site.create("bob")
    alice, program = site.browser("alice"), site.program("alice")
    live = site.connect(program)
    site.type(block("The only administrator is locked out"), typed=f"{NEW}\n{NEW}\n")
    assert live.close_code() == 4401
    assert alice.get("/chatroom").status_code == 303
    assert program.get(MESSAGES).status_code == 401
    assert alice.submit("/login", username="alice", password=PASSWORD).status_code != 303
    assert alice.submit("/login", username="alice", password=NEW).status_code == 303
    assert alice.get("/admin").status_code == 200
    assert site.browser("bob").get("/admin").status_code == 200


def test_a_secret_leaked(make_site: MakeSite) -> None:
    site = make_site(METRICS_TOKEN="the leaked token of metrics")
    site.start()
    site.create("alice")
    alice = site.browser("alice")
    site.stop()
    leaked = site.data / "secret_key"
    old = leaked.read_text()
    leaked.unlink()
    site.start()
    assert alice.get("/chatroom").status_code == 303
    assert leaked.read_text() != old

    alice, absent = site.browser("alice"), site.browser("alice")
    site.stop()
    site.start(SECRET_KEY="the new key of the site", SECRET_KEY_FALLBACKS=leaked.read_text())
    assert alice.get("/chatroom").status_code == 200
    site.stop()
    site.start(SECRET_KEY_FALLBACKS="")
    assert alice.get("/chatroom").status_code == 200
    assert absent.get("/chatroom").status_code == 303

    alice, program = site.browser("alice"), site.program("alice")
    [end] = re.findall(r'action="(/account/tokens/\w+/end)"', alice.get("/account/tokens").text)
    assert program.get(MESSAGES).status_code == 200
    assert alice.submit("/account/tokens", to=end).status_code == 303
    assert program.get(MESSAGES).status_code == 401

    hooks = "/chatroom/lobby/webhooks"
    [hook] = set(re.findall(r"(/hooks/[\w-]+)</code>", alice.submit(hooks, kind="incoming", name="CI").text))
    assert alice.post(hook, json={"text": "built"}).status_code == 200
    [remove] = re.findall(r'action="(/chatroom/lobby/webhooks/\w+/remove)"', alice.get(hooks).text)
    assert alice.submit(hooks, to=remove).status_code == 303
    assert alice.post(hook, json={"text": "built"}).status_code == 404

    leaked_token = {"Authorization": f"Bearer {site.settings['METRICS_TOKEN']}"}
    assert alice.get("/metrics", headers=leaked_token).status_code == 200
    site.stop()
    site.start(METRICS_TOKEN="the new token of metrics")
    assert alice.get("/metrics", headers=leaked_token).status_code == 404
    assert alice.get("/metrics", headers={"Authorization": "Bearer the new token of metrics"}).status_code == 200

    program = site.program("alice")
    assert alice.get("/chatroom").status_code == 200
    site.type(block("A secret leaked"))
    assert alice.get("/chatroom").status_code == 303
    assert program.get(MESSAGES).status_code == 401


def test_a_spammer_came(make_site: MakeSite) -> None:
    site = make_site()
    site.start()
    site.create("alice")
    mallory = site.browser()
    names = {"password": PASSWORD, "password_again": PASSWORD}
    mallory.submit("/register", username="mallory", display_name="Mallory", **names)
    program, spammer = site.program("alice"), site.program("mallory")
    assert program.say("hello").status_code == 201
    live = site.connect(spammer)
    wait_until(lambda: spammer.say("spam").status_code == 429)
    *commands, erase = block("A spammer came").splitlines()
    site.type("\n".join(commands))
    assert live.close_code() == 4403
    assert mallory.get("/chatroom").status_code == 303
    assert "spam" in mallory.submit("/login", username="mallory", password=PASSWORD).text
    assert spammer.say("spam").status_code == 401
    carol = site.browser()
    wait_until(lambda: "Invite code" in carol.get("/register").text)
    assert carol.submit("/register", username="carol", display_name="Carol", **names).status_code != 303
    site.type(erase, typed="mallory\n")
    assert program.texts() == ["hello"]

    site.type(block("A spammer came", 1))
    wait_until(lambda: "Invite code" not in carol.get("/register").text)
    assert carol.submit("/register", username="carol", display_name="Carol", **names).status_code == 303
    carol.say("first")
    assert "first" not in program.texts()
    assert "first" in site.type(".venv/bin/flask --app test_mongo list-held")


def test_the_machine_is_gone(make_site: MakeSite) -> None:
    site = make_site()
    site.start()
    site.create("alice")
    alice, program = site.browser("alice"), site.program("alice")
    assert alice.say("with a file", [("files", ("a.bin", bytes(range(256)) * 4000))]).status_code == 303
    site.type(block("Backups"))
    site.stop()

    new = make_site()
    shutil.copytree(site.backups, new.backups, dirs_exist_ok=True)
    shutil.rmtree(site.data)
    new.type(block("The machine is gone"))
    new.start()
    assert new.program("alice").texts() == ["with a file"]
    assert new.program("alice").download() == bytes(range(256)) * 4000
    assert httpx.get(new.address + MESSAGES, headers=program.headers).status_code == 401


def test_the_domain_changes(make_site: MakeSite) -> None:
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    site = make_site(ALLOWED_HOSTS="old.example.org", TRUSTED_PROXIES="1")
    site.start()
    site.create("alice")
    alice = site.browser("alice", "https://old.example.org", **proxy)
    assert alice.get("/chatroom").status_code == 200
    site.stop()
    site.start(ALLOWED_HOSTS="new.example.org")
    assert alice.get("/chatroom").status_code == 400
    answer = alice.get("https://new.example.org/chatroom")
    assert answer.status_code == 303  # the cookie belongs to the old name
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    renamed = site.browser("alice", "https://new.example.org", **proxy)
    assert renamed.get("/chatroom").status_code == 200
    assert {cookie.domain for cookie in renamed.cookies.jar} == {"new.example.org"}
    assert (
        "https://new.example.org/hooks/" in renamed.submit("/chatroom/lobby/webhooks", kind="incoming", name="CI").text
    )


def test_newer_data_is_refused_and_unchanged(make_site: MakeSite) -> None:
    site = make_site()
    site.start()
    site.create("alice")
    site.browser("alice").say("hello")
    site.stop()
    with site.database() as database:
        newer = {"number": 99, "oldest_reader": 99, "release": "9.0.0"}
        assert database["data_version"].update_one({}, {"$set": newer}).modified_count == 1
        before = read_documents(database)
    assert site.fail_to_start() == 2
    assert "needs Chatroom 9.0.0 or newer" in site.log
    with site.database() as database:
        assert read_documents(database) == before


def test_back_to_an_older_version(make_site: MakeSite, tmp_path: Path) -> None:
    """The version before the last commit that changed the code."""
    root = clone(tmp_path / "chatroom")
    site = make_site(root=root)
    site.start()
    site.create("alice")
    alice = site.browser("alice")
    alice.say("from the newer version")
    stop, check_out, start = block("Go back a version").splitlines()
    assert (stop, start) == ("systemctl stop chatroom", "systemctl start chatroom")
    site.stop()
    older = run_git(root, "log", "-1", "--format=%h~1", "--", "chatroom", "templates", "static")
    site.type(check_out.replace("/srv/chatroom", str(root)).replace("<the older version>", older))
    assert run_git(root, "rev-parse", "HEAD") == run_git(root, "rev-parse", older)
    site.start()
    assert alice.get("/chatroom").status_code == 200
    alice.say("from the older version")
    site.stop()
    site.type(command("git checkout main"))
    site.start()
    assert site.program("alice").texts() == ["from the newer version", "from the older version"]
    assert alice.get("/chatroom").status_code == 200


def test_to_another_database(make_site: MakeSite, tmp_path: Path) -> None:
    port = Port()
    old = make_site()
    old.start()
    old.create("alice")
    old.browser("alice").say("with a file", [("files", ("a.bin", bytes(range(256)) * 4000))])
    old.stop()
    with EmbeddedMongo.launch(old.data) as mongo:
        fill(settings_of(mongo.wait_until_ready(), mongo.database))
    old.start()
    with own_replica_set(tmp_path / "mongodb", port) as uri:
        new = make_site(MONGO_URI=uri, SECRET_KEY=KEY)
        back_up, restore = block("To another database or machine").splitlines()
        old.type(back_up.replace("/move", "/trial"))
        shutil.copytree(old.backups, new.backups, dirs_exist_ok=True)
        new.type(restore.replace("/move", "/trial"), MONGO_DB="trial")
        began = time.monotonic()
        old.stop()
        old.type(back_up)
        shutil.copytree(old.backups, new.backups, dirs_exist_ok=True)
        new.type(restore)
        silence = time.monotonic() - began
        with old.database() as before, pymongo.MongoClient[dict[str, Any]](uri) as client:
            moved, kept = read_documents(client["chatroom"]), read_documents(before)
        for path in (new.backups / "move").glob("*.jsonl"):
            assert moved.get(path.stem, []) == kept.get(path.stem, []), path
        began = time.monotonic()
        new.start()
        print(f"silence: {silence + time.monotonic() - began:.1f} s, with {MANY} messages")
        assert len(new.program("alice").texts()) == MANY + 1
        assert new.program("alice").download() == bytes(range(256)) * 4000
        new.stop()
    port.release()
