"""Run the embedded mongod, a one-node replica set that stops with the app and keeps all acknowledged writes.

Only the owner of the data folder can read the password and reach the unix socket.
"""

import time
from functools import partial
from pathlib import Path
from typing import Self

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import EmbeddedError, find_binaries
from chatroom.mongo.embedded.process import LOG
from chatroom.mongo.embedded.record import Record, read_record
from chatroom.mongo.embedded.supervisor import Supervisor, start_mongod

__all__ = ["EmbeddedError", "EmbeddedMongo"]

_START_SECONDS = 60.0
_DYING_SECONDS = 1.0


class EmbeddedMongo:
    """A mongod that belongs to this process. Create it with `launch`."""

    def __init__(self, folder: DataFolder, record: Record, supervisor: Supervisor, database: str) -> None:
        self.folder = folder
        self.database = database
        self._record = record
        self._supervisor = supervisor

    @classmethod
    def launch(cls, data_dir: Path, database: str = "chatroom") -> Self:
        """Lock the folder, start mongod as a child process and return at once; call `wait_until_ready` next."""
        binaries = find_binaries()
        folder = DataFolder.open(data_dir)
        try:
            record = read_record(folder)
            return cls(folder, record, start_mongod(folder, record, binaries), database)
        except OSError as error:
            folder.close()
            raise EmbeddedError(f"mongod cannot be started in {data_dir}: {error}") from error
        except BaseException:
            folder.close()
            raise

    @property
    def uri(self) -> str:
        """The address for the app, known before mongod answers. The account in this address can use only `database`."""
        return self._record.uri(self.database)

    @property
    def root_uri(self) -> str:
        """The address for tests, backups and repairs. Never give it to the app."""
        return self._record.root_uri

    @property
    def log_path(self) -> Path:
        """The log of mongod and its guardian."""
        return self.folder.path / LOG

    @property
    def socket_path(self) -> Path:
        """The unix socket on which mongod listens."""
        return Path(self._record.socket)

    def wait_until_ready(self, timeout_seconds: float = _START_SECONDS) -> str:
        """Wait until mongod accepts writes, create the accounts on the first start, and return `uri`."""
        deadline = time.monotonic() + timeout_seconds
        check_alive = partial(self._supervisor.check_alive, deadline)
        from pymongo.errors import PyMongoError  # noqa: PLC0415  (mongod starts meanwhile)

        from chatroom.mongo.embedded import setup  # noqa: PLC0415  (imports pymongo)

        try:
            self._supervisor.wait_for_socket(deadline)
            setup.prepare(self.folder, self._record, check_alive)
            setup.add_database(self.folder, self._record, self.database)
            setup.carry_over(self.folder, self._record, self._supervisor.binary)
        except PyMongoError as error:
            check_alive(_DYING_SECONDS)  # if mongod has ended, this raises an error with the reason
            raise EmbeddedError(f"mongod does not work in {self.folder.path}: {error}") from error
        self._supervisor.keep()
        return self.uri

    def uri_for(self, database: str) -> str:
        """Create an account for the app in `database`, and return the address for this account; for tests."""
        from chatroom.mongo.embedded import setup  # noqa: PLC0415  (imports pymongo)

        setup.add_database(self.folder, self._record, database)
        return self._record.uri(database)

    def stop(self) -> None:
        """Stop mongod (cleanly if that takes under two seconds), and release the folder."""
        self._supervisor.stop()
        self.folder.close()

    def kill(self) -> None:
        """Kill mongod, as a crash of this process would, and release the folder; for tests."""
        self._supervisor.kill()
        self.folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
