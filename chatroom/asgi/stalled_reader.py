"""Count the unsent data of slow readers, and close the connection of a reader that takes no data."""

import asyncio
import logging

from chatroom.asgi.budget import Account

log = logging.getLogger(__name__)

STALL_SECONDS = 60.0
"""The time after which the connection of a reader that takes no data is closed."""


class StalledReader:
    """Watches one connection while its writing is paused."""

    __slots__ = ("_account", "_loop", "_timer", "_transport", "_unread")

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, account: Account) -> None:
        self._loop = loop
        self._transport = transport
        self._account = account
        self._timer: asyncio.TimerHandle | None = None
        self._unread = 0
        """The unsent bytes at the last check."""

    @property
    def is_watched(self) -> bool:
        """Whether unsent data waits for the reader."""
        return self._timer is not None

    def watch(self) -> None:
        """Count the unsent data. Close the connection unless the reader takes some data in time."""
        self._unread = self._transport.get_write_buffer_size()
        self._account.stall(self._unread, self._cut_off)
        self._timer = self._loop.call_later(STALL_SECONDS, self._look)

    def stop(self) -> None:
        """Stop watching: the reader reads again, or the connection has ended."""
        self._account.flow()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Close the connection after sending the remaining data; abort it after `STALL_SECONDS`."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(STALL_SECONDS, self._transport.abort)

    def _look(self) -> None:
        """Wait again if the reader has taken any data. Otherwise, close the connection."""
        unread = self._transport.get_write_buffer_size()
        if unread >= self._unread:
            self._cut_off()
        else:
            self._unread = unread
            self._timer = self._loop.call_later(STALL_SECONDS, self._look)

    def _cut_off(self) -> None:
        log.info("a connection was closed: its client stopped reading", extra={"user": self._account.person})
        self._transport.abort()
