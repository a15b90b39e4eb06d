"""Receive on a websocket: text frames directly, all other frames through uvicorn.

If frames arrive too fast, the socket is not read until the connection has handled all received frames.
"""

import asyncio
from collections import deque
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from chatroom.asgi.budget import ACCOUNT, Account, Budget
from chatroom.live.sockets.frames import Cutter

MOST_AFTER_CLOSE = 65_536
"""The maximum number of bytes that are read while a connection is closing."""
OTHERS_AT_ONCE = 20
OTHERS_PER_SECOND = 200.0
"""The maximum rate of pings, pongs and parts of messages. A faster client must wait."""
MOST_TAKEN = 8
"""At this number of waiting texts, the socket is no longer read."""

Event = dict[str, Any]
_NOTHING: deque[Event] = deque(maxlen=0)


class Inbox:
    """A queue of events for one consumer task. It needs less memory than an `asyncio.Queue`."""

    __slots__ = ("_events", "_waiting")

    def __init__(self) -> None:
        self._events = _NOTHING
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, event: Event) -> None:
        if not self._events:
            self._events = deque()
        self._events.append(event)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def get(self) -> Event:
        """Take the oldest event, or wait for one."""
        if not self._events:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        event = self._events.popleft()
        if not self._events:
            self._events = _NOTHING
        return event

    def empty(self) -> bool:
        return not self._events

    def qsize(self) -> int:
        return len(self._events)


class IncomingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol with limits on received data."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.queue = Inbox()  # type: ignore[assignment]
        self._account: Account = self.app_state.get(ACCOUNT) or Account(Budget())
        self._cutter: Cutter | None = None
        """None until the end of the handshake."""
        self._after_close = 0
        self._waiting = 0
        self._is_resting = False

    def data_received(self, data: bytes) -> None:
        """Queue texts directly, and pass all other frames to uvicorn, one by one."""
        if self._cutter is None or self.conn.state is not State.OPEN:
            self._receive_otherwise(data)
            return
        others = 0
        for piece in self._cutter.cut(data):
            if self._is_over():
                break  # an earlier frame closed the connection
            if isinstance(piece, str):
                self._take(piece)
            else:
                others += 1
                super().data_received(piece)
        if others > OTHERS_AT_ONCE or self._cutter.has_more:
            self._stop_reading(others)

    async def receive(self) -> Any:
        """Take an event. When all received events are taken, read the socket again."""
        event = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self._read_on()
        return event

    def handle_ping(self) -> None:
        """Answer a ping, unless the client does not read earlier answers."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._account.release(self._waiting)
        self._waiting = 0
        self._account.close()
        super().connection_lost(exc)

    def _is_over(self) -> bool:
        return self.disconnected or self.close_sent or self.transport.is_closing()

    def _take(self, text: str) -> None:
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused and self.queue.qsize() >= MOST_TAKEN:
            self.read_paused = True
            self.transport.pause_reading()

    def _receive_otherwise(self, data: bytes) -> None:
        """Take bytes that arrive before the connection is open, or a limited number of bytes while it is closing."""
        if self._cutter is None:
            if self.handshake_initiated:
                self.transport.abort()  # the client did not wait for the answer to its handshake
            else:
                super().data_received(data)
            return
        self._after_close += len(data) + self._cutter.waiting
        if self._after_close <= MOST_AFTER_CLOSE:
            super().data_received(self._cutter.release() + data)
        elif not self.transport.is_closing():
            self.transport.pause_reading()

    def _stop_reading(self, others: int) -> None:
        """Stop reading until all events are taken. After many frames that are not texts (`others`), wait longer."""
        if self._is_over() or self._cutter is None:
            return
        self._count_waiting(self._cutter.waiting)
        self.read_paused = True
        self.transport.pause_reading()
        # If only parts of a message have arrived, no event will be taken. Then a timer starts reading again.
        if others > OTHERS_AT_ONCE or self.queue.empty():
            self._is_resting = True
            self.loop.call_later(others / OTHERS_PER_SECOND, self._end_rest)

    def _end_rest(self) -> None:
        self._is_resting = False
        if self.queue.empty():
            self._read_on()

    def _read_on(self) -> None:
        """Handle the received bytes, then read the socket again."""
        if self._is_resting or self._is_over():
            return
        self._count_waiting(0)
        self.read_paused = False
        if self._cutter is not None and self._cutter.has_more:
            self.data_received(b"")
        if not self.read_paused:
            self.transport.resume_reading()

    def _count_waiting(self, size: int) -> None:
        self._account.release(self._waiting)
        self._waiting = size if self._account.hold(size) else 0
        if self._waiting < size:
            self.transport.abort()
