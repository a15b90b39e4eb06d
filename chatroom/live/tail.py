"""Hold a room's newest changes in memory, and send them to waiting readers.

Changes may be offered twice, late or out of order. The tail has no gaps, and is limited in number and bytes.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable

from chatroom.base.models import Message
from chatroom.live import protocol
from chatroom.live.protocol import Format

log = logging.getLogger(__name__)

FRAME_MESSAGES = 500
FRAME_BYTES = 128_000
KEPT_FRAMES = 8
"""The most cached frames: each is a copy of messages, and returning readers have many different cursors."""

SendNow = Callable[[bytes], bool]
"""A function that sends a frame without waiting; returns False, and sends nothing, if it would have to wait."""


def bounded_frame(slug: str, pieces: Iterable[tuple[int, bytes]], newest: int) -> tuple[bytes, int, int]:
    """Join encoded messages, each with its revision, up to the size of one frame.

    Returns the frame, the cursor after the frame (`newest` if the frame has all messages), and the number of messages.
    """
    taken: list[bytes] = []
    size = cursor = 0
    for revision, piece in pieces:
        if taken and (len(taken) == FRAME_MESSAGES or size + len(piece) > FRAME_BYTES):
            break
        taken.append(piece)
        size += len(piece)
        cursor = revision
    else:
        cursor = newest
    return protocol.changes(slug, cursor, taken), cursor, len(taken)


class Entry:
    """One change: a message at one revision, encoded once for each format in use."""

    __slots__ = ("brief", "html", "message", "size", "text")

    def __init__(self, message: Message) -> None:
        self.message = message
        # An estimate of the encoded bytes.
        self.size = 2 * (sys.getsizeof(message.text) + sys.getsizeof(message.html)) + 600
        self.text: bytes | None = None
        self.html: bytes | None = None
        self.brief: bytes | None = None

    def encoded(self, format: Format) -> bytes:
        """The encoded message, a piece of a frame."""
        piece: bytes | None = getattr(self, format)
        if piece is None:
            piece = protocol.encode_message(self.message, format)
            setattr(self, format, piece)
        return piece


class Waiter:
    """A reader who has all changes. New changes are sent with `send_now`, without waking the reader's task."""

    __slots__ = ("cursor", "format", "send_now", "woken")

    def __init__(self, cursor: int, format: Format, send_now: SendNow) -> None:
        self.cursor = cursor
        self.format = format
        self.send_now = send_now
        self.woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Tail:
    """The newest changes of one room: everything after `start`, up to `revision`."""

    def __init__(self, slug: str, revision: int, *, max_messages: int, max_bytes: int) -> None:
        self.slug = slug
        self.start = revision
        self.revision = revision
        self._spread_to = revision
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: deque[Entry] = deque()
        self._latest: dict[str, int] = {}  # message id -> its newest revision here
        self._waiting: dict[Waiter, None] = {}
        self._frames: dict[tuple[int, Format], tuple[bytes, int, int]] = {}

    def offer(self, messages: Iterable[Message]) -> bool:
        """Append the next changes, and ignore known changes; return False if changes in between are missing."""
        before = self.revision
        is_dense = True
        for message in sorted(messages, key=lambda message: message.revision):
            if message.revision == self.revision + 1:
                self._take(message)
            elif message.revision > self.revision:
                is_dense = False
                break
        if self.revision > before:
            self._spread()
        return is_dense

    def fill(self, messages: Iterable[Message]) -> None:
        """Append all changes after `revision` from the store, in order.

        A revision is missing if its message has changed again. Readers get the changes at the next `show` or `offer`.
        """
        for message in messages:
            if message.revision > self.revision:
                self._take(message)

    def show(self) -> None:
        """Send unsent changes to waiting readers."""
        if self.revision > self._spread_to:
            self._spread()

    def frame(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Return a bounded frame with the changes after `cursor`, the new cursor, and the number of messages.

        The frame is made once for all readers at the same cursor. `cursor` must not be before `start`.
        """
        key = (cursor, format)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._make_frame(cursor, format)
            if len(self._frames) == KEPT_FRAMES:
                del self._frames[next(iter(self._frames))]
            self._frames[key] = frame
        return frame

    async def wait(self, cursor: int, format: Format, send_now: SendNow) -> int:
        """Wait, for a reader that has all changes, until its task must act again; return the reader's new cursor.

        Until then, `send_now` sends new changes, as long as `send_now` succeeds.
        """
        waiter = Waiter(cursor, format, send_now)
        self._waiting[waiter] = None
        try:
            await waiter.woken
        finally:
            self._waiting.pop(waiter, None)
        return waiter.cursor

    def wake(self) -> None:
        """Wake all waiting readers, for news other than changes."""
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            _wake(waiter)

    def _spread(self) -> None:
        """Send new changes to all waiting readers, and wake the readers that need more than one frame.

        This costs one call for each reader; waking each reader's task would cost more than sending.
        """
        self._frames.clear()
        self._spread_to = self.revision
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.woken.done() and self._send_to(waiter):
                self._waiting[waiter] = None
            else:
                _wake(waiter)

    def _send_to(self, waiter: Waiter) -> bool:
        """Send one frame to a reader; True if the reader then has all changes."""
        if waiter.cursor >= self.revision:  # the reader is ahead: its cursor is from another process
            return True
        if waiter.cursor < self.start:
            return False
        try:
            frame, cursor, _ = self.frame(waiter.cursor, waiter.format)
            if not waiter.send_now(frame):
                return False
        except Exception:
            # Other readers must not fail as well. This reader is woken, and ends if sending fails again.
            log.exception("a frame could not be sent to a waiting reader")
            return False
        waiter.cursor = cursor
        return cursor == self.revision

    def _take(self, message: Message) -> None:
        entry = Entry(message)
        self._entries.append(entry)
        self._latest[message.id] = message.revision
        self._bytes += entry.size
        self.revision = message.revision
        while len(self._entries) > self._max_messages or (self._bytes > self._max_bytes and len(self._entries) > 1):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._entries.popleft()
        self._bytes -= oldest.size
        self.start = oldest.message.revision
        if self._latest.get(oldest.message.id) == oldest.message.revision:
            del self._latest[oldest.message.id]

    def _make_frame(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        pieces = (
            (entry.message.revision, entry.encoded(format))
            for entry in self._after(cursor)
            # A message that has changed again is sent once, in its latest state.
            if self._latest.get(entry.message.id) == entry.message.revision
        )
        return bounded_frame(self.slug, pieces, self.revision)

    def _after(self, cursor: int) -> Iterable[Entry]:
        """The entries after `cursor`, searched from the end, because most readers miss only the last few."""
        found = []
        for entry in reversed(self._entries):
            if entry.message.revision <= cursor:
                break
            found.append(entry)
        return reversed(found)


def _wake(waiter: Waiter) -> None:
    if not waiter.woken.done():  # done: woken before, or its follower was cancelled
        waiter.woken.set_result(None)
