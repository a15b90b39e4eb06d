"""The embedded mongod, for real: who gets in, what it survives, and that it never outlives its app.

O01, O02.
"""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from chatroom.mongo.embedded import EmbeddedError, EmbeddedMongo
from chatroom.mongo.embedded.folder import FolderError
from chatroom.mongo.embedded.mongod import find_binaries
from chatroom.mongo.embedded.process import Process
from tests.processes import mongods, parent_of
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
UNAUTHORIZED = 13

APP = """
import sys, threading, time
from pathlib import Path
from pymongo import MongoClient
from chatroom.mongo.embedded import EmbeddedMongo

def launch():
    global mongo
    mongo = EmbeddedMongo.launch(Path(sys.argv[1]))

launcher = threading.Thread(target=launch)  # gone before mongod is ready
launcher.start()
launcher.join()
notes = MongoClient(mongo.wait_until_ready(), w="majority", journal=True).chatroom.notes
print("ready", flush=True)
for number in range(1_000_000):
    notes.insert_one({"number": number})
    print(number, flush=True)
"""


@pytest.fixture
def mongo(mongod: EmbeddedMongo) -> EmbeddedMongo:
    """The one that other tests use as well."""
    return mongod


def connect(uri: str, **options: Any) -> MongoClient[dict[str, Any]]:
    """Open a client, to be closed before its mongod: closing tells the server, and waits for it."""
    return MongoClient(uri, serverSelectionTimeoutMS=PATIENCE_SECONDS * 1000, **options)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Start apps that write until they are killed, and wait until each is ready."""
    apps: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", APP, str(tmp_path / "data")]
        apps.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        assert apps[-1].stdout is not None
        assert apps[-1].stdout.readline() == "ready\n"
        return apps[-1]

    yield start
    for running in apps:
        running.kill()
        running.communicate()
    wait_until(lambda: not mongods(tmp_path / "data"))


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], EmbeddedMongo]:
    """Launch a mongod that is a shell script."""

    def launch(script: str) -> EmbeddedMongo:
        binary = tmp_path / "bin" / "mongod"
        binary.parent.mkdir()
        binary.write_text(script)
        binary.chmod(0o755)
        monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
        monkeypatch.setattr("chatroom.mongo.embedded.mongod._bundled", lambda: iter([]))
        return EmbeddedMongo.launch(tmp_path / "data")

    return launch


class TestAccess:
    def test_the_app_can_do_all_that_it_needs(self, mongo: EmbeddedMongo) -> None:
        with connect(mongo.uri) as client:
            database = client.get_default_database()
            assert database.name == "chatroom"
            database.notes.create_index("number", unique=True)
            with database.notes.watch() as changes:
                database.notes.insert_one({"number": 1})
                assert next(changes)["fullDocument"]["number"] == 1
            assert "notes" in database.list_collection_names()
            database.notes.drop()

    def test_the_app_can_touch_nothing_else(self, mongo: EmbeddedMongo) -> None:
        with connect(mongo.uri) as client:
            assert set(client.list_database_names()) <= {"chatroom"}
            for attempt in (
                lambda: client.admin["system.users"].find_one({}),
                lambda: client.admin.drop_collection("system.users"),
                lambda: client.local["oplog.rs"].find_one({}),
                lambda: client.elsewhere.notes.insert_one({}),
                lambda: client.chatroom.command("createUser", "more", pwd="x", roles=["readWrite"]),
                lambda: client.admin.command("shutdown"),
            ):
                with pytest.raises(OperationFailure) as refusal:
                    attempt()
                assert refusal.value.code == UNAUTHORIZED

    @pytest.mark.parametrize("user", ["", "chatroom:guess@"])
    def test_other_accounts_have_no_access(self, mongo: EmbeddedMongo, user: str) -> None:
        address = mongo.uri.partition("@")[2]
        # Who is refused is taken for a server that is away, until the next look.
        with connect(f"mongodb://{user}{address}", heartbeatFrequencyMS=500) as client:
            for attempt in (
                lambda: client.chatroom.notes.find_one({}),
                lambda: client.admin.command("createUser", "more", pwd="x", roles=["root"]),
            ):
                with pytest.raises(PyMongoError, match=r"requires authentication|Authentication failed"):
                    attempt()

    def test_it_never_compresses_and_never_runs_scripts(self, mongo: EmbeddedMongo) -> None:
        with connect(mongo.uri) as client:
            assert "compression" not in client.admin.command("hello", compression=["zlib", "snappy", "zstd"])
            with pytest.raises(OperationFailure, match=r"(?i)script"):
                client.chatroom.notes.find_one({"$where": "true"})

    def test_it_listens_at_its_socket_and_at_no_port(self, mongo: EmbeddedMongo) -> None:
        """O09."""
        (pid,) = mongods(mongo.folder.path)
        inodes = sockets_of(pid)
        listening = [row.split() for row in Path("/proc/net/unix").read_text().splitlines() if " 00010000 " in row]
        assert [row[7] for row in listening if row[6] in inodes] == [str(mongo.socket_path)]
        assert stat.S_IMODE(mongo.socket_path.stat().st_mode) == 0o700
        assert stat.S_IMODE(mongo.socket_path.parent.stat().st_mode) == 0o700
        for table in ("tcp", "tcp6", "udp", "udp6"):
            rows = [row.split() for row in Path("/proc/net", table).read_text().splitlines()[1:]]
            assert not [row for row in rows if row[9] in inodes], table

    def test_only_the_owner_can_read_the_folder(self, mongo: EmbeddedMongo) -> None:
        assert stat.S_IMODE(mongo.folder.path.stat().st_mode) == 0o700
        for path in mongo.folder.path.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.is_file() else 0o700), path

    def test_the_passwords_are_neither_logged_nor_in_a_command_line(self, mongo: EmbeddedMongo) -> None:
        commands = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in mongods(mongo.folder.path))
        seen = mongo.log_path.read_text() + commands.decode()
        for uri in (mongo.uri, mongo.root_uri):
            assert uri.split(":")[2].partition("@")[0] not in seen

    def test_another_database_gets_an_account_of_its_own(self, mongo: EmbeddedMongo) -> None:
        uri = mongo.uri_for("second")
        assert mongo.uri_for("second") == uri
        with connect(uri) as client:
            client.second.notes.insert_one({})
            with pytest.raises(OperationFailure):
                client.chatroom.notes.find_one()
        with connect(mongo.root_uri) as client:
            client.drop_database("second")


class TestRestart:
    def test_keeps_the_data_and_the_address_and_stays_small(self, tmp_path: Path) -> None:
        with EmbeddedMongo.launch(tmp_path / "data") as mongo, connect(first := mongo.wait_until_ready()) as client:
            client.chatroom.notes.insert_one({"_id": "kept"})
            client.close()
        wait_until(lambda: not mongods(tmp_path / "data"))
        with EmbeddedMongo.launch(tmp_path / "data") as mongo:
            assert mongo.wait_until_ready() == first
            with connect(mongo.uri) as client:
                assert client.chatroom.notes.find_one() == {"_id": "kept"}
            assert sum(path.stat().st_blocks * 512 for path in (tmp_path / "data").rglob("*")) < 50_000_000
            mongo.kill()

    @pytest.mark.parametrize("name", ["moved", "Moved: a folder, of <ours> " + "x" * 80])
    def test_goes_along_with_its_folder(self, tmp_path: Path, name: str) -> None:
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        with connect(mongo.wait_until_ready(), w="majority") as client:
            client.chatroom.notes.insert_one({"_id": "kept"})
        mongo.kill()
        path = (tmp_path / "data").rename(tmp_path / name)
        for _ in range(2):
            mongo = EmbeddedMongo.launch(path)
            with connect(mongo.wait_until_ready(), w="majority") as client:
                assert client.chatroom.notes.find_one({"_id": "kept"})
                client.chatroom.notes.insert_one({})
            mongo.kill()
            assert not mongo.socket_path.exists()
            assert (mongo.socket_path.parent == path) == mongo.socket_path.parent.exists()

    def test_leaves_the_port_of_an_earlier_version(self, tmp_path: Path) -> None:
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        mongo.wait_until_ready()
        with connect(mongo.root_uri, retryWrites=False, w=1) as root:
            members = [{"_id": 0, "host": "127.0.0.1:9"}]
            configuration = {"_id": "chatroom", "version": 2, "members": members}
            root.admin.command("grantRolesToUser", "root", roles=["__system"])
            root.local["system.replset"].update_one({}, {"$set": configuration})
        mongo.kill()
        record = json.loads((tmp_path / "data" / "mongo.json").read_text())
        del record["socket"], record["configured"]
        (tmp_path / "data" / "mongo.json").write_text(json.dumps(record | {"port": 9, "configured_port": 9}))
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        with connect(mongo.wait_until_ready(), w="majority") as client:
            client.chatroom.notes.insert_one({})
        mongo.kill()

    def test_an_interrupted_first_start_is_repeated_with_new_passwords(self, tmp_path: Path) -> None:
        """O09."""
        cut = EmbeddedMongo.launch(tmp_path / "data")
        wait_until(lambda: list(tmp_path.glob("data/mongo/WiredTiger")))
        cut.kill()
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        for one, other in ((cut.uri, mongo.uri), (cut.root_uri, mongo.root_uri)):
            assert one.partition("@")[0] != other.partition("@")[0]
        with connect(mongo.wait_until_ready()) as client:
            client.chatroom.notes.insert_one({})
        mongo.kill()


class TestUpgrade:
    def test_the_data_files_follow_a_newer_mongod(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """O11: As from 5.0 to 6.0: only the bundled one is here."""
        caplog.set_level("INFO", "chatroom.mongo.embedded")
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        mongo.wait_until_ready()
        record = json.loads((tmp_path / "data" / "mongo.json").read_text())
        version = record["compatibility"]
        with connect(mongo.root_uri) as root:
            root.admin.command("setFeatureCompatibilityVersion", "5.0")
        mongo.kill()
        earlier = json.dumps(record | {"compatibility": "5.0", "binary": "another"})
        (tmp_path / "data" / "mongo.json").write_text(earlier)
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        mongo.wait_until_ready()
        with connect(mongo.root_uri) as root:
            answer = root.admin.command("getParameter", 1, featureCompatibilityVersion=1)
        assert answer["featureCompatibilityVersion"] == {"version": version}
        mongo.kill()
        assert json.loads((tmp_path / "data" / "mongo.json").read_text())["compatibility"] == version
        assert f"upgraded from MongoDB 5.0 to {version}" in caplog.text

    def test_files_that_cannot_be_upgraded_start_nevertheless(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def refuse(_: object) -> str:
            raise OperationFailure("an index is in the way")

        monkeypatch.setattr("chatroom.mongo.embedded.setup._upgrade", refuse)
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        mongo.wait_until_ready()
        mongo.kill()
        assert "cannot be upgraded to this version of MongoDB: an index is in the way" in caplog.text
        assert json.loads((tmp_path / "data" / "mongo.json").read_text())["compatibility"] == ""

    def test_existing_files_are_opened_by_another_mongod_if_the_first_cannot_read_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """O11: they were the bundled one's, and nobody wrote that down; then another was installed."""
        with EmbeddedMongo.launch(tmp_path / "data") as mongo:
            mongo.wait_until_ready()
        path = tmp_path / "data" / "mongo.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"compatibility": "", "binary": ""}))
        installed = tmp_path / "mongod"
        installed.write_text("#!/bin/sh\necho '** UPGRADE PROBLEM: Found an invalid document'\nexit 62\n")
        installed.chmod(0o755)
        found = [installed, *find_binaries()]
        monkeypatch.setattr("chatroom.mongo.embedded.find_binaries", lambda: found)
        with EmbeddedMongo.launch(tmp_path / "data") as mongo:
            mongo.wait_until_ready()
        assert json.loads(path.read_text())["compatibility"] == record["compatibility"]
        assert f"belong to another MongoDB version: put its mongod on the PATH. {found[1]} is tried" in caplog.text

    def test_data_files_of_a_newer_version_are_refused_and_left_alone(self, tmp_path: Path) -> None:
        """O11."""
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        mongo.wait_until_ready()
        mongo.kill()
        record = tmp_path / "data" / "mongo.json"
        record.write_text(record.read_text().replace('"compatibility":"', '"compatibility":"9'))
        with pytest.raises(EmbeddedError, match=r"files belong to MongoDB 9\d\.0, but .* cannot read them"):
            EmbeddedMongo.launch(tmp_path / "data")


class TestCrash:
    def test_a_killed_app_leaves_no_mongod_and_loses_nothing(self, tmp_path: Path, app: Any) -> None:
        running = app()
        told = [running.stdout.readline() for _ in range(20)]
        running.kill()
        told += running.stdout.readlines()
        wait_until(lambda: not mongods(tmp_path / "data"))
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        with connect(mongo.wait_until_ready()) as client:
            stored = [note["number"] for note in client.chatroom.notes.find(sort=[("number", 1)])]
        mongo.kill()
        acknowledged = [int(line) for line in told if line.endswith("\n")]
        assert len(acknowledged) >= 20
        assert stored[: len(acknowledged)] == acknowledged

    def test_the_next_app_need_not_wait(self, app: Any) -> None:
        running = app()
        running.kill()
        running.wait(PATIENCE_SECONDS)
        app()  # is ready; it would have given up after ten seconds

    def test_a_second_app_is_refused_and_the_first_continues(self, mongo: EmbeddedMongo) -> None:
        with pytest.raises(FolderError, match=rf"process {os.getpid()}\) uses the data folder {mongo.folder.path}"):
            EmbeddedMongo.launch(mongo.folder.path)
        with connect(mongo.uri) as client:
            client.chatroom.notes.insert_one({})

    def test_a_killed_mongod_is_started_again_and_a_killed_guardian_with_it(self, tmp_path: Path) -> None:
        """F15."""
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        with connect(mongo.wait_until_ready(), w="majority") as client:
            client.chatroom.notes.insert_one({"_id": "kept"})
            (pid,) = mongods(tmp_path / "data")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: mongods(tmp_path / "data") not in ([], [pid]))
            wait_until(lambda: _finds_it(client))
            assert "mongod exited with -9 and is started again" in mongo.log_path.read_text()
            for _ in range(2):
                (pid,) = mongods(tmp_path / "data")
                os.kill(parent_of(pid), signal.SIGKILL)
                wait_until(lambda: not Path(f"/proc/{pid}").exists())  # noqa: B023
                wait_until(lambda: mongods(tmp_path / "data"))
                wait_until(lambda: _finds_it(client))
        mongo.stop()
        assert not mongods(tmp_path / "data")

    def test_a_guardian_that_cannot_be_started_again_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """F15."""
        monkeypatch.setattr("chatroom.mongo.embedded.supervisor._RESTART_SECONDS", 0.05)
        mongo = EmbeddedMongo.launch(tmp_path / "data")
        with connect(mongo.wait_until_ready(), w="majority") as client:
            client.chatroom.notes.insert_one({"_id": "kept"})
            (pid,) = mongods(tmp_path / "data")
            refusals = iter([OSError(11, "no more processes"), OSError(12, "no memory")])

            def refuse(*arguments: Any) -> Process:
                for refusal in refusals:
                    raise refusal
                return Process(*arguments)

            monkeypatch.setattr("chatroom.mongo.embedded.supervisor.Process", refuse)
            os.kill(parent_of(pid), signal.SIGKILL)
            wait_until(lambda: _finds_it(client) and mongods(tmp_path / "data") not in ([], [pid]))
        mongo.stop()
        assert "mongod cannot be started again: [Errno 12] no memory" in caplog.text

    def test_a_frozen_guardian_is_killed_and_mongod_with_it(
        self, tmp_path: Path, broken: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.mongo.embedded.process._STOP_SECONDS", 0.2)
        mongo = broken("#!/bin/sh\nwhile :; do sleep 0.1; done")
        wait_until(lambda: mongods(tmp_path / "data"))
        os.kill(parent_of(mongods(tmp_path / "data")[0]), signal.SIGSTOP)
        mongo.stop()
        wait_until(lambda: not mongods(tmp_path / "data"))

    def test_signals_of_the_terminal_do_not_reach_it(self, mongo: EmbeddedMongo) -> None:
        (pid,) = mongods(mongo.folder.path)
        assert os.getsid(pid) == os.getsid(parent_of(pid)) != os.getsid(0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            assert number in _ignored(parent_of(pid))  # then the kernel throws it away
            os.kill(parent_of(pid), number)
        with connect(mongo.uri) as client:
            client.admin.command("ping")
        assert mongods(mongo.folder.path) == [pid]

    def test_a_mongod_that_ignores_the_end_is_killed(self, tmp_path: Path, broken: Any) -> None:
        mongo = broken("#!/bin/sh\ntrap '' TERM\n: > ignores\nwhile :; do sleep 0.1; done\n")
        wait_until((tmp_path / "data" / "ignores").exists)
        mongo.stop()
        wait_until(lambda: not mongods(tmp_path / "data"))


class TestFailure:
    @pytest.mark.parametrize(
        ("script", "said"),
        [
            (
                "#!/bin/sh\necho $0: error while loading shared libraries: libcurl.so.4: cannot open >&2; exit 127",
                "mongod needs libcurl.so.4: install libcurl4, or set MONGO_URI to a server's address.",
            ),
            ("#!/bin/sh\nkill -ILL $$", r"this processor: it needs AVX.*MONGO_URI"),
            ("#!/bin/sh\nexit 1", "exited during its start in .*: it left no message"),
            ("#!/no/such/shell\n", "No such file or directory"),
            ("\x7fELF nonsense", "Exec format error"),
        ],
    )
    def test_to_start_is_explained(self, broken: Any, script: str, said: str) -> None:
        with broken(script) as mongo, pytest.raises(EmbeddedError, match=said):
            mongo.wait_until_ready()

    def test_in_the_middle_of_the_start_is_explained_by_its_log(
        self, broken: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.mongo.embedded.setup._REACH_MILLISECONDS", 500)
        monkeypatch.setattr("chatroom.mongo.embedded._DYING_SECONDS", PATIENCE_SECONDS)
        script = f"""#!{sys.executable}
import socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.bind(sys.argv[sys.argv.index("--bind_ip") + 1])
    server.listen()
    server.accept()[0].close()
    server.accept()[0].close()
print('{{"s":"F","msg":"WiredTiger error","attr":"28: No space left on device"}}')
"""
        with broken(script) as mongo, pytest.raises(EmbeddedError, match=r"The disk with .*/data is full"):
            mongo.wait_until_ready()

    def test_to_get_ready_in_time_is_explained(self, tmp_path: Path, broken: Any) -> None:
        with broken("#!/bin/sh\nexec sleep 3600") as mongo, pytest.raises(EmbeddedError, match=r"in time.*mongod\.log"):
            mongo.wait_until_ready(timeout_seconds=0.1)

    def test_with_lost_passwords_is_explained(self, tmp_path: Path) -> None:
        path = tmp_path / "data"
        mongo = EmbeddedMongo.launch(path)
        mongo.wait_until_ready()
        mongo.kill()
        password = mongo.root_uri.split(":")[2].partition("@")[0]
        (path / "mongo.json").write_text((path / "mongo.json").read_text().replace(password, "wrong"))
        mongo = EmbeddedMongo.launch(path, "another")
        with pytest.raises(EmbeddedError, match="Authentication failed"):
            mongo.wait_until_ready()
        mongo.kill()

    def test_of_an_earlier_mongod_to_end_is_explained(
        self, tmp_path: Path, broken: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chatroom.mongo.embedded.supervisor._EARLIER_SECONDS", 0.2)
        with broken("#!/bin/sh\nexec sleep 3600") as mongo:
            mongo.folder.close()  # as if this app were gone, and its mongod not yet
            with pytest.raises(EmbeddedError, match=r"earlier mongod is still busy in .*/data\. End it\."):
                EmbeddedMongo.launch(tmp_path / "data")
            (tmp_path / "data" / "mongo" / "mongod.lock").write_text("4242\n")
            with pytest.raises(EmbeddedError, match=r"End it \(process 4242\)\."):
                EmbeddedMongo.launch(tmp_path / "data")


def test_stopping_twice_is_harmless_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    mongo = EmbeddedMongo.launch(tmp_path / "data")
    mongo.wait_until_ready()
    mongo.stop()
    mongo.stop()
    wait_until(lambda: threading.active_count() <= before)


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return found


def _ignored(pid: int) -> set[int]:
    """The signals that a process ignores."""
    [mask] = re.findall(r"^SigIgn:\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return {number for number in range(1, 65) if int(mask, 16) & 1 << (number - 1)}


def _finds_it(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return client.chatroom.notes.find_one() == {"_id": "kept"}
    except ConnectionFailure:
        return False
