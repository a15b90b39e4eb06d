"""The values that the wiring of every package needs."""

import secrets

import msgspec

from chatroom.base.config import Settings
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo


class Context(msgspec.Struct, frozen=True):
    """The settings, the database, the secret key of the site, and `origin`, the name of this process."""

    settings: Settings
    database: Database
    secret_key: str
    origin: str
    embedded: EmbeddedMongo | None = None

    @classmethod
    def open(cls, settings: Settings) -> "Context":
        """Start the embedded mongod if the settings ask for it; create a client, which connects on first use."""
        origin = secrets.token_hex(4)
        if not settings.is_embedded:
            # The database is in memory and ends with the process, so the key may be generated.
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
        """Close the connections, and stop the embedded mongod if this process started it."""
        self.database.close()
        if self.embedded is not None:
            self.embedded.stop()


def _make_secret() -> str:
    return secrets.token_hex(32)
