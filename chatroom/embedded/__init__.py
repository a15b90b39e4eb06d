"""Run the room's own mongod, a one-node replica set that ends with the app and keeps what was acknowledged.

Nobody gets in without a password that only the owner of the data folder can read.
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

import msgspec

from chatroom.embedded.folder import DataFolder
from chatroom.embedded.guardian import READY, STOP
from chatroom.embedded.mongod import (
    HOST,
    REPLICA_SET,
    EmbeddedError,
    command,
    explain,
    find_binary,
    find_port,
    make_runnable,
)

__all__ = ["EmbeddedError", "EmbeddedMongo"]

_APP, _ROOT = "chatroom", "root"
_FILES, _RECORD, _KEY, _LOG, _LOCK = "mongo", "mongo.json", "mongod.key", "mongod.log", "mongod.lock"
_START_SECONDS = 60.0
_EARLIER_SECONDS = 10.0
_STOP_SECONDS = 4.0
_DYING_SECONDS = 1.0
_POLL_SECONDS = 0.005


class Record(msgspec.Struct):
    """What is remembered from run to run, secrets among it (`mongo.json`)."""

    root_password: str
    password: str
    port: int = 0
    configured_port: int = 0
    databases: list[str] = []
    """Those with an account; none means that the first start never ended, so nothing was ever stored."""


class EmbeddedMongo:
    """A mongod that belongs to this process. Make it with `launch`."""

    def __init__(self, folder: DataFolder, database: str) -> None:
        self.folder = folder
        self.database = database
        self._record = _read_record(folder)
        self._guardian: subprocess.Popen[bytes] | None = None
        self._orders = -1
        self._log_start = 0

    @classmethod
    def launch(cls, data_dir: Path, database: str = "chatroom") -> Self:
        """Take the folder, start mongod beside us and return at once; `wait_until_ready` comes next."""
        binary = find_binary()
        folder = DataFolder.open(data_dir)
        try:
            mongo = cls(folder, database)
            mongo._start(binary)
        except OSError as error:
            folder.close()
            raise EmbeddedError(f"mongod cannot be started in {data_dir}: {error}") from error
        except BaseException:
            folder.close()
            raise
        return mongo

    @property
    def uri(self) -> str:
        """The address for the app, known before mongod answers; good for `database` and nothing else."""
        return self._uri(_APP, self._record.password, self.database)

    @property
    def root_uri(self) -> str:
        """The address for tests, backups and repairs. Never give it to the app."""
        return self._uri(_ROOT, self._record.root_password, "admin")

    @property
    def log_path(self) -> Path:
        """The log of mongod and of its guardian."""
        return self.folder.path / _LOG

    def wait_until_ready(self, timeout_seconds: float = _START_SECONDS) -> str:
        """Wait until mongod takes writes, make what the first start needs, and return `uri`."""
        from pymongo.errors import PyMongoError  # noqa: PLC0415  (mongod boots meanwhile)

        deadline = time.monotonic() + timeout_seconds
        try:
            self._wait_for_port(deadline)
            self._prepare(deadline)
        except PyMongoError as error:
            self._check_alive(deadline, _DYING_SECONDS)  # which knows more, if mongod has died of it
            raise EmbeddedError(f"mongod does not work in {self.folder.path}: {error}") from error
        self._order(READY)
        return self.uri

    def uri_for(self, database: str) -> str:
        """Give the app's user an account for one more database, and return its address; for tests."""
        from chatroom.embedded import replica  # noqa: PLC0415  (brings pymongo)

        if database not in self._record.databases:
            with replica.connect(self._record.port, self._record.root_password) as client:
                replica.add_app(client, database, self._record.password)
            self._record.databases.append(database)
            self._save()
        return self._uri(_APP, self._record.password, database)

    def stop(self) -> None:
        """End mongod, in good order if that takes under two seconds, and give the folder back."""
        if self._guardian is not None:
            self._order(STOP)
        self.kill()

    def kill(self) -> None:
        """End mongod at once, as a crash of this process would, and give the folder back; for tests."""
        if self._guardian is not None:
            os.close(self._orders)
            _wait_for_end(self._guardian)
            self._guardian = None
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self, binary: Path) -> None:
        binary = make_runnable(binary, self.folder.path)
        lock = self._wait_for_earlier()
        try:
            self._lay_out()
            self._spawn(binary, lock)
        finally:
            os.close(lock)

    def _wait_for_earlier(self) -> int:
        """Wait for the mongod of an app that was just killed; return the lock that ours will hold."""
        # The guardian and its mongod inherit the lock, so that it is free when both are gone and not before.
        lock = os.open(self.folder.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _EARLIER_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise EmbeddedError(f"An earlier mongod is still busy in {self.folder.path}. End it.") from None
            time.sleep(_POLL_SECONDS)

    def _lay_out(self) -> None:
        files = self.folder.path / _FILES
        if not self._record.databases and files.exists():
            shutil.rmtree(files)
        files.mkdir(mode=0o700, exist_ok=True)
        self.folder.keep(_KEY, lambda: secrets.token_hex(256))
        self._record.port = find_port(self._record.port)
        self._save()

    def _spawn(self, binary: Path, lock: int) -> None:
        path = self.folder.path
        guardian = [
            sys.executable,
            "-I",
            "-S",
            str(Path(__file__).with_name("guardian.py")),
            str(self.log_path),
        ]
        mongod = command(binary, files=path / _FILES, key=path / _KEY, port=self._record.port)
        # A session of its own: Ctrl-C in the terminal must not reach mongod before the app's last writes.
        # The end of the pipe is the end of the app; whoever forks without exec would keep it open.
        orders, self._orders = os.pipe()
        log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._log_start = os.fstat(log).st_size
            self._guardian = subprocess.Popen(
                [*guardian, *mongod],
                stdin=orders,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=path,
                pass_fds=[lock],
                start_new_session=True,
            )
        finally:
            os.close(orders)
            os.close(log)

    def _order(self, order: bytes) -> None:
        with suppress(BrokenPipeError):
            os.write(self._orders, order)

    def _wait_for_port(self, deadline: float) -> None:
        while True:
            self._check_alive(deadline)
            with suppress(OSError), socket.create_connection((HOST, self._record.port), timeout=1):
                return
            time.sleep(_POLL_SECONDS)

    def _check_alive(self, deadline: float, patience_seconds: float = 0) -> None:
        if self._guardian is None or _has_ended(self._guardian, patience_seconds):
            raise EmbeddedError(explain(_read_from(self.log_path, self._log_start), self.folder.path))
        if time.monotonic() > deadline:
            raise EmbeddedError(f"mongod did not become ready in time; see {self.log_path}.")

    def _prepare(self, deadline: float) -> None:
        from chatroom.embedded import replica  # noqa: PLC0415  (brings pymongo)

        record = self._record
        check = partial(self._check_alive, deadline)
        is_new, has_moved = not record.databases, record.configured_port != record.port
        with replica.connect(record.port, record.root_password if has_moved and not is_new else None) as client:
            if is_new:
                replica.initiate(client, record.port)
            elif has_moved:
                replica.move(client, record.port, check)
            replica.wait_for_primary(client, check)
            if is_new:
                replica.add_root(client, record.root_password)
        if has_moved:
            record.configured_port = record.port
            self._save()
        self.uri_for(self.database)

    def _save(self) -> None:
        self.folder.write(_RECORD, msgspec.json.encode(self._record).decode())

    def _uri(self, user: str, password: str, database: str) -> str:
        place = f"{HOST}:{self._record.port}/{database}"
        return f"mongodb://{user}:{password}@{place}?authSource={database}&replicaSet={REPLICA_SET}"


def _read_record(folder: DataFolder) -> Record:
    path = folder.path / _RECORD
    if not path.exists():
        if (folder.path / _FILES).exists():
            raise EmbeddedError(f"{path} is missing, and with it the password of the database beside it. Restore it.")
        return Record(root_password=secrets.token_urlsafe(32), password=secrets.token_urlsafe(32))
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except msgspec.DecodeError as error:
        raise EmbeddedError(f"{path} is damaged ({error}). Restore it.") from error


def _has_ended(guardian: subprocess.Popen[bytes], patience_seconds: float) -> bool:
    try:
        guardian.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _wait_for_end(guardian: subprocess.Popen[bytes]) -> None:
    try:
        guardian.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        guardian.kill()  # the kernel then kills its mongod
        guardian.wait()


def _read_from(path: Path, start: int) -> str:
    """What was logged since `start`, or all of it when the log was begun anew."""
    log = path.read_bytes()
    return log[start if start <= len(log) else 0 :].decode(errors="replace")
