"""Hold a room's newest changes in memory, and send them to the readers who wait for more.

Changes may be offered twice, late or out of order; they are kept dense, and bounded in number and bytes.
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
"""Readers who return are at many different cursors; a frame for each would hold the tail many times over."""

SendNow = Callable[[bytes], bool]
"""Send a frame without waiting; False, and nothing is sent, if that is not possible now."""


def bounded_frame(slug: str, pieces: Iterable[tuple[int, bytes]], newest: int) -> tuple[bytes, int, int]:
    """Join encoded messages, each with its revision, up to the size of one frame.

    Returns the frame, the cursor after it (`newest` if it has all messages), and how many messages it has.
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
    """One change: a message as it was at that revision, encoded once for each format in use."""

    __slots__ = ("brief", "html", "message", "size", "text")

    def __init__(self, message: Message) -> None:
        self.message = message
        # An estimate of its bytes once it is encoded.
        self.size = 2 * (sys.getsizeof(message.text) + sys.getsizeof(message.html)) + 600
        self.text: bytes | None = None
        self.html: bytes | None = None
        self.brief: bytes | None = None

    def encoded(self, format: Format) -> bytes:
        """The message as a piece of a frame."""
        piece: bytes | None = getattr(self, format)
        if piece is None:
            piece = protocol.encode_message(self.message, format)
            setattr(self, format, piece)
        return piece


class Waiter:
    """A reader who has seen everything, and can be sent what comes next without being woken."""

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
        """Take the changes that come next, ignore known ones; False if there is a gap before them."""
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
        """Take what the store has after `revision`, in order; a missing revision means that its message changed again.

        Readers get it at `show`, or with the next changes that are offered.
        """
        for message in messages:
            if message.revision > self.revision:
                self._take(message)

    def show(self) -> None:
        """Send what has not been sent yet."""
        if self.revision > self._spread_to:
            self._spread()

    def frame(self, cursor: int, format: Format) -> tuple[bytes, int, int]:
        """Everything after `cursor`, as one bounded frame: the frame, the new cursor, and how many messages it has.

        It is made once for all readers at the same cursor. `cursor` must not be before `start`.
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
        """Wait until a reader who has seen everything has to act again, and return its cursor.

        New changes are sent to it with `send_now`, as long as that succeeds.
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
        """Send what is new to all waiting readers, and wake those that need more than one frame.

        Each of hundreds of readers costs a call this way; waking its task would cost more than sending does.
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
        """Send one frame to a reader; True if the reader has everything then."""
        if waiter.cursor >= self.revision:  # it has read further, through another process
            return True
        if waiter.cursor < self.start:
            return False
        try:
            frame, cursor, _ = self.frame(waiter.cursor, waiter.format)
            if not waiter.send_now(frame):
                return False
        except Exception:
            # Other readers must not suffer for it. This one is woken, and ends if sending fails again.
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
            # A message that was changed again comes once, in its latest state.
            if self._latest.get(entry.message.id) == entry.message.revision
        )
        return bounded_frame(self.slug, pieces, self.revision)

    def _after(self, cursor: int) -> Iterable[Entry]:
        """The entries after `cursor`. Most readers miss only the last few, so it searches from the end."""
        found = []
        for entry in reversed(self._entries):
            if entry.message.revision <= cursor:
                break
            found.append(entry)
        return reversed(found)


def _wake(waiter: Waiter) -> None:
    if not waiter.woken.done():  # or its follower was cancelled
        waiter.woken.set_result(None)
