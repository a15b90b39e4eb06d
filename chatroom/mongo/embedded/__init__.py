"""Run the room's own mongod, a one-node replica set that ends with the app and keeps what was acknowledged.

Nobody gets in without a password that only the owner of the data folder can read, by a socket that only they can reach.
"""

import fcntl
import logging
import os
import secrets
import shutil
import socket
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import quote

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import REPLICA_SET, EmbeddedError, command, find_binaries, make_runnable
from chatroom.mongo.embedded.place import clear_place, clear_stale, place_socket
from chatroom.mongo.embedded.process import Process
from chatroom.mongo.embedded.record import FILES, read_record, write_record
from chatroom.mongo.embedded.versions import candidates

__all__ = ["EmbeddedError", "EmbeddedMongo"]

_APP, _ROOT = "chatroom", "root"
_KEY, _LOG, _LOCK = "mongod.key", "mongod.log", "mongod.lock"
_START_SECONDS = 60.0
_EARLIER_SECONDS = 10.0
_DYING_SECONDS = 1.0
_RESTART_SECONDS = 1.0
_POLL_SECONDS = 0.005

log = logging.getLogger(__name__)


class EmbeddedMongo:
    """A mongod that belongs to this process. Make it with `launch`."""

    def __init__(self, folder: DataFolder, database: str) -> None:
        self.folder = folder
        self.database = database
        self._record = read_record(folder)
        self._candidates: list[Path] = []
        self._binary = ""
        self._command: list[str] = []
        self._process: Process | None = None
        self._turn = threading.Lock()
        self._is_ending = threading.Event()

    @classmethod
    def launch(cls, data_dir: Path, database: str = "chatroom") -> Self:
        """Take the folder, start mongod beside us and return at once; `wait_until_ready` comes next."""
        binaries = find_binaries()
        folder = DataFolder.open(data_dir)
        try:
            mongo = cls(folder, database)
            mongo._lay_out(binaries)
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

    @property
    def socket_path(self) -> Path:
        """Where mongod listens."""
        return Path(self._record.socket)

    def wait_until_ready(self, timeout_seconds: float = _START_SECONDS) -> str:
        """Wait until mongod takes writes, make what the first start needs, and return `uri`."""
        from pymongo.errors import PyMongoError  # noqa: PLC0415  (mongod boots meanwhile)

        deadline = time.monotonic() + timeout_seconds
        try:
            self._wait_for_socket(deadline)
            self._prepare(deadline)
        except PyMongoError as error:
            self._check_alive(deadline, _DYING_SECONDS)  # which knows more, if mongod has died of it
            raise EmbeddedError(f"mongod does not work in {self.folder.path}: {error}") from error
        if self._process is not None:
            self._process.is_ready()
            threading.Thread(target=self._keep, args=[self._process], name="mongod", daemon=True).start()
        return self.uri

    def uri_for(self, database: str) -> str:
        """Give the app's user an account for one more database, and return its address; for tests."""
        from chatroom.mongo.embedded import replica  # noqa: PLC0415  (brings pymongo)

        if database not in self._record.databases:
            with replica.connect(self._record.socket, self._record.root_password) as client:
                replica.add_app(client, database, self._record.password)
            self._record.databases.append(database)
            self._save()
        return self._uri(_APP, self._record.password, database)

    def stop(self) -> None:
        """End mongod, in good order if that takes under two seconds, and give the folder back."""
        self._is_ending.set()
        with self._turn:
            if self._process is not None:
                self._process.stop()
        self.kill()

    def kill(self) -> None:
        """End mongod at once, as a crash of this process would, and give the folder back; for tests."""
        self._is_ending.set()
        with self._turn:
            if self._process is not None:
                self._process.end()
                self._process = None
                clear_place(self.socket_path, self.folder.path)
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _lay_out(self, binaries: list[Path]) -> None:
        path = self.folder.path
        lock = self._wait_for_earlier()
        try:
            is_new, files = not self._record.databases, path / FILES
            runnable = [make_runnable(binary, path) for binary in binaries]
            self._candidates = candidates(runnable, self._record.compatibility, is_new=is_new)
            if is_new and files.exists():
                shutil.rmtree(files)
            files.mkdir(mode=0o700, exist_ok=True)
            self.folder.keep(_KEY, lambda: secrets.token_hex(256))
            clear_stale(self.socket_path, path)
            self._record.socket = str(place_socket(path))
            self._save()
            self._process = self._start_next(lock)
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

    def _start_next(self, lock: int) -> Process:
        path, binary = self.folder.path, self._candidates.pop(0)
        self._binary = f"{binary} {binary.stat().st_size} {binary.stat().st_mtime_ns}"
        self._command = command(binary, files=path / FILES, key=path / _KEY, socket=self.socket_path)
        return self._start(lock)

    def _try_another(self, ended: Process) -> None:
        with self._turn:
            if self._is_ending.is_set():
                return
            log.warning("%s %s is tried.", ended.explain(), self._candidates[0])
            ended.end()
            self._process = None
            lock = self._wait_for_earlier()
            try:
                self._process = self._start_next(lock)
            finally:
                os.close(lock)

    def _start(self, lock: int) -> Process:
        return Process(self._command, self.folder.path, self.log_path, lock)

    def _keep(self, process: Process) -> None:
        """Start guardian and mongod again whenever somebody has killed the guardian, until this is to end."""
        while True:
            process.wait()
            with self._turn:
                if self._is_ending.is_set():
                    return
                log.warning("the guardian of mongod was killed: starting both again")
                process = self._start_again(process)
            self._is_ending.wait(_RESTART_SECONDS)

    def _start_again(self, ended: Process) -> Process:
        try:
            lock = self._wait_for_earlier()
            try:
                started = self._start(lock)
            finally:
                os.close(lock)
        except (OSError, EmbeddedError) as error:
            log.error("mongod cannot be started again: %s", error)
            return ended
        ended.end()
        started.is_ready()
        self._process = started
        return started

    def _wait_for_socket(self, deadline: float) -> None:
        while True:
            if self._candidates and self._process is not None and self._process.cannot_read():
                self._try_another(self._process)
            self._check_alive(deadline)
            with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(self._record.socket)
                return
            time.sleep(_POLL_SECONDS)

    def _check_alive(self, deadline: float, patience_seconds: float = 0) -> None:
        if self._process is None or self._process.has_ended(patience_seconds):
            raise EmbeddedError(self._process.explain() if self._process else "mongod was stopped.")
        if time.monotonic() > deadline:
            raise EmbeddedError(f"mongod did not become ready in time; see {self.log_path}.")

    def _prepare(self, deadline: float) -> None:
        from chatroom.mongo.embedded import replica  # noqa: PLC0415  (brings pymongo)

        record = self._record
        check = partial(self._check_alive, deadline)
        is_new, has_moved = not record.databases, record.configured != record.socket
        with replica.connect(record.socket, record.root_password if has_moved and not is_new else None) as client:
            if is_new:
                replica.initiate(client, record.socket)
            elif has_moved:
                replica.move(client, record.socket, check)
            replica.wait_for_primary(client, check)
            if is_new:
                replica.add_root(client, record.root_password)
        if has_moved:
            record.configured = record.socket
            self._save()
        self.uri_for(self.database)
        if self._binary != record.binary:
            self._carry_over()

    def _carry_over(self) -> None:
        """After a start that went well with another mongod: the data files follow it."""
        from pymongo.errors import OperationFailure  # noqa: PLC0415

        from chatroom.mongo.embedded import replica  # noqa: PLC0415

        try:
            with replica.connect(self._record.socket, self._record.root_password) as client:
                self._record.compatibility = replica.carry_over(client)
        except OperationFailure as error:
            log.warning("the data files cannot be carried over to this version of MongoDB: %s", error)
        else:
            self._record.binary = self._binary
            self._save()

    def _save(self) -> None:
        write_record(self.folder, self._record)

    def _uri(self, user: str, password: str, database: str) -> str:
        place = f"{quote(self._record.socket, safe='')}/{database}"
        return f"mongodb://{user}:{password}@{place}?authSource={database}&replicaSet={REPLICA_SET}"
