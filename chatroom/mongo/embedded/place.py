"""Choose the path of mongod's unix socket: in a folder that only its owner can enter.

mongod listens on no port. So other accounts of this machine can neither connect to mongod nor replace it.
"""

import os
import re
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from chatroom.mongo.embedded.mongod import EmbeddedError

NAME = "mongod.sock"
PREFIX = "chatroom-"
LAST_PLACE = "/tmp"  # noqa: S108  only for a new folder with the mode 0700; on macOS, TMPDIR has capitals
SIMPLE = re.compile(r"/[a-z0-9_./-]+")
"""Paths without capitals, colons and commas, which pymongo or mongod would change in a member's name."""


def place_socket(folder: Path) -> Path:
    """Return a path for the socket: in `folder`, or in a new folder if `folder` cannot hold a socket.

    The new folder is in `$RUNTIME_DIRECTORY` if systemd has set it, because console commands cannot reach a private
    `/tmp`. On macOS it is in `/tmp`: home folders (`/Users`) and TMPDIR have capitals.
    """
    path = folder / NAME
    if _can_be(path):
        return path
    for place in _places():
        with suppress(OSError):
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place), NAME)  # 0700
            if _can_be(path):
                return path
            path.parent.rmdir()
    raise EmbeddedError(
        f"mongod's socket can be neither in {folder} nor in {' or '.join(_places())}. "
        "Set DATA_DIR to a folder on a disk of this machine. "
        "Its path may have at most 95 characters (91 on macOS), all of a-z, 0-9 and ._-/."
    )


def clear_place(path: Path, folder: Path) -> None:
    """Remove the socket that a killed mongod left, and the folder that was created for it."""
    path.unlink(missing_ok=True)
    if path.parent != folder:
        with suppress(OSError):
            path.parent.rmdir()


def clear_stale(path: Path, folder: Path) -> None:
    """Remove the socket of an earlier run, and the folder that was created for this socket.

    Do nothing if the socket is in `folder`, if `place_socket` cannot have created the socket's folder, or if a process
    still listens at the socket.
    """
    with suppress(OSError):
        found = path.parent.lstat()
        is_ours = (found.st_uid, found.st_mode) == (os.geteuid(), stat.S_IFDIR | 0o700)
        if is_ours and path.parent.name.startswith(PREFIX) and path.parent != folder and not _is_heard(path):
            clear_place(path, folder)


def _places() -> list[str]:
    named = filter(None, os.environ.get("RUNTIME_DIRECTORY", "").split(":"))
    return list(dict.fromkeys([*named, tempfile.gettempdir(), LAST_PLACE]))


def _is_heard(path: Path) -> bool:
    """Return whether a process listens at `path`. If a data folder is a copy, `path` may be the original's socket."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except OSError:
        return True
    return True


def _can_be(path: Path) -> bool:
    """Return whether a socket can have this path: at most 107 bytes (macOS: 103), in a file system with sockets."""
    path.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
    except OSError:
        return False
    path.unlink()
    return bool(SIMPLE.fullmatch(str(path)))
