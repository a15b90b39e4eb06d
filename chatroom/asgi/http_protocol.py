"""HTTP connections: how many, what may come on them and how slowly, and how long a reader may stall.

Everything that one makes the process hold counts in its account.
"""

import asyncio
import logging
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chatroom.asgi.budget import ACCOUNT, BUDGET, Budget
from chatroom.asgi.slow_requests import Receive, Scope, Send, refuse

log = logging.getLogger(__name__)

HEAD_SECONDS = 20.0
"""For a request's head, from its first byte, or from the connection's start."""
HEAD_BYTES = 65_536
BYTES_AROUND_A_BYTE = 8
"""A chunk of one byte has six; what is more than that for each is no body but a flood."""
TOO_LONG = "The request's head, or what stands around its body, is too long."
REFUSED_SECONDS = 2.0
"""For the head of a request that will be refused."""
PIPELINED = 8
"""Requests that wait for the answers to those before them, on the same connection."""
STALL_SECONDS = 60.0
"""How long a reader may take nothing of what is sent to it."""


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself keeps all that is sent to it, and waits for ever for a head and a reader."""

    _deadline: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _is_within = False
    """A request is coming in."""
    _is_next = False
    """What began to come in last began with a request."""
    _body_bytes = 0
    _other_bytes = 0
    """Of a request, what is no body: its head, the trailers, and what stands between the chunks."""
    _held = 0
    _unread = 0
    """What the reader had not taken when it was last looked at."""
    _is_handed_over = False
    """It is a websocket now."""
    _complaint = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._budget: Budget = self.app_state.get(BUDGET) or Budget()
        self.account = self._budget.open()
        self.app_state = {**self.app_state, ACCOUNT: self.account}  # of which each request gets a copy

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request; for those who come too often not long."""
        super().connection_made(transport)
        # A proxy's connections are many people's: each belongs to whom its request comes from.
        is_welcome = self._budget.is_behind_proxies or self._enter({"client": self.client, "headers": []})
        self._await_head(HEAD_SECONDS if is_welcome else REFUSED_SECONDS)

    def on_message_begin(self) -> None:
        """Begin to wait for the head of another request."""
        super().on_message_begin()
        if not self._is_next:
            self._other_bytes = 0  # what came before it, with the same read, belongs to another one
        self._is_within, self._is_next, self._body_bytes = True, False, 0
        if self._deadline is None:
            self._await_head(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Count what comes, and refuse what is too much."""
        self._is_next = not self._is_within
        self._other_bytes += len(data)
        super().data_received(data)
        if self._is_handed_over:
            return
        if self._other_bytes > HEAD_BYTES + self._body_bytes * BYTES_AROUND_A_BYTE:
            self._refuse(TOO_LONG)
        elif self._deadline is not None:
            self._keep(len(data))
        elif self._is_idle():
            self._await_head(HEAD_SECONDS)  # empty lines alone would keep it open for ever

    def _is_idle(self) -> bool:
        """Whether nothing is coming in and nothing is answered, and yet no time runs."""
        is_busy = self._is_within or self._is_answering() or self.timeout_keep_alive_task
        return not (is_busy or self.transport.is_closing())

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _keep(self, size: int) -> None:
        """Count a part of a head, for whom the connection is so far."""
        if self.account.hold(size):
            self._held += size
        else:
            self._refuse("Too many requests are coming in. Please try again in a moment.")

    def on_headers_complete(self) -> None:
        """The head has come."""
        self._stop_waiting()
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise self._complain("A request has exactly one Host header.")
        # A websocket would take the connection away from an answer that is not read.
        is_unread = self._is_answering() or self._stall is not None
        if len(self.pipeline) >= PIPELINED or (is_unread and self.parser.should_upgrade()):
            raise self._complain("Wait for answers before you ask for more.")
        if self._budget.is_behind_proxies:
            self._enter(cast("Scope", self.scope))
        if not self._is_answering():
            self.account.person = ""
        super().on_headers_complete()
        self.headers = _Sealed(self.headers)

    def on_body(self, body: bytes) -> None:
        """Count a part of the body as such."""
        self._body_bytes += len(body)
        self._other_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come."""
        self._is_within, self._other_bytes = False, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The request is answered. Read no more of those behind it than wait already."""
        super().on_response_complete()
        if self._budget.is_behind_proxies:
            self.account.leave()
        if self.pipeline:
            self.flow.pause_reading()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, with its account; from here on it counts as a websocket."""
        self._is_handed_over = True
        self._stop_waiting()
        self._stop_stalling()
        self.account.leave()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong; nothing where another answer is on its way."""
        self._stop_waiting()
        cycle = self.cycle
        is_own = cycle is not None and cycle.scope is self.scope and not (cycle.response_started or self.pipeline)
        if cycle is None or cycle.response_complete or is_own:
            super().send_400_response(self._complaint or msg)
        if is_own:  # the application, which waits for the body, hears that it will not come
            cycle.disconnected = True
            cycle.message_event.set()
        self._close()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody uses."""
        super().timeout_keep_alive_handler()
        self._close()

    def pause_writing(self) -> None:
        """The reader does not keep up: count what is on its way, and wait for it a while."""
        super().pause_writing()
        self._unread = self.transport.get_write_buffer_size()
        self.account.stall(self._unread, self._cut_off)
        self._stall = self.loop.call_later(STALL_SECONDS, self._look_at_reader)

    def resume_writing(self) -> None:
        """The reader reads again."""
        super().resume_writing()
        self._stop_stalling()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._stop_stalling()
        self.account.close()
        super().connection_lost(exc)

    def _enter(self, scope: Scope) -> bool:
        is_welcome = self.account.enter(self._budget.address_of(scope))
        self.app = self.config.loaded_app if is_welcome else _refuse_connection
        if not is_welcome:
            log.warning("a connection was refused: too many of its address", extra={"address": self.account.address})
        return is_welcome

    def _complain(self, message: str) -> ValueError:
        self._complaint = message
        return ValueError(message)

    def _refuse(self, message: str) -> None:
        if not self.transport.is_closing():
            self._complaint = message
            self.send_400_response(message)

    def _await_head(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._held:
            self.account.release(self._held)
            self._held = 0

    def _stop_stalling(self) -> None:
        self.account.flow()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _give_up(self) -> None:
        self._deadline = None
        self._close()

    def _close(self) -> None:
        """Close when the reader has what is on its way, and do not wait for that for ever."""
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def _look_at_reader(self) -> None:
        """Wait on for who has taken something, however little."""
        unread = self.transport.get_write_buffer_size()
        if unread >= self._unread:
            self._cut_off()
        else:
            self._unread = unread
            self._stall = self.loop.call_later(STALL_SECONDS, self._look_at_reader)

    def _cut_off(self) -> None:
        log.info("a connection was cut off: its reader stalled", extra={"user": self.account.person})
        self.transport.abort()


class _Sealed(list[tuple[bytes, bytes]]):
    """The headers of a request whose head has come: trailers, which come behind its body, are none."""

    def append(self, _header: tuple[bytes, bytes]) -> None:
        """Leave it out."""


async def _refuse_connection(_scope: Scope, _receive: Receive, send: Send) -> None:
    await refuse(send, 503, "There are too many connections from your address. Please try again in a moment.")
