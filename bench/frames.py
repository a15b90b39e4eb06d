"""A minimal websocket client (RFC 6455): encode frames, decode frames.

It uses little CPU, so that the load generator is never the bottleneck.
"""

import zlib
from collections.abc import Iterator
from typing import ClassVar

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
COMPRESSED = 0x40
_KEPT = 64
_NO_MASK = b"\0\0\0\0"  # a mask of zeros is allowed, and does not change the payload


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
    """A compressed payload and its content, decompressed once for all sockets that receive it."""

    _kept: ClassVar[dict[bytes, "Inflated"]] = {}

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self.payload = zlib.decompressobj(-15).decompress(packed + b"\0\0\xff\xff")
        self._counts: dict[bytes, int] = {}

    @classmethod
    def of(cls, packed: bytes) -> "Inflated":
        """Decompress a payload, or return it from the cache of recent payloads."""
        end = packed[-24:]  # a short key is cheaper; the whole payload is compared below
        found = cls._kept.get(end)
        if found is None or found._packed != packed:
            while len(cls._kept) >= _KEPT:
                del cls._kept[next(iter(cls._kept))]
            found = cls._kept[end] = cls(packed)
        return found

    def count(self, mark: bytes) -> int:
        """Return how often the payload contains a mark."""
        if mark not in self._counts:
            self._counts[mark] = self.payload.count(mark)
        return self._counts[mark]


class Decoder:
    """Decodes received bytes into whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def between_frames(self) -> bool:
        """Return whether all received frames are complete."""
        return not self._rest

    def feed(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of each complete frame; frames of a server have no mask."""
        for first, payload in self._raw(received):
            yield first & 0x0F, Inflated.of(payload).payload if first & COMPRESSED else payload

    def count(self, received: bytes, mark: bytes) -> int:
        """Count a mark in the complete frames."""
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
