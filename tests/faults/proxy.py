"""A TCP proxy that can be made to misbehave: hold, delay, drip, cut in the middle, reset, or let nobody in.

Bytes are delayed or lost with their connection, never dropped alone: that is what TCP does.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Literal

Direction = Literal["up", "down"]
"""Up: from whoever connected to the server behind; down: back."""

CHUNK_BYTES = 65_536
DRIP_BYTES = 7
CONNECT_SECONDS = 2.0


class Link:
    """One connection through the proxy. `kind` says who it is, by the first bytes that it sent."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.near = near
        self.far: asyncio.StreamWriter | None = None
        self.kind = ""
        self.cut_after: dict[Direction, int] = {}
        self.lateness = random.random()
        """How late it is when connections are scattered: 1 is the latest."""

    def cut(self, direction: Direction, after_bytes: int) -> None:
        """Let so many more bytes through that way, then reset both sides: in the middle of whatever it is."""
        self.cut_after[direction] = after_bytes

    def reset(self) -> None:
        """End both sides at once, with a reset."""
        for writer in (self.near, self.far):
            if writer is not None:
                _reset(writer)


class Proxy:
    """Listens on `port`, its own from the beginning, for the server on `target`.

    Faults apply to links of the kinds that they name, or to all.
    """

    def __init__(self, target: int, *, classify: Callable[[bytes], str] = lambda _: "") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.target = target
        self.links: set[Link] = set()
        self.delay_seconds = 0.0
        self.scatter_seconds = 0.0
        """Each connection is late by a time of its own, up to this: so answers overtake each other."""
        self.is_dripping = False
        self._classify = classify
        self._held: set[tuple[str, Direction]] = set()
        self._released = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._enter, sock=self._listener)

    async def stop(self) -> None:
        """Close every connection, and listen no longer."""
        if self._server is not None:
            self._server.close()
        self._listener.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self, kinds: Iterable[str] = ("",), directions: Iterable[Direction] = ("up", "down")) -> None:
        """Be a black hole: bytes wait here, and nobody is told. `""` among the kinds means everybody."""
        self._held |= {(kind, direction) for kind in kinds for direction in directions}

    def heal(self) -> None:
        """Behave again; what was held goes on its way, as after a repaired cable."""
        self._held.clear()
        self.delay_seconds = self.scatter_seconds = 0.0
        self.is_dripping = False
        self._released.set()
        self._released = asyncio.Event()

    def reset(self, kinds: Iterable[str] = ("",)) -> int:
        """Reset every connection of these kinds, and count them."""
        kinds = set(kinds)
        links = [link for link in self.links if "" in kinds or link.kind in kinds]
        for link in links:
            link.reset()
        return len(links)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(writer)
        self.links.add(link)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(link, reader)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # the connection ends, whoever ended it
        finally:
            link.reset()
            self.links.discard(link)
            self._tasks.discard(task)

    async def _carry(self, link: Link, near: asyncio.StreamReader) -> None:
        first = await near.read(CHUNK_BYTES)
        link.kind = self._classify(first)
        await self._wait_while_held(link, "up")
        async with asyncio.timeout(CONNECT_SECONDS):
            far, link.far = await asyncio.open_connection("127.0.0.1", self.target)
        ways = [
            asyncio.ensure_future(self._pump(link, near, link.far, "up", first)),
            asyncio.ensure_future(self._pump(link, far, link.near, "down", b"")),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                if way.done():
                    way.result()
            # The other side may still have something to say: it gets a moment, then the link ends.
            await asyncio.wait(ways, timeout=0.2)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction, first: bytes
    ) -> None:
        chunk = first or await reader.read(CHUNK_BYTES)
        while chunk:
            late = self.delay_seconds * random.uniform(0.5, 1.5) + self.scatter_seconds * link.lateness
            if late:
                await asyncio.sleep(late)
            await self._wait_while_held(link, direction)
            await self._pass_on(link, chunk, writer, direction)
            chunk = await reader.read(CHUNK_BYTES)
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _pass_on(self, link: Link, chunk: bytes, writer: asyncio.StreamWriter, direction: Direction) -> None:
        left = link.cut_after.get(direction)
        if left is not None:
            if len(chunk) >= left:
                writer.write(chunk[:left])
                await writer.drain()
                await asyncio.sleep(0.005)  # so that the half is on its way before the reset
                raise ConnectionResetError
            link.cut_after[direction] = left - len(chunk)
        pieces = [chunk]
        if self.is_dripping and len(chunk) < 2_000:
            pieces = [chunk[start : start + DRIP_BYTES] for start in range(0, len(chunk), DRIP_BYTES)]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.0005)

    async def _wait_while_held(self, link: Link, direction: Direction) -> None:
        while {("", direction), (link.kind, direction)} & self._held:
            await self._released.wait()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
