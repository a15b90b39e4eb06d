"""A client with a websocket: it talks, changes its mind, freezes, loses its connection, moves, and comes back."""

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from tests.faults.person import ROOM, Person

OPEN_SECONDS = 15.0
PING_SECONDS = 4.0
LONGEST_PAUSE_SECONDS = 2.0


class Chatter(Person):
    """Runs until stopped. `ports` are the app processes' proxies; it goes from one to another."""

    def __init__(self, *arguments: Any, ports: Sequence[int], seconds_between: float, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._ports = ports
        self._port = self.rng.choice(ports)
        self._seconds_between = seconds_between
        self._socket: ClientConnection | None = None
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._hurry = 0
        self._hurried = asyncio.Event()
        self.handshake_seconds: list[tuple[float, int]] = []

    async def run(self) -> None:
        """Live."""
        failures = 0
        while not self.is_stopping:
            began = self._clock()
            try:
                await self._connect()
                failures = 0
            except (OSError, TimeoutError, WebSocketException, EOFError) as error:
                status = error.response.status_code if isinstance(error, InvalidStatus) else 0
                self.handshake_seconds.append((self._clock() - began, status))
                if self.connection and not isinstance(error, InvalidHandshake | TimeoutError):
                    failures = 0
                failures += 1
                self.log("connect", "failed", reason=f"{status or type(error).__name__}")
            if self.rng.random() < (0.5 if failures else 0.2):
                self._port = self.rng.choice(self._ports)
            longest = min(LONGEST_PAUSE_SECONDS, 0.25 * 2**failures)
            await asyncio.sleep(self.rng.uniform(0.05, longest))

    async def finish(self) -> None:
        """Stop for good."""
        self.is_stopping = True
        await self.hang_up()

    def hurry(self, posts: int) -> None:
        """Say several things at once, as soon as the next one is due."""
        self._hurry = posts
        self._hurried.set()

    async def hang_up(self) -> None:
        """Leave without a word, as those do whose train enters a tunnel."""
        if self._socket is not None:
            self._socket.transport.abort()

    def freeze(self) -> None:
        """Read nothing any more; the connection stays."""
        self._thawed.clear()
        if self._socket is not None:
            self._socket.transport.pause_reading()

    def thaw(self) -> None:
        """Read again."""
        self._thawed.set()
        if self._socket is not None:
            self._socket.transport.resume_reading()

    async def _connect(self) -> None:
        self.connection += 1
        began = self._clock()
        async with connect(
            f"ws://127.0.0.1:{self._port}/live?room={ROOM}&after={self.cursor}",
            additional_headers=self.headers,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=1,
            max_size=None,
            compression=None,
            proxy=None,
        ) as socket:
            self.handshake_seconds.append((self._clock() - began, 101))
            self._socket = socket
            self.log("connect", "ok", revision=self.cursor)
            reason = "bye"
            try:
                await self._talk(socket)
            except (OSError, WebSocketException) as error:
                reason = f"{type(error).__name__}: {error}"[:80]
            finally:
                self._socket = None
                self.lose(reason)

    async def _talk(self, socket: ClientConnection) -> None:
        for task in list(self.waiting.values()):
            await socket.send(json.dumps(self.try_(task)))
        speaking = asyncio.create_task(self._speak(socket))
        try:
            async for raw in socket:
                self._take(json.loads(raw))
                await self._thawed.wait()
        finally:
            speaking.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError, WebSocketException):
                await speaking

    async def _speak(self, socket: ClientConnection) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.rng.expovariate(1 / self._seconds_between)):
                    await self._hurried.wait()
            self._hurried.clear()
            await self._thawed.wait()
            if self.is_talking and self.rng.random() < 0.01:
                await self.hang_up()
            tasks = [task for task in self.waiting.values() if not task.is_sent]
            hurry, self._hurry = self._hurry, 0
            if self.is_talking:
                tasks += [task for task in (self.think() for _ in range(1 + hurry)) if task is not None]
            for task in tasks:
                await socket.send(json.dumps(self.try_(task)))

    def _take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "changes":
            for message in frame["messages"]:
                self.see(message)
            self.move_cursor(frame["revision"])
        elif kind == "stored":
            self.hear_stored(frame.get("client_id", ""), frame["id"], frame["sequence"], frame["revision"])
        elif kind == "refused":
            if "client_id" in frame:
                self.hear_refused(frame["client_id"], frame["reason"])
            else:
                self.log("connect", "failed", reason=frame["reason"])
                raise OSError(frame["reason"])
