"""Choose where mongod listens: at a unix socket in a folder that only its owner can enter, and at no port.

Whoever else has an account on this machine can then neither connect nor stand in mongod's place.
"""

import re
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from chatroom.embedded.mongod import EmbeddedError

NAME = "mongod.sock"
SIMPLE = re.compile(r"/[a-z0-9_./-]+")
"""pymongo folds members' names to small letters and ends them at a colon; to mongod a comma begins another address."""


def place_socket(folder: Path) -> Path:
    """Where the socket will be: in `folder`, or in a new one of its own where that cannot hold it."""
    path = folder / NAME
    if _can_be(path):
        return path
    path = Path(tempfile.mkdtemp(prefix="chatroom-"), NAME)  # 0700
    if _can_be(path):
        return path
    path.parent.rmdir()
    raise EmbeddedError(
        f"mongod's socket can be neither in {folder} nor in {path.parent.parent}. "
        "Set DATA_DIR to a folder on a disk of this machine, whose path is at most 95 small letters, digits and ._-/."
    )


def clear_place(path: Path, folder: Path) -> None:
    """Remove the socket that a killed mongod left, and the folder that was made for it."""
    path.unlink(missing_ok=True)
    if path.parent != folder:
        with suppress(OSError):
            path.parent.rmdir()


def _can_be(path: Path) -> bool:
    """Whether a socket can have this path: the kernel takes 107 bytes, and some mounted file systems hold none."""
    path.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
    except OSError:
        return False
    path.unlink()
    return bool(SIMPLE.fullmatch(str(path)))
