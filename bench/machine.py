"""The machine: cores, ports, versions.

For every subject, the server under test runs on one core; the load generator, mongod and redis share the other.
"""

import os
import platform
import shutil
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = {CORES[0]}, {CORES[-1]}


def free_port() -> int:
    """Return an unused loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def describe() -> dict[str, str]:
    """Return the machine, and the versions of all measured software."""
    packages = ("Flask-SocketIO", "gevent", "gunicorn", "pymongo", "Django", "channels", "channels-redis")
    found = {name: version(name) for name in (*packages, "uvicorn", "uvloop", "picows")}
    return {
        "processor": _first("model name", Path("/proc/cpuinfo").read_text()),
        "cores": str(len(CORES)),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release().split("-")[0],
        "Python": platform.python_version(),
        **found,
        "Node": _output("node", "--version"),
        "Socket.IO": _first('"version"', _package("socket.io")).strip(' ",'),
        "mongodb (Node)": _first('"version"', _package("mongodb")).strip(' ",'),
        "Redis": _output("redis-server", "--version").split("v=")[-1].split(" ")[0],
        "Prosody": _first("Prosody 0", _output("prosodyctl", "about"), separator=" "),
    }


def busy_seconds() -> float:
    """Return the CPU time that all cores together have used."""
    first = Path("/proc/stat").read_text().splitlines()[0].split()
    user, nice, system, _idle, _iowait, *interrupts = map(int, first[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Return the CPU time of the bench, and of the processes that it has started and stopped."""
    return sum(use.ru_utime + use.ru_stime for use in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def commit() -> str:
    """Return the commit under test, with a + if the tree differs from it."""
    name = _output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return name + ("+" if _output("git", "-C", str(ROOT), "status", "--porcelain", "-uno") else "")


def _package(name: str) -> str:
    path = HERE / "peers/node/node_modules" / name / "package.json"
    return path.read_text() if path.exists() else ""


def _first(key: str, source: str, *, separator: str = ":") -> str:
    lines = (line for line in source.splitlines() if line.strip().startswith(key))
    return next((line.split(separator, 1)[1].strip() for line in lines), "not found")


def _output(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return "not installed"
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
