"""Cut received bytes into websocket frames (RFC 6455, 5.2). Add headers to sent frames, and compress them (RFC 7692).

Each frame is compressed independently (`no_context_takeover`, both ways). So all clients get the same compressed
frame, and a connection needs no memory for a compressor.
"""

import zlib
from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, apply_mask  # type: ignore[attr-defined]
from websockets.typing import ExtensionParameter

TEXT = 0x81
"""The first byte of an unfragmented text frame."""
COMPRESSED = 0x40
"""The bit of the first byte that marks a compressed frame (RFC 7692, 6)."""
FINAL, OPCODE, MASKED, SIZE = 0x80, 0x0F, 0x80, 0x7F
CONTINUATION, CONTROL = 0x0, 0x8
MASK_BYTES = 4
MOST_AT_ONCE = 65_536
"""After so many bytes of text, `cut` returns, because compressed bytes may contain a thousand times as much text."""
BYTES_OF_PIECE = 1024
"""The additional memory for each text: an event, and its place in a queue."""
WINDOW_BITS = 15
LEVEL = 1
"""The fastest level of compression."""
END = b"\0\0\xff\xff"
"""The end of every compressed text. It is not sent, because the receiver appends it."""

_compressor = zlib.compressobj(LEVEL, wbits=-WINDOW_BITS)


def framed(payload: bytes, opening: int = TEXT) -> bytes:
    """Put the header of a server's frame before a payload."""
    size = len(payload)
    if size < 126:
        return bytes((opening, size)) + payload
    if size < 65_536:
        return bytes((opening, 126)) + size.to_bytes(2, "big") + payload
    return bytes((opening, 127)) + size.to_bytes(8, "big") + payload


class Cutter:
    """Cut the bytes of one client into frames. An unfragmented text frame becomes its text; other frames stay bytes."""

    __slots__ = ("_at", "_in_fragments", "_inflates", "_most", "_rest", "has_more")

    def __init__(self, most: int, *, inflates: bool) -> None:
        self._most = most
        self._inflates = inflates
        self._rest = b""
        self._at = 0
        self._in_fragments = False
        self.has_more = False
        """Whether `cut` may find more frames in the bytes that it already has."""

    @property
    def waiting(self) -> int:
        """The number of received bytes that are not yet a frame."""
        return len(self._rest) - self._at

    def cut(self, data: bytes) -> list[str | bytes]:
        """Return the complete text frames as texts, and the other complete frames as bytes.

        If a frame has more than `most` bytes, or no mask, all bytes from the beginning of this frame are returned at
        once. If too many texts are complete, only the oldest texts are returned, and `has_more` is set.
        """
        have = self._rest[self._at :] + data if data and self._rest else data or self._rest
        pieces: list[str | bytes] = []
        at, end, room = 0 if data else self._at, len(have), MOST_AT_ONCE
        while end - at >= 2:
            if room <= 0:
                self._rest, self._at, self.has_more = have, at, True
                return pieces
            size, start = have[at + 1] & SIZE, at + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                if start > end:
                    break
                size = int.from_bytes(have[at + 2 : start], "big")
            if size > self._most or not have[at + 1] & MASKED:
                pieces.append(have[at:])
                at = end
                break
            stop = start + MASK_BYTES + size
            if stop > end:
                break
            text = self._text(have[at], have[start : start + MASK_BYTES], have[start + MASK_BYTES : stop])
            pieces.append(have[at:stop] if text is None else text)
            room -= BYTES_OF_PIECE + len(pieces[-1])
            at = stop
        self._rest, self._at, self.has_more = have[at:], 0, False
        return pieces

    def release(self) -> bytes:
        """Return and drop the received bytes that are not cut yet."""
        rest, self._rest = self._rest[self._at :], b""
        self._at, self.has_more = 0, False
        return rest

    def _text(self, opening: int, mask: bytes, payload: bytes) -> str | None:
        """The text of a valid, unfragmented text frame; None for other frames."""
        is_compressed = opening == TEXT | COMPRESSED and self._inflates
        if self._in_fragments or not (opening == TEXT or is_compressed):
            self._note_fragments(opening)
            return None
        unmasked: bytes | None = apply_mask(payload, mask)
        if is_compressed and unmasked is not None:
            unmasked = inflate(unmasked, self._most)
        try:
            return None if unmasked is None else unmasked.decode()
        except UnicodeDecodeError:
            return None

    def _note_fragments(self, opening: int) -> None:
        if opening & OPCODE < CONTROL:
            self._in_fragments = not opening & FINAL


class Deflate(PerMessageDeflate):
    """Decompress frames of clients. Frames that uvicorn sends are short, so this class does not compress them."""

    def encode(self, frame: Frame) -> Frame:
        return frame


class DeflateFactory(ServerPerMessageDeflateFactory):
    """Agree to compression if the client accepts our parameters, which are the same for all clients."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], Deflate]:
        """Answer a client's offer; raise `NegotiationError` if the client needs a smaller window."""
        answer, agreed = super().process_request_params(params, accepted_extensions)
        if agreed.local_max_window_bits < WINDOW_BITS:
            raise NegotiationError("the window is too small")
        return answer, Deflate(
            remote_no_context_takeover=True,
            local_no_context_takeover=True,
            remote_max_window_bits=agreed.remote_max_window_bits,
            local_max_window_bits=WINDOW_BITS,
        )


def deflate(text: bytes) -> bytes:
    """Compress a frame's payload."""
    return (_compressor.compress(text) + _compressor.flush(zlib.Z_FULL_FLUSH))[: -len(END)]


def inflate(payload: bytes, most: int) -> bytes | None:
    """Decompress a payload; None if it is invalid, or if the result is longer than `most` bytes."""
    opener = zlib.decompressobj(wbits=-WINDOW_BITS)
    try:
        text = opener.decompress(payload + END, most)
    except zlib.error:
        return None
    return None if opener.unconsumed_tail else text
