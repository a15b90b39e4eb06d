"""The data folder of the embedded mongod: used by one app at a time, and readable only by its owner.

A folder with other contents, such as /tmp, is refused, because `open` would make this folder private.
"""

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatroom.base.errors import ChatroomError
from chatroom.base.owners import give_to_me, name_of, owner_of, run_as

_LOCK = "app.lock"
_HARMLESS = {"lost+found", ".DS_Store"}


class FolderError(ChatroomError):
    """The data folder cannot be used; the text states the reason and the remedy."""


class FolderInUse(FolderError):
    """Another chat room is using the folder."""


class DataFolder:
    """A folder that this process holds until `close`, or until the process ends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        """Create the folder if it is missing, make it private, and lock it for this process."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_foreign(path)
            _close(path)
            return cls(path, _take(path))
        except OSError as error:
            raise FolderError(f"The data folder {path} cannot be used: {error.strerror}. Set DATA_DIR.") from error

    def close(self) -> None:
        """Release the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def keep(self, name: str, make: Callable[[], str]) -> str:
        """Return the text in the file `name`. If this file does not exist, first write the result of `make` into it."""
        path = self.path / name
        if not path.exists():
            self.write(name, make())
        return path.read_text()

    def write(self, name: str, text: str) -> None:
        """Write a file atomically, readable only by its owner."""
        path = self.path / name
        draft = self.path / f"{name}.new"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)


def _refuse_foreign(path: Path) -> None:
    if (owner := owner_of(path)) != os.geteuid():
        remedy = run_as(name_of(owner))
        if owner == 0:  # the server should not run as root
            remedy = f"If a command that root ran has made the folder: {give_to_me(path)}"
        raise FolderError(
            f"The data folder {path} belongs to another account ({name_of(owner)}). {remedy}, "
            "or set DATA_DIR to a folder of your own."
        )
    for parent in path.parents:
        if parent.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH:
            raise FolderError(
                f"The data folder {path} is in {parent}, which every account can change. "
                f"Run chmod o-w {parent}, or set DATA_DIR."
            )
    names = {entry.name for entry in os.scandir(path)} - _HARMLESS
    if names and _LOCK not in names:
        raise FolderError(f"The data folder {path} contains other files: {min(names)!r}. Set DATA_DIR to an empty one.")
    _refuse_foreign_files(path)


def _refuse_foreign_files(path: Path) -> None:
    """Refuse a file of another account in any subfolder: mongod would end without a clear reason."""
    for folder, folders, files in os.walk(path):
        for name in {*folders, *files} - _HARMLESS:
            file = Path(folder, name)
            with suppress(FileNotFoundError):  # a running mongod deletes files meanwhile
                _refuse_owner(path, file, file.lstat().st_uid)


def _refuse_owner(path: Path, file: Path, owner: int) -> None:
    if owner != os.geteuid():
        raise FolderError(
            f"{str(file.relative_to(path))!r} in the data folder {path} belongs to another account "
            f"({name_of(owner)}): {give_to_me(path)}"
        )


def _close(path: Path) -> None:
    path.chmod(0o700)
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        raise FolderError(
            f"The data folder {path} cannot be protected from other accounts: its file system has no file modes. "
            "Set DATA_DIR to a folder on a disk of this machine."
        )


def _take(path: Path) -> int:
    # The kernel releases this lock when the process ends, so a crash leaves no lock behind.
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 32).decode().strip() or "unknown"
        os.close(lock)
        raise FolderInUse(
            f"Another server (process {owner}) uses the data folder {path}. Stop it, or set DATA_DIR to another folder."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
