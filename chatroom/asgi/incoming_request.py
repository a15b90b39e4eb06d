"""Limit the size of a request's head, trailers and chunk lines, and the time for its head.

While a head arrives, its bytes count in the account of the connection.
"""

import asyncio
from collections.abc import Callable

from chatroom.asgi.budget import Account

HEAD_SECONDS = 20.0
"""The time for a request's head, from its first byte or from the start of the connection."""
HEAD_BYTES = 65_536
BYTES_AROUND_A_BYTE = 8
"""The maximum number of bytes around the body (such as chunk lines), for each byte of the body."""
TOO_LONG = "The head of the request, or the framing of its body, is too long."
TOO_MANY = "The server is receiving too many requests. Please try again in a moment."


class IncomingRequest:
    """Counts the bytes of an incoming request; calls `give_up` if its head is late."""

    __slots__ = (
        "_account",
        "_body_bytes",
        "_deadline",
        "_give_up",
        "_held",
        "_is_next",
        "_loop",
        "_other_bytes",
        "is_within",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, account: Account, give_up: Callable[[], None]) -> None:
        self._loop = loop
        self._account = account
        self._give_up = give_up
        self._deadline: asyncio.TimerHandle | None = None
        self.is_within = False
        """Whether a request is arriving."""
        self._is_next = False
        """Whether the latest bytes began with a new request."""
        self._body_bytes = 0
        self._other_bytes = 0
        """The bytes that are not body: the head, the trailers, and the lines between chunks."""
        self._held = 0

    @property
    def is_awaited(self) -> bool:
        """Whether the deadline for a head is running."""
        return self._deadline is not None

    def await_head(self, seconds: float = HEAD_SECONDS) -> None:
        """Start the deadline for a head."""
        self._deadline = self._loop.call_later(seconds, self._end_wait)

    def stop_waiting(self) -> None:
        """Stop the deadline: the head is complete, or the connection has ended."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._held:
            self._account.release(self._held)
            self._held = 0

    def begin(self) -> None:
        if not self._is_next:
            self._other_bytes = 0  # earlier bytes of the same read belong to another request
        self.is_within, self._is_next, self._body_bytes = True, False, 0
        if self._deadline is None:
            self.await_head()

    def end(self) -> None:
        self.is_within, self._other_bytes = False, 0

    def count(self, size: int) -> None:
        """Count bytes before they are parsed."""
        self._is_next = not self.is_within
        self._other_bytes += size

    def count_body(self, size: int) -> None:
        """Count received bytes as bytes of the body."""
        self._body_bytes += size
        self._other_bytes -= size

    def find_complaint(self, size: int) -> str:
        """Return what is wrong with the latest bytes, or "". While a head arrives, count these bytes in the account."""
        if self._other_bytes > HEAD_BYTES + self._body_bytes * BYTES_AROUND_A_BYTE:
            return TOO_LONG
        if self._deadline is not None:
            if not self._account.hold(size):
                return TOO_MANY
            self._held += size
        return ""

    def _end_wait(self) -> None:
        self._deadline = None
        self._give_up()
