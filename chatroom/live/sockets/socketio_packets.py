"""Socket.IO's packets: which are valid, how many may come at once, and how many bytes may wait for a client.

python-engineio decodes any input, logs invalid input as its own error, and queues without a bound.
"""

import asyncio
from typing import Any

import engineio

MOST_WAITING_BYTES = 262_144
"""Bytes that a client has not read yet; while more wait, it is sent nothing, and none of its events is taken."""
MOST_PACKETS = 1000
"""In one request of long-polling, which has all packets of a burst. Its bytes are bounded too."""
SIGNS = {"1", "2", "3", "5", "6"}
"""The first characters of packets other than messages: close, ping, pong, upgrade, noop."""
LONGEST_SIGN = len("2probe")


class Outgoing(asyncio.Queue[Any]):
    """What waits for a client, and whether there is room for more: python-engineio's own queue has no bound."""

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
        """End a waiting request without packets: python-engineio would leave it waiting."""
        if self.empty():
            self.put_nowait(None)

    def _weigh(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_WAITING_BYTES:
            self.room.clear()
        else:
            self.room.set()


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # no types
    """python-engineio's server, with queues that say when they are full."""

    def create_queue(self, *args: Any, **kwargs: Any) -> Outgoing:
        return Outgoing(*args, **kwargs)


def are_packets(body: bytes) -> bool:
    """Whether a request holds packets, and not too many."""
    try:
        packets = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return False
    return len(packets) <= MOST_PACKETS and all(map(is_packet, packets))


def is_packet(text: str) -> bool:
    """Whether python-engineio can parse it: it logs other packets as errors with a traceback."""
    if text[:1] == "4":
        return text[1:2].isascii() and text[1:2].isdigit()
    return text[:1] in SIGNS and len(text) <= LONGEST_SIGN


def _size(item: Any) -> int:
    """About how many bytes a packet holds."""
    content = getattr(item, "data", None)
    return 100 + (len(content) if isinstance(content, str | bytes) else 0)
