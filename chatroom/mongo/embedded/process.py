"""The guardian process and its mongod; a closed pipe tells the guardian that the app has ended."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from chatroom.mongo.embedded.guardian import READY, STOP
from chatroom.mongo.embedded.mongod import explain, is_of_another_version

LOG = "mongod.log"
"""The log of mongod and its guardian, in the data folder."""
_STOP_SECONDS = 4.0


class Process:
    """A guardian in `folder`, and the mongod that it runs. Both hold `lock` until they end."""

    def __init__(self, mongod: Sequence[str], folder: Path, lock: int) -> None:
        self._folder = folder
        self._log = folder / LOG
        guardian = [sys.executable, "-I", "-S", str(Path(__file__).with_name("guardian.py")), str(self._log)]
        # The guardian has a separate session, because Ctrl-C in the terminal must not stop mongod before the app has
        # made its last writes. The pipe closes when the app ends. A process forked without exec would keep it open.
        orders, self._orders = os.pipe()
        log_file = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._log_start = os.fstat(log_file).st_size
            self._guardian = subprocess.Popen(
                [*guardian, *mongod],
                stdin=orders,
                stdout=subprocess.PIPE,
                bufsize=0,  # a buffer has a lock, for which the end of this process would wait
                stderr=log_file,
                cwd=folder,
                pass_fds=[lock],
                start_new_session=True,
            )
        except BaseException:
            os.close(self._orders)
            raise
        finally:
            os.close(orders)
            os.close(log_file)

    def is_ready(self) -> None:
        """Tell the guardian to restart mongod from now on, whenever it ends."""
        self._order(READY)

    def stop(self) -> None:
        """Order a clean stop of mongod. Call `end` next."""
        self._order(STOP)

    def end(self) -> None:
        """End both processes, and wait until they have ended. Without an earlier `stop`, mongod is killed."""
        os.close(self._orders)
        try:
            self._guardian.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guardian.kill()  # the kernel then kills its mongod
            self._guardian.wait()
        if self._guardian.stdout is not None:
            self._guardian.stdout.close()

    def reports(self) -> Iterator[str]:
        """Yield the reports of the guardian, until it has ended."""
        with suppress(OSError, ValueError):  # `end` closes the pipe, also during a read
            for line in self._guardian.stdout or ():
                yield line.decode().strip()
        self._guardian.wait()

    def has_ended(self, grace_seconds: float) -> bool:
        """Return whether the guardian has ended, or ends within this time."""
        try:
            self._guardian.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def explain(self) -> str:
        """Explain in one sentence why mongod ended."""
        return explain(self._read_log(), self._folder, self._guardian.poll())

    def cannot_read(self) -> bool:
        """Return whether mongod has ended because it cannot read the version of the data files."""
        return self.has_ended(0) and is_of_another_version(self._read_log())

    def _read_log(self) -> str:
        log = self._log.read_bytes()
        start = self._log_start if self._log_start <= len(log) else 0  # the guardian may have begun a new log file
        return log[start:].decode(errors="replace")

    def _order(self, order: bytes) -> None:
        with suppress(BrokenPipeError):
            os.write(self._orders, order)
