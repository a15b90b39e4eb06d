"""The mongod binary: its path, its command line, and explanations of its failures.

mongod listens only on a unix socket, uses no compression, runs no scripts and logs no message text.
"""

import importlib.util
import os
import platform
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from chatroom.base.errors import ChatroomError

REPLICA_SET = "chatroom"

_CACHE_GIGABYTES = "0.25"
_OPLOG_MEGABYTES = "256"
# Without prealloc=false, mongod preallocates 300 MB of journal, which takes half a second. The other keys
# are repeated, because mongod unsets a missing key.
_JOURNAL = "log=(enabled=true,path=journal,compressor=snappy,prealloc=false,file_max=32MB)"
_PARAMETERS = {
    "authenticationMechanisms": "SCRAM-SHA-256",
    "scramSHA256IterationCount": "5000",  # the minimum is enough: our passwords have 256 random bits
    "diagnosticDataCollectionEnabled": "false",
    "shutdownTimeoutMillisForSignaledShutdown": "0",  # by default, mongod waits 15 s for another primary
}
_ILLEGAL_INSTRUCTION = 256 - signal.SIGILL
_REMEDY = "Install MongoDB, so that mongod is on the PATH"
_REMEDIES = {
    ("Linux", "x86_64"): "Install the packages of requirements.txt, which contain one",
    (
        "Linux",
        "",
    ): "Put mongod of https://www.mongodb.com/try/download/community on the PATH",
    ("Darwin", ""): "Run brew tap mongodb/brew && brew install mongodb-community, so that mongod is on the PATH",
}
"""What to install, by system and machine."""
_CANNOT_READ = (
    "UPGRADE PROBLEM",
    "Wrong mongod version",
    "incompatible",
    "too recent to start up on the existing data",
)


class EmbeddedError(ChatroomError):
    """The app cannot use its own (embedded) mongod; the text states the reason, and often the remedy."""


def find_binaries() -> list[Path]:
    """Find every mongod: the installed one on the PATH, and the bundled one."""
    installed = shutil.which("mongod")
    if found := [*([Path(installed)] if installed else []), *_bundled()]:
        return found
    system, machine = platform.system(), platform.machine()
    remedy = _REMEDIES.get((system, machine)) or _REMEDIES.get((system, ""), _REMEDY)
    raise EmbeddedError(f"No mongod was found ({system}, {machine}). {remedy}, or set MONGO_URI to a server's address.")


def make_runnable(binary: Path, folder: Path) -> Path:
    """Return an executable binary: `binary`, or a copy in `folder` if `binary` cannot be made executable."""
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(binary.stat().st_mode | 0o555)
        return binary
    except OSError:
        copy = folder / "mongod"
        shutil.copyfile(binary, copy)
        copy.chmod(0o700)
        return copy


def command(binary: Path, *, files: Path, key: Path, socket: Path) -> list[str]:
    """Return the command line of a one-node replica set that logs to its standard output."""
    options = {
        "--dbpath": str(files),
        "--bind_ip": str(socket),  # instead of a port
        "--replSet": REPLICA_SET,
        "--keyFile": str(key),
        "--networkMessageCompressors": "disabled",  # CVE-2025-14847: 6.0.5 leaks memory through zlib
        "--wiredTigerCacheSizeGB": _CACHE_GIGABYTES,
        "--oplogSize": _OPLOG_MEGABYTES,
        "--wiredTigerEngineConfigString": _JOURNAL,
        "--slowms": "1000000000",  # mongod logs slow queries with the text of messages
    }
    words = [word for option in options.items() for word in option]
    parameters = [word for name, value in _PARAMETERS.items() for word in ("--setParameter", f"{name}={value}")]
    return [str(binary), "--nounixsocket", "--noscripting", "--quiet", *words, *parameters]


def explain(log: str, folder: Path, exit_code: int | None = None) -> str:
    """Explain in one sentence, from the log and the exit code of the guardian, why mongod ended."""
    if exit_code == _ILLEGAL_INSTRUCTION:
        return (
            "mongod cannot run on this processor: it needs AVX (x86-64) or ARMv8.2-A (ARM). "
            "In a virtual machine, pass the processor of the host through. Or set MONGO_URI to a server's address."
        )
    if "error while loading shared libraries" in log:
        library = Path(log.partition("error while loading shared libraries:")[2].partition(":")[0].strip()).name
        package = "libcurl4" if library.startswith("libcurl") else f"the package that has {library}"
        return f"mongod needs {library}: install {package}, or set MONGO_URI to a server's address."
    if "No space left on device" in log:
        return f"The disk with {folder} is full. Free space, or set DATA_DIR to a folder on another disk."
    if is_of_another_version(log):
        return f"The data files in {folder} belong to another MongoDB version: put its mongod on the PATH."
    return f"mongod exited during its start in {folder}: {_last_complaint(log)}"


def is_of_another_version(log: str) -> bool:
    """Return whether mongod ended because it cannot read the version of the data files."""
    return any(words in log for words in _CANNOT_READ)


def _bundled() -> Iterator[Path]:
    # find_spec does not import the package. If the complete `fiftyone` is installed, an import would take seconds.
    bundle = importlib.util.find_spec("fiftyone")
    for place in (bundle.submodule_search_locations or []) if bundle else []:
        binary = Path(place, "db", "bin", "mongod")
        if binary.is_file():
            yield binary


class _Entry(msgspec.Struct):
    """The fields of a mongod log line that are read here."""

    s: str
    msg: str
    attr: Any = None


def _last_complaint(log: str) -> str:
    """Return the last logged error. If there is none, return the last line that is not JSON."""
    plain, complaint = "it left no message", ""
    for line in log.splitlines():
        try:
            entry = msgspec.json.decode(line, type=_Entry)
        except msgspec.DecodeError:
            plain = line.strip() or plain
        else:
            if entry.s in {"E", "F"}:
                complaint = f"{entry.msg} {entry.attr or ''}".strip()
    return complaint or plain
