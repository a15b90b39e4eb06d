"""Hold a room's newest changes in memory, and send them to waiting readers.

Changes may be offered twice, late or out of order. The tail has no gaps, and a limited size.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterable

from chatroom.base.models import Message
from chatroom.live import protocol
from chatroom.live.protocol import Format
from chatroom.site.metrics import NO_METRICS, Metrics

log = logging.getLogger(__name__)

FRAME_MESSAGES = 500
FRAME_BYTES = 128_000
KEPT_FRAMES = 8
"""The maximum number of cached frames."""

SendNow = Callable[[bytes], bool]
"""A function that sends a frame at once. If it would have to wait, it sends nothing and returns False."""


def bounded_frame(slug: str, pieces: Iterable[tuple[int, bytes]], newest: int) -> tuple[bytes, int, int]:
    """Make one frame from encoded messages. Each piece is a message's revision and the encoded message.

    Return the frame, the cursor after it, and the number of messages. If all messages fit, the cursor is `newest`.
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
    """One change: a message at one revision. It is encoded once for each format."""

    __slots__ = ("brief", "html", "message", "size", "text")

    def __init__(self, message: Message) -> None:
        self.message = message
        # An estimate of the number of encoded bytes.
        self.size = 2 * (sys.getsizeof(message.text) + sys.getsizeof(message.html)) + 600
        self.text: bytes | None = None
        self.html: bytes | None = None
        self.brief: bytes | None = None

    def encoded(self, format: Format) -> bytes:
        """The message, encoded for a frame."""
        piece: bytes | None = getattr(self, format)
        if piece is None:
            piece = protocol.encode_message(self.message, format)
            setattr(self, format, piece)
        return piece


class Waiter:
    """A reader that has all changes. The tail sends new changes with `send_now`, while the reader's task sleeps."""

    __slots__ = ("cursor", "format", "send_now", "woken")

    def __init__(self, cursor: int, format: Format, send_now: SendNow) -> None:
        self.cursor = cursor
        self.format = format
        self.send_now = send_now
        self.woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Tail:
    """The newest changes of one room: all changes after the revision `start`, up to `revision`."""

    def __init__(
        self, slug: str, revision: int, *, max_messages: int, max_bytes: int, metrics: Metrics = NO_METRICS
    ) -> None:
        self.slug = slug
        self.start = revision
        self.revision = revision
        self.metrics = metrics
        self._spread_to = revision
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: deque[Entry] = deque()
        self._latest: dict[str, int] = {}  # by message id: the newest revision in this tail
        self._waiting: dict[Waiter, None] = {}
        self._frames: dict[tuple[int, Format], tuple[bytes, int, int]] = {}

    def offer(self, messages: Iterable[Message]) -> bool:
        """Append the next changes, and ignore known changes. Return False if a change is missing."""
        before = self.revision
        is_dense = True
        for message in sorted(messages, key=lambda message: message.revision):
            if message.revision == self.revision + 1:
                self._take(message)
            elif message.revision > self.revision:
                is_dense = False
                break
        if self.revision > before:
            self._spread("memory")
        return is_dense

    def fill(self, messages: Iterable[Message]) -> None:
        """Append all changes after `revision`, as they were read from the store. `show` sends them later.

        If a message has changed several times, the store has only its newest revision.
        """
        for message in messages:
            if message.revision > self.revision:
                self._take(message)

    def show(self) -> None:
        """Send unsent changes to waiting readers."""
        if self.revision > self._spread_to:
            self._spread("database")

    def frame(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Return a frame with changes after `cursor`, the cursor after the frame, and the number of messages.

        `cursor` must not be before `start`. Readers with the same cursor get the same frame.
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
        """Wait until the reader's task must act, and return the reader's new cursor. The reader must have all changes.

        During the wait, new changes are sent with `send_now`. When `send_now` returns False, the wait ends.
        """
        waiter = Waiter(cursor, format, send_now)
        self._waiting[waiter] = None
        try:
            await waiter.woken
        finally:
            self._waiting.pop(waiter, None)
        return waiter.cursor

    def wake(self) -> None:
        """Wake all waiting readers, because there is news such as a new presence."""
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            _wake(waiter)

    def _spread(self, source: str) -> None:
        """Send one frame of new changes to each waiting reader. Wake the readers that still lack changes.

        To wake a reader's task would cost more than to send the frame here.
        """
        self._frames.clear()
        changes, self._spread_to = self.revision - self._spread_to, self.revision
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.woken.done() and self._send_to(waiter):
                self._waiting[waiter] = None
            else:
                _wake(waiter)
        if waiting:
            oldest = self._entries[-min(changes, len(self._entries))].message
            sent_at = oldest.sent_at if oldest.revision == oldest.sequence else None
            self.metrics.delivered(changes, len(self._waiting), sent_at, source=source)

    def _send_to(self, waiter: Waiter) -> bool:
        """Send one frame to a reader. Return True if the reader now has all changes."""
        if waiter.cursor >= self.revision:  # the cursor comes from another process, which knows newer changes
            return True
        if waiter.cursor < self.start:
            return False
        try:
            frame, cursor, _ = self.frame(waiter.cursor, waiter.format)
            if not waiter.send_now(frame):
                return False
        except Exception:
            # The other readers must still get the frame. The task of this reader wakes, and tries to send the frame.
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
            # If a message has several changes, only the newest is sent.
            if self._latest.get(entry.message.id) == entry.message.revision
        )
        return bounded_frame(self.slug, pieces, self.revision)

    def _after(self, cursor: int) -> Iterable[Entry]:
        found = []
        for entry in reversed(self._entries):
            if entry.message.revision <= cursor:
                break
            found.append(entry)
        return reversed(found)


def _wake(waiter: Waiter) -> None:
    if not waiter.woken.done():  # otherwise the reader is awake already, or its task was cancelled
        waiter.woken.set_result(None)
