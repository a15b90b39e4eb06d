"""Settings of the site that can change while it runs, in one document. The environment sets the other settings.

Each process caches the document. The answer of `get` is at most two seconds old. `get` may block, so the event loop
uses `known`.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database
from chatroom.site.acts_store import INDEX, Note, noting

ID = "site"
INDEXES = [INDEX]
KEPT_SECONDS = 2.0
"""The time after which a process reads the settings again."""


class Site:
    """The settings of the site, for reading and changing."""

    def __init__(self, database: Database, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._site = database["site"]
        self._seconds = seconds
        self._read_at = self._failed_at = -KEPT_SECONDS
        self.known: Mapping[str, Any] | None = None
        """The cached settings of any age; None before the first reading."""

    def get(self, name: str, usual: Any) -> Any:
        """Return the value of a setting, or `usual` if it is not set."""
        if self.known is None or self._seconds() - self._read_at >= KEPT_SECONDS:
            self.renew()
        return (self.known or {}).get(name, usual)

    def get_to_show(self, name: str, usual: Any) -> Any:
        """The same, for a page: if the database does not answer, the last known value, and no second wait for it."""
        if self._seconds() - self._failed_at >= KEPT_SECONDS:
            try:
                return self.get(name, usual)
            except Unavailable:
                self._failed_at = self._seconds()
        return (self.known or {}).get(name, usual)

    def set(self, name: str, value: Any, note: Note) -> None:
        """Set one value; None restores the value of the environment."""
        self._read_at = -KEPT_SECONDS
        update = {"$unset": {name: ""}} if value is None else {"$set": {name: value}}
        with self._database.bounded():
            self._site.update_one({"_id": ID}, noting(update, note), upsert=True)
        with suppress(Unavailable):  # the value is stored, and the next `get` reads it
            self.renew()

    def renew(self) -> None:
        """Read the current settings."""
        with self._database.bounded():
            document = self._site.find_one({"_id": ID}) or {}
        self.known = {name: value for name, value in document.items() if name not in {"_id", "acts"}}
        self._read_at = self._seconds()
