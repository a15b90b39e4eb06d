"""The version of the stored data, in one document."""

import msgspec

from chatroom.mongo.database import Database
from chatroom.mongo.unique import write_or_find

ID = "data"


class DataVersion(msgspec.Struct, frozen=True):
    """The number of completed upgrade steps.

    A server that knows fewer steps than `oldest_reader` cannot use the data; `release` is the oldest that can.
    """

    number: int
    oldest_reader: int = 0
    release: str = ""


class VersionStore:
    """The data_version collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._versions = database["data_version"]

    def find(self) -> DataVersion | None:
        """Return the version; None for an empty database, and for data from before there were versions."""
        with self._database.bounded():
            document = self._versions.find_one({"_id": ID})
        return msgspec.convert(document, DataVersion) if document else None

    def has_data(self) -> bool:
        """Return whether any server has used this database."""
        return self._database.has("rooms", {}) or self._database.has("users", {})

    def create(self, version: DataVersion) -> DataVersion:
        """Store the first version unless another process has stored it; return the stored version."""
        document = {"_id": ID, **msgspec.to_builtins(version)}
        with self._database.bounded():
            found = write_or_find(
                self._database,
                lambda: self._versions.insert_one(document),
                lambda: self._versions.find_one({"_id": ID}),
            )
        return msgspec.convert(found or document, DataVersion)

    def replace(self, version: DataVersion) -> None:
        with self._database.bounded():
            self._versions.replace_one({"_id": ID}, msgspec.to_builtins(version), upsert=True)

    def shut_out(self, number: int, release: str) -> None:
        """Store that only servers with at least `number` steps can use the data."""
        with self._database.bounded():
            self._versions.update_one(
                {"_id": ID, "oldest_reader": {"$lt": number}}, {"$set": {"oldest_reader": number, "release": release}}
            )

    def advance(self, number: int) -> None:
        """Store that step `number` is complete, unless another process has changed the version."""
        with self._database.bounded():
            self._versions.update_one({"_id": ID, "number": number - 1}, {"$set": {"number": number}})

    def lower(self, number: int) -> None:
        """Store that later steps must run again."""
        with self._database.bounded():
            self._versions.update_one({"_id": ID}, {"$min": {"number": number}})
