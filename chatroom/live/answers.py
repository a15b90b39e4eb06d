"""Send one client all frames that are not changes, for example answers.

Frames are sent in order.
"""

import asyncio
from collections.abc import Callable

from chatroom.live.sockets.websocket import Write, WriteNow

MAX_WAITING = 3000
"""The maximum number of frames that wait to be sent. A further frame ends the connection."""
MAX_IN_FLIGHT = 1000
"""At this number of posts and changes without an answer, no more frames of the client are read."""
AT_ONCE = 100


class Answers:
    """The frames for one client. Calls `when_full` if too many frames wait, and `when_gone` if the client is gone."""

    __slots__ = (
        "_in_flight",
        "_is_due",
        "_is_over",
        "_sending",
        "_sent",
        "_waiting",
        "_when_full",
        "_write",
        "_write_now",
        "when_gone",
    )

    def __init__(
        self, write: Write, write_now: WriteNow, *, when_full: Callable[[], None], when_gone: Callable[[], None]
    ) -> None:
        self._write = write
        self._write_now = write_now
        self._when_full = when_full
        self.when_gone = when_gone
        self._waiting: list[bytes] = []
        self._in_flight = 0
        self._is_due = False
        self._is_over = False
        self._sending: asyncio.Task[None] | None = None
        """The task that sends while the client reads slowly."""
        self._sent: asyncio.Event | None = None

    @property
    def are_many(self) -> bool:
        """Whether the caller must await `until_few` before it takes the client's next frame."""
        return self._is_over or self._in_flight + len(self._waiting) >= MAX_IN_FLIGHT

    def put(self, frame: bytes) -> None:
        """Queue a frame."""
        if self._is_over:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._when_full()
            return
        self._waiting.append(frame)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send)

    def expect(self) -> None:
        """Count an answer that `settle` will queue later."""
        self._in_flight += 1

    def settle(self, frame: bytes) -> None:
        """Queue an answer that `expect` counted."""
        self._in_flight -= 1
        self.put(frame)

    async def until_few(self) -> None:
        """Wait until `are_many` is False. Raise `ConnectionResetError` when the connection has ended."""
        while self.are_many and not self._is_over:
            self._sent = asyncio.Event()
            await self._sent.wait()
        if self._is_over:
            raise ConnectionResetError("the connection has ended")

    def send_with(self, news: bytes) -> bool:
        """Send changes and all waiting frames in one write. If the write would block, send nothing and return False."""
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
        self._wake()
        if self._sending is not None:
            self._sending.cancel()

    def _send(self) -> None:
        """Send the frames that `send_with` has not sent."""
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
            self.when_gone()
        finally:
            self._is_due, self._sending = False, None

    def _forget(self, count: int) -> None:
        del self._waiting[:count]
        self._wake()

    def _wake(self) -> None:
        if self._sent is not None:
            self._sent.set()
