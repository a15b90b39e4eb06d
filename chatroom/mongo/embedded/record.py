"""The state of the embedded mongod between runs, including secrets: `mongo.json` in the data folder."""

import secrets
from urllib.parse import quote

import msgspec

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import REPLICA_SET, EmbeddedError

FILES, NAME = "mongo", "mongo.json"
APP, ROOT = "chatroom", "root"


class Record(msgspec.Struct):
    """The passwords, where mongod listens, and what the data files are."""

    root_password: str
    password: str
    socket: str = ""
    configured: str = ""
    """The socket that the replica set knows itself by."""
    compatibility: str = ""
    """Which version of MongoDB the data files are of, as "6.0"."""
    binary: str = ""
    """The mongod that they were carried over by: its path, size and time."""
    databases: list[str] = []
    """Those with an account; none means that the first start never ended, so nothing was ever stored."""

    def uri(self, database: str) -> str:
        """The address for the app; it is for this database and nothing else."""
        return self._uri(APP, self.password, database)

    @property
    def root_uri(self) -> str:
        """The address for tests, backups and repairs. Never give it to the app."""
        return self._uri(ROOT, self.root_password, "admin")

    def _uri(self, user: str, password: str, database: str) -> str:
        place = f"{quote(self.socket, safe='')}/{database}"
        return f"mongodb://{user}:{password}@{place}?authSource={database}&replicaSet={REPLICA_SET}"


def read_record(folder: DataFolder) -> Record:
    """What is remembered, or new passwords for a first start."""
    path = folder.path / NAME
    if not path.exists():
        if (folder.path / FILES).exists():
            raise EmbeddedError(f"{path} is missing. It contains the password of the database. Restore it.")
        return _new()
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except msgspec.DecodeError as error:
        raise EmbeddedError(f"{path} is damaged ({error}). Restore it.") from error
    # A first start that failed may have told its passwords to whatever it failed at.
    return record if record.databases else _new()


def write_record(folder: DataFolder, record: Record) -> None:
    """Remember it."""
    folder.write(NAME, msgspec.json.encode(record).decode())


def _new() -> Record:
    return Record(root_password=secrets.token_urlsafe(32), password=secrets.token_urlsafe(32))
