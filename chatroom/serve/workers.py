"""Serve from several processes on one port.

If a worker dies, or its event loop stops, this process replaces the worker. The listening socket stays open in this
process, so that the next worker serves the waiting clients. No worker outlives this process.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatroom.base.config import load_settings
from chatroom.base.errors import ChatroomError
from chatroom.base.logs import configure_logging
from chatroom.serve import server
from chatroom.serve.leaving import leave_on_signals
from chatroom.site.metrics import end_process

BAD_SETUP = 2

_ROOT = Path(__file__).resolve().parents[2]
_POLL_SECONDS = 0.2
_RESTART_SECONDS = 1.0
_STANDSTILL_LOOKS = 75  # 15 s
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger(__name__)


def follow(parent: int, number: signal.Signals) -> None:
    """Send this process the signal when the parent ends; exit at once if the parent has ended already."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, number)
    else:  # macOS
        threading.Thread(target=_watch, args=[parent, number], name="parent", daemon=True).start()
    if os.getppid() != parent:
        raise SystemExit(0)


def _watch(parent: int, number: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), number)


class Pulse:
    """The heartbeat of a worker's event loop.

    It is lost after a number of checks without a beat, not after a time. So a suspended machine loses no worker.
    """

    def __init__(self) -> None:
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._looks_without: int | None = None
        self.start = ""
        """The result of the worker's start, once the worker has sent it."""

    def is_lost(self) -> bool:
        """Check once; return whether the event loop has started, and has sent no heartbeat for too many checks."""
        with suppress(BlockingIOError):
            if said := os.read(self._reader, 4096):
                self._looks_without = 0
                self.start = self.start or said.partition(b".")[0].decode()
        if self._looks_without is None:
            return False
        self._looks_without += 1
        return self._looks_without > _STANDSTILL_LOOKS

    def close(self) -> None:
        os.close(self._reader)


class Worker:
    """A process that serves one of the listening sockets."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.pulse = Pulse()
        passed = [listener.fileno(), self.pulse.writer]
        # A new interpreter, not a fork: neither pymongo nor the event loop survives a fork.
        command = [sys.executable, "-m", "chatroom.serve.workers", *map(str, passed), str(os.getpid())]
        self.process = subprocess.Popen(command, pass_fds=passed, cwd=_ROOT)
        os.close(self.pulse.writer)

    def end(self, seconds: float) -> None:
        """Wait until the process ends; kill it if it has not ended after `seconds`."""
        try:
            self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.pulse.close()


def supervise(
    listeners: list[socket.socket],
    on_ready: Callable[[str], None] = lambda _: None,
    heartbeat: Callable[[], None] = lambda: None,
) -> int:
    """Run one worker per socket until a signal raises `SystemExit`.

    The first worker starts alone, so that an error is printed once. If it cannot start, return its exit code. If it
    starts, `on_ready` gets the result of its start. Later, every worker that ends is replaced.
    """
    workers: list[Worker] = []
    is_running = False
    try:
        workers.append(Worker(listeners[0]))
        while True:
            time.sleep(_POLL_SECONDS)
            heartbeat()
            if not is_running and workers[0].pulse.start:
                is_running = True
                on_ready(workers[0].pulse.start)
                workers.extend(Worker(listener) for listener in listeners[1:])
            for place, worker in enumerate(workers):
                code = worker.process.poll()
                if code in {BAD_SETUP, server.FAILED} and not is_running:
                    return code
                if code is not None or worker.pulse.is_lost():
                    workers[place] = _replace(worker)
    finally:
        _stop(workers)


def _replace(worker: Worker) -> Worker:
    worker.end(0)
    end_process(worker.process.pid)
    _log.warning("process %d exited with %d and is replaced", worker.process.pid, worker.process.returncode)
    time.sleep(_RESTART_SECONDS)
    return Worker(worker.listener)


def _stop(workers: list[Worker]) -> None:
    deadline = time.monotonic() + server.STOP_SECONDS
    for worker in workers:
        worker.process.terminate()
    for worker in workers:
        worker.end(deadline - time.monotonic())


def _work(listener: int, pulse: int, parent: int) -> int:
    """Serve as a worker; the parent has already checked the settings in the environment."""
    follow(parent, signal.SIGKILL)
    leave_on_signals()
    os.set_blocking(pulse, False)

    def say(start: str) -> None:
        os.write(pulse, f"{start}.".encode())

    async def beat() -> None:
        with suppress(BlockingIOError):
            os.write(pulse, b".")

    try:
        settings = load_settings(os.environ)
        configure_logging(settings.log_level, settings.log_format)
        return server.run(settings, socket.socket(fileno=listener), heartbeat=beat, on_ready=say)
    except ChatroomError as error:
        sys.stderr.write(f"chatroom: {error}\n")
        return BAD_SETUP


if __name__ == "__main__":
    sys.exit(_work(*map(int, sys.argv[1:])))
