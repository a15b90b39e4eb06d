"""The site under attack: a server that was started for it, or one at an address.

Of a server of ours, what the machine's owner sees is read as well: memory, log, and the processes that belong to it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
EASIER = {
    "PORT": "0",
    "BCRYPT_ROUNDS": "4",  # quicker, and no weaker in anything that is tried
    "REGISTER_LIMIT_ADDRESS": "10000 per hour",  # a run has more people than an address in an hour
    "MONGO_URI": "",
    "SECRET_KEY": "",
}
"""All else is as a site has it that set nothing."""
KEPT = ("PATH", "HOME", "LANG", "LC_", "TMPDIR", "PYTHON", "COVERAGE", "VIRTUAL_ENV")
STOP_SECONDS = 15.0


class Site:
    """Where the attacks go. `start` one, or name one that runs."""

    def __init__(self, url: str = "", process: subprocess.Popen[bytes] | None = None, folder: Path = Path()) -> None:
        self._url = url
        self._process = process
        self.folder = folder
        self._people = 0
        self._below: list[int] = []
        self.leaving: list[Callable[[], None]] = []
        """What whoever visits it does when it is over."""

    @classmethod
    def start(cls, folder: Path, settings: Mapping[str, str], *, mutation: str = "") -> Self:
        """Start a server with its data in a folder; it need not have come up yet."""
        folder.mkdir(parents=True)
        command = [sys.executable, "test_mongo.py"]
        if mutation:
            command = [sys.executable, "-m", "tests.attack.launcher", mutation]
        inherited = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
        environ = inherited | EASIER | {"DATA_DIR": str(folder / "data")} | dict(settings)
        with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )
        return cls(process=process, folder=folder)

    @property
    def is_ours(self) -> bool:
        """Whether it was started for the attacks."""
        return self._process is not None

    @property
    def url(self) -> str:
        """Its address; of a server of ours, once it has said it."""
        if not self._url:
            found = wait_until(lambda: self._announced() or self.exit_code is not None, "the server says no address")
            assert isinstance(found, str), f"the server has ended: {self.log}"
            self._url = found
        return self._url

    @property
    def host(self) -> str:
        """Its host."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Its port."""
        parts = urlsplit(self.url)
        return parts.port or {"http": 80, "https": 443}[parts.scheme]

    @property
    def websocket(self) -> str:
        """Its address for websockets."""
        return self.url.replace("http", "ws", 1)

    @property
    def exit_code(self) -> int | None:
        """How it ended, if it has."""
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def first_code(self) -> str:
        """What the first account needs where strangers can come; empty where it needs nothing."""
        found = re.search(r"needs the code (\S+)", (self.folder / "out").read_text())
        return found[1] if found else ""

    @property
    def log(self) -> str:
        """What it wrote to standard error."""
        return (self.folder / "log").read_text(errors="replace")

    def log_after(self, start: int) -> str:
        """What it wrote after so many letters."""
        return self.log[start:]

    def next_number(self) -> int:
        """A number that no other person here has in their name."""
        self._people += 1
        return self._people + (0 if self.is_ours else int(time.time()) % 1_000_000 * 1000)

    def _announced(self) -> str:
        found = re.search(r" is at (http://\S+?),?\s", (self.folder / "out").read_text(errors="replace"))
        return found[1] if found else ""

    def wait_until_ready(self) -> Self:
        """Wait until pages are answered, with the database."""

        def is_ready() -> bool:
            with suppress(httpx.HTTPError):
                return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
            return False

        wait_until(is_ready, "the server does not get ready")
        return self

    def begin_peak(self) -> None:
        """Measure the most memory from now on."""
        with suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        self._before = self._status("VmRSS")

    def peak(self) -> float:
        """By how many MB memory rose at most since `begin_peak`."""
        return self._status("VmHWM") - self._before

    def _status(self, name: str) -> float:
        found = re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def descendants(self) -> dict[int, list[str]]:
        """The processes below it, by their number, with their command lines."""
        parents = dict(_parents())
        found: dict[int, list[str]] = {}
        for pid in parents:
            above = pid
            while above in parents:
                above = parents[above]
                if above == self.pid:
                    with suppress(OSError):
                        found[pid] = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")[:-1]
                    break
        return found

    def wait_for_end(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """Its exit code; None where it goes on for so long."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def begin_stop(self) -> None:
        """Let everybody go, and have what was started come to its end."""
        while self.leaving:
            self.leaving.pop()()
        if self._process is not None and not self._below:
            self._below = list(self.descendants())
            self._process.terminate()

    def stop(self) -> None:
        """End what was started, with everything below it."""
        self.begin_stop()
        if self._process is None:
            return
        if self.wait_for_end(STOP_SECONDS) is None:
            self._process.kill()
            self._process.wait()
        for pid in self._below:  # which end with it, but for what an attack did to them
            with suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_text(errors="replace").find(str(self.folder)) >= 0:
                    os.kill(pid, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                yield int(place.name), int((place / "stat").read_text().rpartition(")")[2].split()[1])
