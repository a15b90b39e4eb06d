"""The state of the embedded mongod between runs, with its passwords: `mongo.json` in the data folder."""

import secrets
from urllib.parse import quote

import msgspec

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import REPLICA_SET, EmbeddedError

FILES, NAME = "mongo", "mongo.json"
APP, ROOT = "chatroom", "root"


class Record(msgspec.Struct):
    """The passwords, the socket, and the version of the data files."""

    root_password: str
    password: str
    socket: str = ""
    configured: str = ""
    """The socket in the configuration of the replica set."""
    compatibility: str = ""
    """The version of MongoDB that the data files have, such as "6.0"."""
    binary: str = ""
    """The mongod that last upgraded the data files: its path, size and time of change."""
    databases: list[str] = []
    """The databases with an account. If the list is empty, the first start failed, and nothing was stored."""

    def uri(self, database: str) -> str:
        """Return the address for the app; valid only for this database."""
        return self._uri(APP, self.password, database)

    @property
    def root_uri(self) -> str:
        """The address for tests, backups and repairs. Never give it to the app."""
        return self._uri(ROOT, self.root_password, "admin")

    def _uri(self, user: str, password: str, database: str) -> str:
        place = f"{quote(self.socket, safe='')}/{database}"
        return f"mongodb://{user}:{password}@{place}?authSource={database}&replicaSet={REPLICA_SET}"


def read_record(folder: DataFolder) -> Record:
    """Read the stored record, or create one with new passwords for a first start."""
    path = folder.path / NAME
    if not path.exists():
        if (folder.path / FILES).exists():
            raise EmbeddedError(f"{path} is missing. It contains the password of the database. Restore it.")
        return _new()
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except msgspec.DecodeError as error:
        raise EmbeddedError(f"{path} is damaged ({error}). Restore it.") from error
    # After a failed first start, make new passwords: the failed server may have received the old passwords.
    return record if record.databases else _new()


def write_record(folder: DataFolder, record: Record) -> None:
    """Store the record."""
    folder.write(NAME, msgspec.json.encode(record).decode())


def _new() -> Record:
    return Record(root_password=secrets.token_urlsafe(32), password=secrets.token_urlsafe(32))
