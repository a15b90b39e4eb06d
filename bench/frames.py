"""Speak just enough websocket (RFC 6455) to be a client: mask what is sent, take apart what arrives.

Costs as little as it can: a load generator must never be what is measured.
"""

from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
_NO_MASK = b"\0\0\0\0"  # masking with zeros is allowed, and leaves the payload as it is


def encode(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one masked frame."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return head + _NO_MASK + payload


class Decoder:
    """Bytes in, whole frames out."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def between_frames(self) -> bool:
        """Whether everything fed so far came out again."""
        return not self._rest

    def feed(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of each frame that is now complete; a server's frames carry no mask."""
        have = self._rest + received if self._rest else received
        at, end = 0, len(have)
        while end - at >= 2:
            size, start = have[at + 1] & 0x7F, at + 2
            if size == 126:
                size, start = int.from_bytes(have[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(have[at + 2 : at + 10], "big"), at + 10
            if start + size > end or start > end:
                break
            yield have[at] & 0x0F, have[start : start + size]
            at = start + size
        self._rest = have[at:]
