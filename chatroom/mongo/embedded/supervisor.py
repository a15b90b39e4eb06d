"""Keep a mongod running in a data folder. If a binary cannot read the data files, try another binary.

Only one mongod at a time runs in a folder: a guardian and its mongod hold a lock until both have ended.
"""

import fcntl
import logging
import os
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import EmbeddedError, command, make_runnable
from chatroom.mongo.embedded.place import clear_place, clear_stale, place_socket
from chatroom.mongo.embedded.process import LOG, Process
from chatroom.mongo.embedded.record import FILES, Record, write_record
from chatroom.mongo.embedded.versions import candidates

_KEY, _LOCK = "mongod.key", "mongod.lock"
_EARLIER_SECONDS = 10.0
_RESTART_SECONDS = 1.0
_POLL_SECONDS = 0.005

log = logging.getLogger(__name__)


def start_mongod(folder: DataFolder, record: Record, binaries: list[Path]) -> "Supervisor":
    """Wait until an earlier mongod has ended, and start a mongod. This returns before mongod is ready."""
    with _held_lock(folder.path) as lock:
        is_new, files = not record.databases, folder.path / FILES
        runnable = [make_runnable(binary, folder.path) for binary in binaries]
        usable = candidates(runnable, record.compatibility, is_new=is_new)
        if is_new and files.exists():
            shutil.rmtree(files)
        files.mkdir(mode=0o700, exist_ok=True)
        folder.keep(_KEY, lambda: secrets.token_hex(256))
        clear_stale(Path(record.socket), folder.path)
        record.socket = str(place_socket(folder.path))
        write_record(folder, record)
        supervisor = Supervisor(folder.path, Path(record.socket), usable)
        supervisor.start(lock)
    return supervisor


class Supervisor:
    """One mongod, its guardian, and the thread that restarts both."""

    def __init__(self, folder: Path, place: Path, binaries: list[Path]) -> None:
        self._folder = folder
        self._place = place
        self._binaries = binaries
        self.binary = ""
        """The mongod that was started: its path, size and time of change."""
        self._command: list[str] = []
        self._process: Process | None = None
        self._turn = threading.Lock()
        self._is_ending = threading.Event()

    def start(self, lock: int) -> None:
        """Start the next binary of the list."""
        binary = self._binaries.pop(0)
        self.binary = f"{binary} {binary.stat().st_size} {binary.stat().st_mtime_ns}"
        self._command = command(binary, files=self._folder / FILES, key=self._folder / _KEY, socket=self._place)
        self._process = Process(self._command, self._folder, lock)

    def wait_for_socket(self, deadline: float) -> None:
        """Wait until mongod listens; raise `EmbeddedError` if mongod ends first, or if the deadline passes."""
        while True:
            if self._binaries and self._process is not None and self._process.cannot_read():
                self._try_another(self._process)
            self.check_alive(deadline)
            with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._place))
                return
            time.sleep(_POLL_SECONDS)

    def check_alive(self, deadline: float, grace_seconds: float = 0) -> None:
        """Raise `EmbeddedError` if mongod has ended or ends within `grace_seconds`, or if `deadline` has passed."""
        if self._process is None or self._process.has_ended(grace_seconds):
            raise EmbeddedError(self._process.explain() if self._process else "mongod was stopped.")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"mongod did not become ready in time; see {self._folder / LOG}.")

    def keep(self) -> None:
        """From now on, restart mongod and its guardian if they end."""
        if self._process is not None:
            self._process.is_ready()
            threading.Thread(target=self._keep, args=[self._process], name="mongod", daemon=True).start()

    def stop(self) -> None:
        """Stop mongod (cleanly if that takes under two seconds)."""
        self._is_ending.set()
        with self._turn:
            if self._process is not None:
                self._process.stop()
        self.kill()

    def kill(self) -> None:
        """Kill mongod, as a crash of this process would."""
        self._is_ending.set()
        with self._turn:
            if self._process is not None:
                self._process.end()
                self._process = None
                clear_place(self._place, self._folder)

    def _try_another(self, ended: Process) -> None:
        with self._turn:
            if self._is_ending.is_set():
                return
            log.warning("%s %s is tried.", ended.explain(), self._binaries[0])
            ended.end()
            self._process = None
            with _held_lock(self._folder) as lock:
                self.start(lock)

    def _keep(self, process: Process) -> None:
        """Log what the guardian reports. Restart both each time it is killed, until `stop` or `kill` is called."""
        while True:
            for report in process.reports():
                log.error("%s", report)
            with self._turn:
                if self._is_ending.is_set():
                    return
                log.warning("the guardian of mongod was killed: starting both again")
                process = self._start_again(process)
            self._is_ending.wait(_RESTART_SECONDS)

    def _start_again(self, ended: Process) -> Process:
        try:
            with _held_lock(self._folder) as lock:
                started = Process(self._command, self._folder, lock)
        except (OSError, EmbeddedError) as error:
            log.error("mongod cannot be started again: %s", error)
            return ended
        ended.end()
        started.is_ready()
        self._process = started
        return started


@contextmanager
def _held_lock(folder: Path) -> Iterator[int]:
    """Wait until an earlier mongod has ended, and hold the lock that the next guardian and its mongod inherit."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, folder)
        yield lock
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    deadline = time.monotonic() + _EARLIER_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EmbeddedError(f"An earlier mongod is still busy in {folder}. End it{_named(folder)}.") from None
        time.sleep(_POLL_SECONDS)


def _named(folder: Path) -> str:
    """The process that mongod has written into its own lock file."""
    with suppress(OSError, ValueError):
        return f" (process {int((folder / FILES / 'mongod.lock').read_text())})"
    return ""
