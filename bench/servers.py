"""Run servers as children on chosen cores, and read their CPU time and memory.

The bench stops all servers that it started, however it ends.
"""

import atexit
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

_running: list["Server"] = []


class ServerFailed(RuntimeError):
    """A server did not start."""


class Server:
    """A process and its children, listening on one port of the loopback."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        cores: Iterable[int],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        wait: float = 30,
    ) -> None:
        self.port, self.log = port, log
        log.parent.mkdir(parents=True, exist_ok=True)
        chosen = set(cores)
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
                preexec_fn=lambda: _prepare(chosen),  # noqa: PLW1509  the bench starts nothing from threads
            )
        _running.append(self)
        self._wait_until_listening(wait)

    @property
    def pid(self) -> int:
        """Return the id of the started process, not of its children."""
        return self._child.pid

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process and its children have used."""
        return sum(t.user + t.system for t in self._each(psutil.Process.cpu_times))

    def memory(self) -> int:
        """Return the resident bytes of the process and its children."""
        return sum(m.rss for m in self._each(psutil.Process.memory_info))

    def stop(self) -> None:
        """Stop the server; kill it after five seconds."""
        if self in _running:
            _running.remove(self)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(5)
                break
        with contextlib.suppress(ProcessLookupError):  # children that outlived their parent
            os.killpg(self._child.pid, signal.SIGKILL)

    def _each(self, ask):  # type: ignore[no-untyped-def]
        answers = []
        root = psutil.Process(self._child.pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                answers.append(ask(process))
        return answers

    def _wait_until_listening(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.02)
        self.stop()
        raise ServerFailed(f"{self.log.name} did not listen on {self.port}:\n{self.log.read_text()[-2000:]}")


def _prepare(cores: set[int]) -> None:
    """In the child: stay on the cores, and end with the bench, even if the bench is killed."""
    os.sched_setaffinity(0, cores)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def stop_all() -> None:
    """Stop all servers that still run."""
    for server in _running:
        server.stop()


atexit.register(stop_all)
