"""A child process that can be killed, frozen and thawed, and that ends with the harness."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Resources(msgspec.Struct, frozen=True):
    """What a process holds."""

    megabytes: float
    threads: int
    files: int


class Process:
    """A child, started and started again with the same command. Start it from the main thread only.

    (The kernel ends a child of that kind with the *thread* that started it.)
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = list(command)
        self.environ = environ
        self.is_frozen = False
        self._log_path = log
        self._log: IO[bytes] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number, while it runs."""
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self._child.poll() if self._child else None

    def start(self) -> None:
        """Start it."""
        assert not self.is_running
        self._log = self._log or self._log_path.open("ab")
        self._child = subprocess.Popen(
            self.command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  no locks are taken in it
        )
        self.is_frozen = False

    def kill(self) -> None:
        """SIGKILL, and wait."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self.is_frozen = False

    def terminate(self) -> None:
        """SIGTERM; see `is_running` for when it took effect."""
        if self._child is not None:
            self._child.terminate()

    def freeze(self) -> None:
        """SIGSTOP."""
        if self._child is not None and self.is_running:
            self._child.send_signal(signal.SIGSTOP)
            self.is_frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        if self._child is not None and self.is_frozen:
            self._child.send_signal(signal.SIGCONT)
        self.is_frozen = False

    def resources(self) -> Resources | None:
        """What it holds now; None when it has just ended."""
        try:
            place = Path(f"/proc/{self.pid}")
            lines = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            files = len(list((place / "fd").iterdir()))
            return Resources(int(lines["VmRSS"].split()[0]) / 1024, int(lines["Threads"]), files)
        except (OSError, KeyError):
            return None

    def close(self) -> None:
        """Kill it if it still runs, and close its log."""
        self.kill()
        if self._log is not None:
            self._log.close()
            self._log = None


def _end_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
