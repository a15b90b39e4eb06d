"""Draw pictures of files in child processes, because their decoders are large programs in C that read strangers' files.

A child gets no secrets, no open files except the file and its answer, and a limit of memory and time
(`chatroom/files/renderer.py`). A file that cannot be drawn gets no picture, which is no error.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import BinaryIO

import msgspec

from chatroom.base.threads import check_lane, give_back, worker_count
from chatroom.files.renderer import Drawing

log = logging.getLogger(__name__)

AT_ONCE = min(2, worker_count())
WAIT_SECONDS = 10.0
DRAW_SECONDS = 20.0
ANSWER_BYTES = 5_000_000

_ROOT = Path(__file__).resolve().parents[2]


class DrawingProcesses:
    """Starts a process for each file, and at most `AT_ONCE` at the same time."""

    def __init__(self, program: str = "chatroom.files.renderer", *, seconds: float = DRAW_SECONDS) -> None:
        self._program = program
        self._seconds = seconds
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def draw(self, type: str, file: BinaryIO) -> Drawing | None:
        """Draw the picture of a file, or return None: the file is damaged, or the other processes take too long."""
        check_lane("pictures")
        give_back.get()()
        if not self._places.acquire(timeout=WAIT_SECONDS):
            log.warning("a file gets no picture: too many files are being drawn")
            return None
        try:
            with _on_disk(file) as source:
                return _decode(self._run(type, source))
        except OSError:  # the system has no memory, no space or no processes left
            log.exception("a file gets no picture: its process cannot be started")
            return None
        finally:
            self._places.release()

    def close(self) -> None:
        """Kill the processes that are running, and start no more."""
        self._is_closed = True
        for process in list(self._running):
            process.kill()

    def _run(self, type: str, source: BinaryIO) -> bytes:
        # The environment has secrets, so the child gets an empty one. Ctrl-C in a terminal goes to the server only.
        command = [sys.executable, "-m", self._program, type]
        process = subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={},
            start_new_session=True,
        )
        self._running.add(process)
        killer = threading.Timer(0 if self._is_closed else self._seconds, process.kill)
        killer.start()
        with process:
            try:
                return process.stdout.read(ANSWER_BYTES) if process.stdout else b""
            finally:
                killer.cancel()
                process.kill()
                self._running.discard(process)


@contextmanager
def _on_disk(file: BinaryIO) -> Iterator[BinaryIO]:
    """Give a file that another process can read from its start."""
    with TemporaryFile() as copy:
        file.seek(0)
        copyfileobj(file, copy)
        copy.seek(0)
        yield copy


def _decode(answer: bytes) -> Drawing | None:
    try:
        return msgspec.msgpack.decode(answer, type=Drawing)
    except msgspec.DecodeError:
        return None
