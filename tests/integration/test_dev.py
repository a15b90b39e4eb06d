"""`make dev`, for real, on a copy of the code: people who can log in, a restart after a change, and nothing left."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.ports import Port
from tests.visitors import hidden_fields
from tests.waiting import PATIENCE_SECONDS, wait_until
from tools.dev_people import GARDEN, LOBBY, PASSWORD, PEOPLE

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


class Development:
    """`python -m tools.dev` in a copy of the repository, as a developer's terminal runs it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.scratch, self._said = folder / "copy", folder / "scratch", folder / "said"
        for name in ("chatroom", "templates", "static", "tools"):
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "lint")
            shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
        shutil.copy(ROOT / "test_mongo.py", self.root)
        self.scratch.mkdir()
        self._port = Port()
        self.url = f"http://127.0.0.1:{self._port.number}"
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(("MONGO", "SECRET"))}
        own = {"PORT": str(self._port.number), "TMPDIR": str(self.scratch)}
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.dev"],
                cwd=self.root,
                env=inherited | own,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_for_start(self, number: int) -> None:
        """Wait until the server has said where it is for the `number`th time."""
        wait_until(lambda: self.said.count(f"is at {self.url}\n") == number or self.process.poll() is not None)
        assert self.process.poll() is None, self.said

    def interrupt(self) -> int:
        """Press Ctrl-C, which reaches every process of the terminal."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)

    def processes(self) -> list[int]:
        """Those that it started, and itself."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            except OSError:
                continue
            if str(self.scratch).encode() in known:
                found.append(int(process.name))
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        self._port.release()


@pytest.fixture
def development() -> Iterator[Development]:
    # A short path: the socket of the database is in it.
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        running = Development(Path(folder))
        yield running
        running.close()
        wait_until(lambda: not running.processes())


def test_three_people_a_conversation_a_restart_and_nothing_left(development: Development) -> None:
    development.wait_for_start(1)
    assert all(name in development.said for name in PEOPLE)
    assert PASSWORD in development.said
    with httpx.Client(base_url=development.url, timeout=PATIENCE_SECONDS, trust_env=False) as bob:
        token = hidden_fields(bob.get("/login"))["csrf_token"]  # type: ignore[arg-type]
        bob.post("/login", data={"username": "bob", "password": PASSWORD, "csrf_token": token})
        assert LOBBY[0][1] in bob.get("/chatroom/lobby").text
        assert GARDEN[0][1] in bob.get("/chatroom/garden").text
        cookie = "; ".join(f"{name}={value}" for name, value in bob.cookies.items())
        address = development.url.replace("http", "ws") + "/live?room=lobby&after=0"
        with connect(address, additional_headers={"Cookie": cookie, "Origin": development.url}) as live:
            assert LOBBY[0][1] in str(live.recv(PATIENCE_SECONDS))

            (development.root / "templates" / "new.html").write_text("changed")
            development.wait_for_start(2)
        assert "templates/new.html changed" in development.said
        assert LOBBY[0][1] in bob.get("/chatroom/lobby").text, "the restart keeps the session and the database"

    assert development.interrupt() == 0
    wait_until(lambda: not development.processes())
    assert list(development.scratch.iterdir()) == []
