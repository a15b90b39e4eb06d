"""Settings of the site that can change while it runs, cached in this process.

The answer of `get` is at most two seconds old, and may block; the event loop uses `known`.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.site.acts_store import Note
from chatroom.site.settings_store import SiteStore

KEPT_SECONDS = 2.0
"""The time after which a process reads the settings again."""


class Site:
    """The settings of the site, for reading and changing."""

    def __init__(self, store: SiteStore, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._read_at = -KEPT_SECONDS
        self.known: Mapping[str, Any] | None = None
        """The settings that were read last, at any time; None before the first reading."""

    def get(self, name: str, usual: Any) -> Any:
        """Return the value of a setting; `usual` if it was never set."""
        if self.known is None or self._seconds() - self._read_at >= KEPT_SECONDS:
            self.renew()
        return (self.known or {}).get(name, usual)

    def set(self, name: str, value: Any, note: Note) -> None:
        """Set one value; None removes it."""
        self._read_at = -KEPT_SECONDS
        self._store.set(name, value, note)
        with suppress(Unavailable):  # the value is stored, and the next `get` reads it
            self.renew()

    def renew(self) -> None:
        """Read the current settings."""
        self.known = self._store.read()
        self._read_at = self._seconds()
