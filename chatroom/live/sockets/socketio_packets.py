"""Validate packets of Socket.IO, and bound their number and the bytes that wait for a client.

python-engineio does not do this: it logs invalid packets as errors, and its queues have no bound.
"""

import asyncio
from typing import Any

import engineio

MOST_WAITING_BYTES = 262_144
"""While a client has more unread bytes than this, it gets no frames, and its events are not handled."""
MOST_PACKETS = 1000
"""The maximum number of packets in one long-polling request."""
SIGNS = {"1", "2", "3", "5", "6"}
"""The first characters of packets other than messages: close, ping, pong, upgrade, noop."""
LONGEST_SIGN = len("2probe")


class Outgoing(asyncio.Queue[Any]):
    """A bounded queue of the packets that wait for a client."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.room = asyncio.Event()
        self.room.set()
        self._bytes = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self._weigh(_size(item))

    def _get(self) -> Any:
        item = super()._get()
        self._weigh(-_size(item))
        return item

    def release(self) -> None:
        """If a request is waiting for packets, answer it without packets."""
        if self.empty():
            self.put_nowait(None)

    def _weigh(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_WAITING_BYTES:
            self.room.clear()
        else:
            self.room.set()


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # no types
    """python-engineio's server with bounded queues."""

    def create_queue(self, *args: Any, **kwargs: Any) -> Outgoing:
        return Outgoing(*args, **kwargs)


def are_packets(body: bytes) -> bool:
    """Whether the body of a request has valid packets, and not too many."""
    try:
        packets = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return False
    return len(packets) <= MOST_PACKETS and all(map(is_packet, packets))


def is_packet(text: str) -> bool:
    """Whether python-engineio can parse a packet."""
    if text[:1] == "4":
        return text[1:2].isascii() and text[1:2].isdigit()
    return text[:1] in SIGNS and len(text) <= LONGEST_SIGN


def _size(item: Any) -> int:
    """The approximate bytes of a packet."""
    content = getattr(item, "data", None)
    return 100 + (len(content) if isinstance(content, str | bytes) else 0)
