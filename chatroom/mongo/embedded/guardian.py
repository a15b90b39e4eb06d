"""Run one mongod for one app, and end it when the app ends.

The guardian is a process in a separate session. Its stdin is a pipe, from which it reads the orders of the app. If the
pipe is closed, the app has ended. This module imports little, because the guardian starts first and stays in memory.
"""

import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

READY = b"r"
STOP = b"s"

_GRACE_SECONDS = 1.5
_RESTART_SECONDS = 1.0
_QUIET_SECONDS = 60.0
_LOG_BYTES = 4_000_000
_FULL = b"No space left on device"
_PR_SET_PDEATHSIG = 1
_CANNOT_EXECUTE = 126


class Log:
    """A log file of at most 4 MB; the previous file has the same name, with `.1` at the end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open()

    def write(self, chunk: bytes) -> None:
        """Append to the file; begin a new file when this file is full. On a full disk, lines are lost."""
        # mongod stops when nobody reads its output. So an error must not end the reading.
        try:
            if self._size + len(chunk) > _LOG_BYTES:
                self._rotate()
            self._size += os.write(self._file, chunk)
        except OSError:
            pass

    def note(self, text: str) -> None:
        """Append a message of the guardian as a line."""
        self.write(f"guardian: {text}\n".encode())

    def _rotate(self) -> None:
        os.replace(self._path, self._path + ".1")
        os.close(self._file)
        self._open()

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size


class Child:
    """The running mongod process."""

    def __init__(self, command: list[str]) -> None:
        self.output, writer = os.pipe()
        guardian = os.getpid()
        prctl = getattr(ctypes.CDLL(None), "prctl", None)
        self._pid = os.fork()
        if self._pid == 0:
            _become(command, writer, guardian, prctl)
        os.close(writer)
        self._watcher = None if prctl else Watcher(self._pid)

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to mongod."""
        os.kill(self._pid, number)

    def reap(self) -> int:
        """Wait until mongod has ended, and return its exit code."""
        os.close(self.output)
        if self._watcher:
            self._watcher.end()  # before the wait, after which another process may get mongod's number
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


class Watcher:
    """A process that kills mongod when the guardian has ended: for systems without `prctl`, such as macOS."""

    def __init__(self, mongod: int) -> None:
        end_of_guardian, self._guardian = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._guardian)
                os.read(end_of_guardian, 1)
                os.kill(mongod, signal.SIGKILL)
            finally:
                os._exit(0)
        os.close(end_of_guardian)

    def end(self) -> None:
        """End the process, and leave mongod alone."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._guardian)


def _become(command: list[str], output: int, guardian: int, prctl: Callable[[int, int], int] | None) -> None:
    try:
        if prctl:  # The kernel kills mongod when the thread that forked mongod ends. The guardian has only this thread.
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guardian:
            os._exit(0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.execv(command[0], command)
    except OSError as error:
        os.write(output, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_CANNOT_EXECUTE)


class Guardian:
    """Starts and stops mongod with the app. Restarts mongod if it ends after the app has reported it as ready.

    It reports each restart to the app as a line on its standard output, but not the same line again within a minute.
    """

    def __init__(self, log: Log, command: list[str]) -> None:
        self._log = log
        self._command = command
        self._is_ready = False
        self._is_stopping = False
        self._is_full = False
        self._report, self._quiet_until = "", 0.0

    def run(self) -> int:
        """Run mongod until the app ends or orders a stop; return the exit code. Restart mongod only if it was ready."""
        while True:
            code = self._watch(Child(self._command))
            if self._is_stopping or not self._is_ready:
                return code
            self._tell(f"mongod exited with {code} and is started again")
            if self._wait_for_orders(_RESTART_SECONDS):
                return code

    def _tell(self, report: str) -> None:
        self._log.note(report)
        if self._is_full:  # the log may have lost this
            report += f": {_FULL.decode()}"
        if report != self._report or time.monotonic() > self._quiet_until:
            self._report, self._quiet_until = report, time.monotonic() + _QUIET_SECONDS
            with suppress(BrokenPipeError):
                os.write(1, f"{report}\n".encode())

    def _watch(self, child: Child) -> int:
        """Copy mongod's output to the log until mongod ends, and return its exit code."""
        self._is_full = False
        while True:
            readable = select.select([child.output] if self._is_stopping else [0, child.output], [], [])[0]
            if 0 in readable:
                self._obey(child)
            if child.output in readable and not self._copy(child):
                return child.reap()

    def _obey(self, child: Child) -> None:
        order = os.read(0, 64)
        self._is_ready = self._is_ready or READY in order
        if STOP in order:
            self._is_stopping = True
            self._stop(child)
        elif not order:
            # The app crashed. Acknowledged writes are in the journal, so mongod can be killed. A clean stop would delay
            # the next start by a second.
            self._is_stopping = True
            child.kill(signal.SIGKILL)

    def _stop(self, child: Child) -> None:
        child.kill(signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([child.output], [], [], left)[0] or not self._copy(child):
                break
        child.kill(signal.SIGKILL)

    def _copy(self, child: Child) -> bool:
        chunk = os.read(child.output, 65536)
        self._log.write(chunk)
        self._is_full = self._is_full or _FULL in chunk
        return bool(chunk)

    def _wait_for_orders(self, seconds: float) -> bool:
        """Return whether the app ends or orders a stop within this time."""
        if not select.select([0], [], [], seconds)[0]:
            return False
        return READY not in os.read(0, 64)


def main(log_path: str, *command: str) -> int:
    """Run `command`, a mongod that logs to its standard output; return its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    return Guardian(Log(log_path), list(command)).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
