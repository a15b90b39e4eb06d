"""Backups of a real mongod, made while people are writing, restored into another database, and the site on top of it.

D11.
"""

import os
import random
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.base.errors import SettingsError
from chatroom.base.models import Message
from chatroom.export import backup
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.services import COLLECTIONS, Services
from tests.integration.live.servers import make_tokens
from tests.people import ALICE, BOB, rendered
from tests.visitors import Visitor
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def silent(name: str, done: int, expected: int) -> None:
    """Nobody watches."""


class Site:
    """The site over a database of its own, with the app's own few rights."""

    def __init__(self, uri: str, name: str) -> None:
        self.settings = Settings(
            mongo_uri=uri, mongo_db=name, secret_key="k" * 32, bcrypt_rounds=4, store_timeout_seconds=60
        )
        self.app = create_app(self.settings)
        self.app.test_client_class = Visitor
        self.services = open_app(self.app)
        self.store = self.services.export.backups

    def visitor(self) -> Any:
        return self.app.test_client()

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        database = self.services.database.client[self.services.database.name]
        return {name: list(database[name].find(sort=[("_id", 1)])) for name in self.store.kept}

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        own = {"MONGO_URI": self.settings.mongo_uri, "MONGO_DB": self.settings.mongo_db, "SECRET_KEY": "k" * 32}
        own["STORE_TIMEOUT_SECONDS"] = "60"
        return flask(own, *words)


def flask(settings: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """A command as a person would type it."""
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
    command = [sys.executable, "-m", "flask", "--app", "test_mongo", *words]
    return subprocess.run(
        command, check=False, cwd=ROOT, env=inherited | settings, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def make_site(mongod: EmbeddedMongo) -> Iterator[Callable[[], Site]]:
    sites: list[Site] = []

    def make() -> Site:
        name = f"site_{secrets.token_hex(4)}"
        sites.append(Site(mongod.uri_for(name), name))
        return sites[-1]

    yield make
    with pymongo.MongoClient[dict[str, Any]](mongod.root_uri) as root:
        for site in sites:
            root.drop_database(site.settings.mongo_db)
            site.services.close()


class Writers:
    """People who post, edit and delete as fast as they can, and write down every state that was acknowledged."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self.states: dict[int, Message] = {}
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ThreadPoolExecutor(2) as pool:
            work = [pool.submit(self._work, n) for n in range(2)]
            try:
                yield
            finally:
                self._stop.set()
        for each in work:
            each.result()

    def posted(self, count: int) -> None:
        """Messages from before."""
        store = self._services.messages.store
        for start in range(0, count, 500):
            drafts = [rendered(f"old-{n}", f"old {n}", BOB) for n in range(start, start + 500)]
            self._note(*(stored.message for stored in store.append("lobby", drafts)))

    def wait_for_more(self) -> None:
        """Let them post and change some more."""
        with self._lock:
            newest = max(self.states)
        wait_until(lambda: len(self.states) > newest + 20)

    def at(self, revision: int) -> dict[str, Message]:
        """The room as it was at a revision."""
        latest: dict[str, Message] = {}
        for number in range(1, revision + 1):
            latest[self.states[number].id] = self.states[number]
        return latest

    def _note(self, *messages: Message) -> None:
        with self._lock:
            self.states.update({message.revision: message for message in messages})

    def _work(self, writer: int) -> None:
        store, chance = self._services.messages.store, random.Random(writer)
        number = 0
        while not self._stop.is_set():
            number += 1
            drafts = [rendered(f"{writer}-{number}-{n}", f"{writer} {number} {n}", ALICE) for n in range(3)]
            self._note(*(stored.message for stored in store.append("lobby", drafts)))
            for _ in range(4):
                with self._lock:
                    message = self.states[chance.randint(1, len(self.states))]
                change = {"text": f"changed {number}"} if chance.random() < 0.8 else {"deleted_at": message.sent_at}
                self._note(store.change("lobby", message.id, lambda _, change=change: change))


class TestWhilePeopleWrite:
    def test_the_backup_is_the_room_as_it_was_at_one_revision(
        self, make_site: Callable[[], Site], tmp_path: Path
    ) -> None:
        """D11: users, messages, sequences and revisions come back; every state was a true one."""
        site, other = make_site(), make_site()
        site.services.prepare()
        assert site.visitor().register("alice", "Alice").status_code == 303
        assert site.visitor().register("bob", "Bob").status_code == 303
        writers = Writers(site.services)
        writers.posted(4000)

        def report(name: str, done: int, expected: int) -> None:
            if name == "messages":  # after each thousand
                writers.wait_for_more()

        with writers.at_work():
            writers.wait_for_more()
            backup.make(site.store, tmp_path / "b", report)
        facts = backup.verify(COLLECTIONS, tmp_path / "b", silent)
        assert facts.rooms["lobby"].missing_revisions == 0
        assert facts.rooms["lobby"].revision > 4000, "nobody wrote meanwhile"
        assert facts.collections["messages"].lines > facts.collections["messages"].documents, "nothing changed behind"

        backup.restore(other.store, tmp_path / "b", silent)
        revision = other.services.messages.store.newest_revision("lobby")
        assert revision == facts.rooms["lobby"].revision
        found = {message.id: message for message in log_of(other.services)}
        assert found == writers.at(revision)
        assert site.documents()["users"] == other.documents()["users"]
        assert other.visitor().log_in("bob").status_code == 303

    def test_readers_continue_from_old_cursors(self, make_site: Callable[[], Site], tmp_path: Path) -> None:
        """D08: a cursor that the room had at the backup is good; one beyond it is told to load the room anew."""
        site, other = make_site(), make_site()
        site.services.prepare()
        alice = site.visitor()
        alice.register("alice", "Alice")
        for number in range(5):
            alice.say(f"message {number}")
        backup.make(site.store, tmp_path / "b", silent)
        alice.say("lost")
        backup.restore(other.store, tmp_path / "b", silent)

        returned = other.visitor()
        returned.log_in("alice")
        after_3 = returned.get("/api/rooms/lobby/messages?after=3").json
        assert [(message["sequence"], message["text"]) for message in after_3["messages"]] == [
            (4, "message 3"),
            (5, "message 4"),
        ]
        beyond = returned.get("/api/rooms/lobby/messages?after=6")
        assert (beyond.status_code, beyond.json["error"]["reason"]) == (400, "unknown_cursor")
        returned.say("new")
        assert returned.get("/api/rooms/lobby/messages?after=5").json["messages"][0]["sequence"] == 6


class TestRestored:
    def test_two_processes_start_on_it_together_and_every_index_is_there(
        self, make_site: Callable[[], Site], tmp_path: Path
    ) -> None:
        """D11."""
        site, other = make_site(), make_site()
        site.services.prepare()
        site.visitor().register("alice", "Alice")
        Writers(site.services).posted(1000)
        backup.make(site.store, tmp_path / "b", silent)
        backup.restore(other.store, tmp_path / "b", silent)
        assert other.documents() == site.documents()

        twin = Site(other.settings.mongo_uri, other.settings.mongo_db)
        with ThreadPoolExecutor(2) as pool:
            for start in [pool.submit(each.services.prepare) for each in (other, twin)]:
                start.result()
        twin.services.close()
        assert other.documents() == site.documents()
        for name in [each.name for each in COLLECTIONS]:
            first, second = (each.services.database.client[each.settings.mongo_db] for each in (site, other))
            assert first[name].index_information() == second[name].index_information(), name

    def test_a_start_on_doubled_documents_fails_loudly(self, make_site: Callable[[], Site]) -> None:
        """D11."""
        site = make_site()
        users = site.services.database.client[site.settings.mongo_db]["users"]
        users.insert_many([{"_id": str(n), "username_key": "alice"} for n in range(2)])
        with pytest.raises(SettingsError, match="Two documents in the collection users"):
            site.services.prepare()

    def test_is_refused_on_a_database_with_people(self, make_site: Callable[[], Site], tmp_path: Path) -> None:
        site = make_site()
        site.services.prepare()
        site.visitor().register("alice", "Alice")
        assert site.run("backup", str(tmp_path / "b")).returncode == 0
        before = site.documents()
        refused = site.run("restore", str(tmp_path / "b"))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert (
            refused.stderr
            == ("Error: The database is not empty: there are memberships in it. Only an empty one can be filled.\n")
            or "there are users in it" in refused.stderr
        )
        assert site.documents() == before


def log_of(services: Services) -> Iterator[Message]:
    cursor = 0
    while page := services.messages.store.changed_after("lobby", cursor, 1000):
        yield from page
        cursor = page[-1].revision


class TestElsewhere:
    def test_a_plain_standalone_mongod(
        self, standalone_mongod: str, make_site: Callable[[], Site], tmp_path: Path
    ) -> None:
        site = Site(standalone_mongod, f"site_{secrets.token_hex(4)}")
        site.services.prepare()
        site.visitor().register("alice", "Alice")
        Writers(site.services).posted(500)
        backup.make(site.store, tmp_path / "b", silent)
        expected = site.documents()
        site.services.close()
        other = make_site()
        backup.restore(other.store, tmp_path / "b", silent)
        assert other.documents() == expected

    def test_the_embedded_mongod_while_the_site_runs_and_while_it_does_not(self, tmp_path: Path) -> None:
        data, other = {"DATA_DIR": str(tmp_path / "data")}, {"DATA_DIR": str(tmp_path / "other")}
        with EmbeddedMongo.launch(tmp_path / "data") as running:
            make_tokens(running.wait_until_ready(), running.database, "alice")
            made = flask(data, "backup", str(tmp_path / "running"))
        assert (made.returncode, made.stdout.endswith("contains 0 messages, 1 user, 1 room.\n")) == (0, True), made
        made = flask(data, "backup", str(tmp_path / "stopped"))
        assert made.returncode == 0, made
        restored = flask(other, "restore", str(tmp_path / "stopped"))
        assert restored.returncode == 0, restored
        with EmbeddedMongo.launch(tmp_path / "other") as filled:
            filled.wait_until_ready()
            with pymongo.MongoClient[dict[str, Any]](filled.uri) as client:
                assert [user["username"] for user in client.get_default_database().users.find()] == ["alice"]

    def test_no_database_is_one_clear_line(self, tmp_path: Path) -> None:
        away = {"MONGO_URI": "mongodb://127.0.0.1:1", "SECRET_KEY": "k" * 32, "STORE_TIMEOUT_SECONDS": "0.3"}
        failed = flask(away, "backup", str(tmp_path / "b"))
        assert failed.returncode == 1
        assert failed.stderr.splitlines()[-1].startswith("Error: The database does not answer")
        assert "Traceback" not in failed.stderr
        assert list(tmp_path.iterdir()) == []


class TestFullDisk:
    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        """A disk of one megabyte; where none can be mounted, a bound on the size of files."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
        if os.getuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            import resource

            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
            yield disk
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        else:
            yield disk
            subprocess.run(["umount", str(disk)], check=True)

    def test_leaves_no_half_backup(self, make_site: Callable[[], Site], small_disk: Path) -> None:
        site = make_site()
        site.services.prepare()
        Writers(site.services).posted(5000)
        failed = site.run("backup", str(small_disk / "b"))
        assert failed.returncode == 1
        last = failed.stderr.splitlines()[-1]
        assert last.startswith(f"Error: {small_disk / 'b'}"), failed.stderr
        assert last.endswith((": No space left on device.", ": File too large.")), failed.stderr
        assert "Traceback" not in failed.stderr
        assert list(small_disk.iterdir()) == []
