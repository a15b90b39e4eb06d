"""Serve from several processes on one port.

None outlives this one, however this one ends; one that dies is replaced.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from chatroom import server
from chatroom.config import load_settings
from chatroom.errors import ChatroomError

_ROOT = Path(__file__).resolve().parent.parent
_POLL_SECONDS = 0.2
_RESTART_SECONDS = 1.0
_STOP_SECONDS = server.GRACEFUL_SECONDS + 1
_HOPELESS = {2, server.FAILED}
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger(__name__)


def follow(parent: int, number: signal.Signals) -> None:
    """Have the kernel send us this signal when our parent ends; leave at once if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(0)


def supervise(count: int, listener: socket.socket) -> int:
    """Keep `count` processes serving until a signal raises, or none can start; return the exit code then."""
    workers: list[subprocess.Popen[bytes]] = []
    try:
        workers.extend(_start(listener) for _ in range(count))
        while True:
            time.sleep(_POLL_SECONDS)
            for place, worker in enumerate(workers):
                code = worker.poll()
                if code in _HOPELESS:
                    return code
                if code is not None:
                    _log.warning("process %d ended with %d, starting another", worker.pid, code)
                    time.sleep(_RESTART_SECONDS)
                    workers[place] = _start(listener)
    finally:
        _stop(workers)


def _start(listener: socket.socket) -> subprocess.Popen[bytes]:
    descriptor = listener.fileno()
    # A fresh interpreter, not a fork: neither pymongo nor the event loop survive one.
    return subprocess.Popen(
        [sys.executable, "-m", "chatroom.workers", str(descriptor), str(os.getpid())],
        pass_fds=[descriptor],
        cwd=_ROOT,
    )


def _stop(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for worker in workers:
        try:
            worker.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _work(descriptor: int, parent: int) -> int:
    """Serve as one of several; the settings come from the environment, checked before by the parent."""
    follow(parent, signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        return server.run(load_settings(os.environ), socket.socket(fileno=descriptor))
    except ChatroomError as error:
        _log.error("%s", error)
        return 2


if __name__ == "__main__":
    sys.exit(_work(int(sys.argv[1]), int(sys.argv[2])))
