"""Hold a room's newest changes in memory, and wake those who wait for more.

Changes may be offered twice, late or out of order; they are kept dense, and bounded in number and bytes.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from chatroom.live import protocol
from chatroom.live.protocol import Format
from chatroom.models import Message

FRAME_MESSAGES = 500
FRAME_BYTES = 512_000


class Entry:
    """One change: a message as it was at that revision, encoded once for each format in use."""

    __slots__ = ("_html", "_text", "message", "size")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.size = 2 * (len(message.text) + len(message.html)) + 400  # about what it holds once encoded
        self._text: bytes | None = None
        self._html: bytes | None = None

    def encoded(self, format: Format) -> bytes:
        """The message as a piece of a frame."""
        if format == "html":
            if self._html is None:
                self._html = protocol.encode_message(self.message, "html")
            return self._html
        if self._text is None:
            self._text = protocol.encode_message(self.message, "text")
        return self._text


class Tail:
    """The newest changes of one room: everything after `start`, up to `revision`."""

    def __init__(self, slug: str, revision: int, *, max_messages: int, max_bytes: int) -> None:
        self.slug = slug
        self.start = revision
        self.revision = revision
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._entries: deque[Entry] = deque()
        self._latest: dict[str, int] = {}  # message id -> its newest revision here
        self._waiting: list[asyncio.Future[None]] = []
        self._frames: dict[tuple[int, Format], tuple[str, int, int]] = {}

    def offer(self, messages: Iterable[Message]) -> bool:
        """Take the changes that come next, ignore those that are here; False when they leave a gap before them."""
        before = self.revision
        is_dense = True
        for message in sorted(messages, key=lambda message: message.revision):
            if message.revision == self.revision + 1:
                self._take(message)
            elif message.revision > self.revision:
                is_dense = False
                break
        if self.revision > before:
            self._wake()
        return is_dense

    def fill(self, messages: Iterable[Message]) -> None:
        """Take what the store has after `revision`, by revision: what is missing in between was changed again since."""
        before = self.revision
        for message in messages:
            if message.revision > self.revision:
                self._take(message)
        if self.revision > before:
            self._wake()

    def restart(self, revision: int) -> None:
        """Forget the changes and go on from `revision`; readers who are behind turn to the store."""
        self._entries.clear()
        self._latest.clear()
        self._bytes = 0
        self.start = self.revision = revision
        self._wake()

    def frame(self, cursor: int, format: Format) -> tuple[str, int, int]:
        """Everything after `cursor`, as one bounded frame: the frame, the new cursor, and how many messages it has.

        It is made once for all who are at the same cursor. `cursor` must not be before `start`.
        """
        key = (cursor, format)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = self._make_frame(cursor, format)
        return frame

    async def grown(self) -> None:
        """Wait until there is more, or until `wake`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future

    def wake(self) -> None:
        """Wake everybody who waits, for news of another kind than messages."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():  # a follower that was cancelled
                future.set_result(None)

    def _wake(self) -> None:
        self._frames.clear()
        self.wake()

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

    def _make_frame(self, cursor: int, format: Format) -> tuple[str, int, int]:
        pieces: list[bytes] = []
        size = 0
        revision = self.revision
        for entry in self._after(cursor):
            message = entry.message
            if self._latest.get(message.id) != message.revision:
                continue  # changed again since: it comes once, in its latest state
            piece = entry.encoded(format)
            if pieces and (len(pieces) == FRAME_MESSAGES or size + len(piece) > FRAME_BYTES):
                break
            pieces.append(piece)
            size += len(piece)
            revision = message.revision
        else:
            revision = self.revision
        return protocol.changes(self.slug, revision, pieces), revision, len(pieces)

    def _after(self, cursor: int) -> Iterable[Entry]:
        """The entries after `cursor`; most readers miss only the last few, so search from the end."""
        found = []
        for entry in reversed(self._entries):
            if entry.message.revision <= cursor:
                break
            found.append(entry)
        return reversed(found)
