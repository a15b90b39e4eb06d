"""What a client is told beside the news of its rooms: answers to its frames, and what concerns it alone.

Sent in the turn of the loop in which it is said, together with news where there is any; in order, and bounded.
"""

import asyncio
from collections.abc import Callable

from chatroom.live.sockets.websocket import Write, WriteNow

MAX_WAITING = 3000
"""Frames that wait to be sent; there is no room for another."""
AT_ONCE = 100


class Answers:
    """One client's. `when_sent` is called when fewer wait, `when_gone` when the client is not there any more."""

    __slots__ = ("_is_due", "_is_over", "_sending", "_waiting", "_when_gone", "_when_sent", "_write", "_write_now")

    def __init__(
        self, write: Write, write_now: WriteNow, *, when_sent: Callable[[], None], when_gone: Callable[[], None]
    ) -> None:
        self._write = write
        self._write_now = write_now
        self._when_sent = when_sent
        self._when_gone = when_gone
        self._waiting: list[bytes] = []
        self._is_due = False
        self._is_over = False
        self._sending: asyncio.Task[None] | None = None
        """Where the client does not read, and has to be waited for."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: bytes) -> bool:
        """Send a frame as soon as those before it are sent; False when there is no room for it."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(frame)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send)
        return True

    def send_with(self, news: bytes) -> bool:
        """Send news, and behind it in the same write what waits; False, and nothing is sent, when that cannot be."""
        waiting = self._waiting
        if not waiting or self._sending:
            return self._write_now(news)
        if not self._write_now(news, *waiting):
            return False
        self._forget(len(waiting))
        return True

    def stop(self) -> None:
        """Send nothing more."""
        self._is_over = True
        if self._sending is not None:
            self._sending.cancel()

    def _send(self) -> None:
        """Send what no news took along."""
        if self._is_over:
            return
        if self._waiting and not self._write_now(*self._waiting):
            self._sending = asyncio.get_running_loop().create_task(self._send_as_they_read())
            return
        self._is_due = False
        self._forget(len(self._waiting))

    async def _send_as_they_read(self) -> None:
        try:
            while some := self._waiting[:AT_ONCE]:
                await self._write(*some)
                self._forget(len(some))
        except OSError:
            self._when_gone()  # it will ask again under the same client ids
        finally:
            self._is_due, self._sending = False, None

    def _forget(self, count: int) -> None:
        del self._waiting[:count]
        self._when_sent()
