"""The settings, the database and the key, which every package works with."""

import secrets

import msgspec

from chatroom.base.config import Settings
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo


class Context(msgspec.Struct, frozen=True):
    """`secret_key` is the key of the site, `origin` the name of this process."""

    settings: Settings
    database: Database
    secret_key: str
    origin: str
    embedded: EmbeddedMongo | None = None

    @classmethod
    def open(cls, settings: Settings) -> "Context":
        """Make the client, which connects when first used; start the embedded mongod unless another process has."""
        origin = secrets.token_hex(4)
        if not settings.is_embedded:
            # The settings lack a key only if the database is in memory, where sessions end with the process anyway.
            return cls(settings, Database.connect(settings), settings.secret_key or _make_secret(), origin)
        embedded = EmbeddedMongo.launch(settings.data_path, settings.mongo_db)
        try:
            database = Database.connect(settings, embedded.wait_until_ready())
            key = settings.secret_key or embedded.folder.keep("secret_key", _make_secret)
        except BaseException:
            embedded.stop()
            raise
        return cls(settings, database, key, origin, embedded)

    def close(self) -> None:
        """Close the client; stop the embedded mongod if this process started it."""
        self.database.close()
        if self.embedded is not None:
            self.embedded.stop()


def _make_secret() -> str:
    return secrets.token_hex(32)
