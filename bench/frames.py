"""Speak just enough websocket (RFC 6455) to be a client: mask what is sent, take apart what arrives.

Costs as little as it can: a load generator must never be what is measured.
"""

import zlib
from collections.abc import Iterator
from typing import ClassVar

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
COMPRESSED = 0x40
_KEPT = 64
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


class Inflated:
    """A compressed payload and what is in it: many sockets are sent the same, and it is opened once for them all."""

    _kept: ClassVar[dict[bytes, "Inflated"]] = {}

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self.payload = zlib.decompressobj(-15).decompress(packed + b"\0\0\xff\xff")
        self._counts: dict[bytes, int] = {}

    @classmethod
    def of(cls, packed: bytes) -> "Inflated":
        """Open a payload, unless it is one of those that were opened just now."""
        end = packed[-24:]  # cheaper to look up than all of it, which is compared afterwards
        found = cls._kept.get(end)
        if found is None or found._packed != packed:
            while len(cls._kept) >= _KEPT:
                del cls._kept[next(iter(cls._kept))]
            found = cls._kept[end] = cls(packed)
        return found

    def count(self, mark: bytes) -> int:
        """How often a mark is in it."""
        if mark not in self._counts:
            self._counts[mark] = self.payload.count(mark)
        return self._counts[mark]


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
        for first, payload in self._raw(received):
            yield first & 0x0F, Inflated.of(payload).payload if first & COMPRESSED else payload

    def count(self, received: bytes, mark: bytes) -> int:
        """Count a mark in each frame that is now complete."""
        return sum(
            Inflated.of(payload).count(mark) if first & COMPRESSED else payload.count(mark)
            for first, payload in self._raw(received)
        )

    def _raw(self, received: bytes) -> Iterator[tuple[int, bytes]]:
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
            yield have[at], have[start : start + size]
            at = start + size
        self._rest = have[at:]
