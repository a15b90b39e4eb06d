"""A site as its operator sees it: the server of `test_mongo.py`, its log, and commands that are typed in its folder."""

import os
import re
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.database import Database
from websockets.sync.client import connect

from chatroom.mongo.embedded import EmbeddedMongo
from tests.integration.live.servers import Client
from tests.ports import Port
from tests.recipes.browsers import Browser, Routed
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = "/api/rooms/lobby/messages"
Documents = Database[dict[str, Any]]
_QUICK = {"BCRYPT_ROUNDS": "4"}


class Program(httpx.Client):
    """A program that acts as a user."""

    def say(self, text: str) -> httpx.Response:
        """Post to the lobby."""
        return self.post(MESSAGES, json={"text": text, "client_id": str(uuid.uuid4())})

    def texts(self) -> list[str]:
        """The texts of all messages that are not deleted."""
        found, page = [], {"more": True, "revision": 0}
        while page["more"]:
            page = self.get(f"{MESSAGES}?after={page['revision']}&limit=100").json()
            found += [message["text"] for message in page["messages"] if "text" in message]
        return found

    def download(self) -> bytes:
        """The file of the first message."""
        [message] = self.get(f"{MESSAGES}?after=0&limit=1").json()["messages"]
        [file] = message["files"]
        return self.get(f"/files/{file['id']}/{file['name']}").content


class Site:
    """A site with its data in `folder/data`, unless `MONGO_URI` is set. Its code is in `root`."""

    def __init__(self, folder: Path, *, root: Path = ROOT, **settings: str) -> None:
        self.root = root
        self.data = folder / "data"
        self.log_path = folder / "log"
        self.backups = folder / "backups"
        self.backups.mkdir(parents=True)
        self._port = Port()
        self.address = f"http://127.0.0.1:{self._port.number}"
        self.settings = {"DATA_DIR": str(self.data), "PORT": str(self._port.number), **_QUICK, **settings}
        self._clients = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the server has printed since its last start."""
        return self.log_path.read_text()

    def start(self, **settings: str) -> None:
        """Start the server, and wait until it is ready. These settings are set from now on."""
        self.settings |= settings
        self._begin()
        wait_until(self._is_ready, "the server is not ready")

    def fail_to_start(self) -> int:
        """Start the server, and return its exit code."""
        return self._begin().wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop the server, as systemd does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """Stop the server for the last time."""
        self._clients.close()
        self.stop()
        self._port.release()

    def type(self, script: str, typed: str = "", **settings: str) -> str:
        """Run commands of the docs, and return what they print. Their prompts get `typed`, or a password twice."""
        code, said = self.try_to_type(script, typed, **settings)
        assert code == 0, f"{script}\n{said}"
        return said

    def try_to_type(self, script: str, typed: str = "", **settings: str) -> tuple[int, str]:
        """The same; return the exit code too."""
        done = subprocess.run(
            ["sh", "-ec", script.replace("/var/backups/chatroom", str(self.backups))],
            cwd=self.root,
            env=self._environ | settings,
            input=typed or f"{PASSWORD}\n{PASSWORD}\n",
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            start_new_session=True,  # without a terminal, a prompt for a password reads the standard input
        )
        return done.returncode, done.stdout

    def create(self, name: str) -> None:
        """Create an account; the first is the administrator."""
        self.type(f".venv/bin/flask --app test_mongo create-user {name}")

    def connect(self, program: Program) -> Client:
        """Follow the lobby by a websocket."""
        address = self.address.replace("http", "ws") + "/live?room=lobby"
        bearer = {"Authorization": program.headers["Authorization"]}
        return Client(self._clients.enter_context(connect(address, additional_headers=bearer)))

    @contextmanager
    def database(self) -> Iterator[Documents]:
        """The embedded database, while the server does not run."""
        with (
            EmbeddedMongo.launch(self.data) as mongo,
            MongoClient[dict[str, Any]](mongo.wait_until_ready()) as client,
        ):
            yield client.get_default_database()

    def ask(self, path: str) -> int:
        """The status of a page."""
        return httpx.get(self.address + path, timeout=PATIENCE_SECONDS).status_code

    def browser(self, name: str = "", address: str = "", **headers: str) -> Browser:
        """A person, who logs in if there is a name. A given address leads to this site too."""
        made = Browser(
            base_url=address or self.address,
            timeout=PATIENCE_SECONDS,
            headers=headers,
            transport=Routed({"https": self.address, "http": self.address}),
        )
        self._clients.enter_context(made)
        if name:
            assert made.submit("/login", username=name, password=PASSWORD).status_code == 303
        return made

    def program(self, user: str) -> Program:
        """A program that acts as the user."""
        token = self.type(f".venv/bin/flask --app test_mongo create-token {user} --label test").split()[-1]
        bearer = {"Authorization": f"Bearer {token}"}
        return self._clients.enter_context(Program(base_url=self.address, timeout=PATIENCE_SECONDS, headers=bearer))

    @property
    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {name: value for name, value in self.settings.items() if value}

    def _begin(self) -> "subprocess.Popen[bytes]":
        with self.log_path.open("wb") as log:
            command = [".venv/bin/python", "test_mongo.py"]
            self._process = subprocess.Popen(command, cwd=self.root, env=self._environ, stdout=log, stderr=log)
        return self._process

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            return bool(re.search(r" is at http", self.log)) and self.ask("/readyz") == 200
        except httpx.HTTPError:
            return False


def read_documents(database: Documents) -> dict[str, list[dict[str, Any]]]:
    """All documents of a database, by collection."""
    return {name: list(database[name].find(sort=[("_id", 1)])) for name in database.list_collection_names()}


def clone(folder: Path) -> Path:
    """Clone the repository, with the branch `main` and the installed packages, which `make` finds up to date."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    run_git(folder, "checkout", "--quiet", "-B", "main")
    (folder / ".venv").mkdir()
    for each in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / each).symlink_to(ROOT / ".venv" / each)
    stamp = folder / ".venv/run.stamp"
    stamp.touch()
    os.utime(stamp, (2**32, 2**32))
    return folder


def run_git(folder: Path, *words: str) -> str:
    """Run git in a repository, and return what it prints."""
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
