"""A site as its operator sees it: the server of `test_mongo.py`, its log, and commands that are typed in its folder."""

import os
import re
import signal
import subprocess
import uuid
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.ports import Port
from tests.recipes.browsers import Browser
from tests.visitors import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = "/api/rooms/lobby/messages"
_QUICK = {"BCRYPT_ROUNDS": "4"}


class Program(httpx.Client):
    """A program that acts as a user."""

    def say(self, text: str) -> httpx.Response:
        """Post to the lobby."""
        return self.post(MESSAGES, json={"text": text, "client_id": str(uuid.uuid4())})

    def texts(self) -> list[str]:
        """The texts of all messages."""
        found, page = [], {"more": True, "revision": 0}
        while page["more"]:
            page = self.get(f"{MESSAGES}?after={page['revision']}&limit=100").json()
            found += [message["text"] for message in page["messages"]]
        return found


class Site:
    """A site with its data in `folder/data`, unless `MONGO_URI` is set. Its code is in `root`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.root = ROOT
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

    def type(self, script: str, **settings: str) -> str:
        """Run commands of the docs, and return what they print."""
        code, said = self.try_to_type(script, **settings)
        assert code == 0, f"{script}\n{said}"
        return said

    def try_to_type(self, script: str, **settings: str) -> tuple[int, str]:
        """The same; return the exit code too."""
        done = subprocess.run(
            ["sh", "-ec", script.replace("/var/backups/chatroom", str(self.backups))],
            cwd=self.root,
            env=self._environ | settings,
            input=f"{PASSWORD}\n{PASSWORD}\n",
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

    def ask(self, path: str) -> int:
        """The status of a page."""
        return httpx.get(self.address + path, timeout=PATIENCE_SECONDS).status_code

    def browser(self, name: str = "") -> Browser:
        """A person, who logs in if there is a name."""
        made = self._clients.enter_context(Browser(base_url=self.address, timeout=PATIENCE_SECONDS))
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
