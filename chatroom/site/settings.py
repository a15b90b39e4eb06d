"""Settings of the site that were changed while it runs, as this process knows them.

`get` is never older than two seconds and may block; the event loop uses `known`.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chatroom.base.errors import Unavailable
from chatroom.site.acts_store import Note
from chatroom.site.settings_store import SiteStore

KEPT_SECONDS = 2.0
"""How long a process may go on by what it read last."""


class Site:
    """Ask what was set, and set it."""

    def __init__(self, store: SiteStore, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._read_at = -KEPT_SECONDS
        self.known: Mapping[str, Any] | None = None
        """What was read last, however long ago; None before anything was."""

    def get(self, name: str, usual: Any) -> Any:
        """What was set; `usual` where nothing was."""
        if self.known is None or self._seconds() - self._read_at >= KEPT_SECONDS:
            self.renew()
        return (self.known or {}).get(name, usual)

    def set(self, name: str, value: Any, note: Note) -> None:
        """Set one value; None: as if it had never been set."""
        self._read_at = -KEPT_SECONDS
        self._store.set(name, value, note)
        with suppress(Unavailable):  # it is set, and read when somebody asks
            self.renew()

    def renew(self) -> None:
        """Read what is set now."""
        self.known = self._store.read()
        self._read_at = self._seconds()
