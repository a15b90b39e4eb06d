"""Settings of the site that can change while it runs, in one document. The environment sets the others."""

from typing import Any

from chatroom.mongo.database import Database
from chatroom.site.acts_store import INDEX, Note, noting

ID = "site"
INDEXES = [INDEX]


class SiteStore:
    """The site collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._site = database["site"]

    def read(self) -> dict[str, Any]:
        """Return the settings, by name."""
        with self._database.bounded():
            document = self._site.find_one({"_id": ID}) or {}
        return {name: value for name, value in document.items() if name not in {"_id", "acts"}}

    def set(self, name: str, value: Any, note: Note | None = None) -> None:
        """Set one value; None restores the value of the environment."""
        update = {"$unset": {name: ""}} if value is None else {"$set": {name: value}}
        with self._database.bounded():
            self._site.update_one({"_id": ID}, noting(update, note), upsert=True)
