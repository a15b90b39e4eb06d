"""Limit HTTP connections: their number, the size and the duration of requests, and stalled readers.

Each connection has an `Account` (`chatroom.asgi.budget`), which counts the memory for its received and unsent bytes.
"""

import asyncio
import logging
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chatroom.asgi.budget import ACCOUNT, BUDGET, Account, Budget
from chatroom.asgi.incoming_request import HEAD_SECONDS, IncomingRequest
from chatroom.asgi.slow_requests import Receive, Scope, Send, refuse
from chatroom.asgi.stalled_reader import StalledReader

log = logging.getLogger(__name__)

REFUSED_SECONDS = 2.0
"""The time for the head of a request that will be refused."""
PIPELINED = 8
"""The maximum number of requests that wait on one connection."""


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits on stored input and on waiting times."""

    _incoming: IncomingRequest
    _reader: StalledReader
    _is_handed_over = False
    """Whether the connection is a websocket now."""
    _complaint = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._budget: Budget = self.app_state.get(BUDGET) or Budget()
        self.account = Account(self._budget)
        self.app_state = {**self.app_state, ACCOUNT: self.account}  # each request gets a copy of this state

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, but only briefly if the address has too many connections."""
        super().connection_made(transport)
        self._reader = StalledReader(self.loop, transport, self.account)
        self._incoming = IncomingRequest(self.loop, self.account, self._reader.close)
        # A proxy's connections carry requests of many clients, so each request counts for its own address.
        is_welcome = self._budget.is_behind_proxies or self._enter({"client": self.client, "headers": []})
        self._incoming.await_head(HEAD_SECONDS if is_welcome else REFUSED_SECONDS)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._incoming.begin()

    def data_received(self, data: bytes) -> None:
        """Count and parse received bytes. If the bytes exceed a limit, answer with an error."""
        incoming = self._incoming
        incoming.count(len(data))
        super().data_received(data)
        if self._is_handed_over:
            return
        complaint = incoming.find_complaint(len(data))
        if complaint:
            if not self.transport.is_closing():
                self.send_400_response(complaint)
            return
        is_busy = incoming.is_awaited or incoming.is_within or _is_answering(self.cycle) or self.timeout_keep_alive_task
        if not (is_busy or self.transport.is_closing()):
            incoming.await_head()  # otherwise empty lines could keep the connection open without end

    def on_headers_complete(self) -> None:
        self._incoming.stop_waiting()
        hosts = sum(name == b"host" for name, _ in self.headers)
        # A websocket would take over the connection before an earlier answer is read.
        is_unread = _is_answering(self.cycle) or self._reader.is_watched
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            self._complaint = "A request has exactly one Host header."
        elif len(self.pipeline) >= PIPELINED or (is_unread and self.parser.should_upgrade()):
            self._complaint = "Wait for responses before you send more requests."
        if self._complaint:
            raise ValueError(self._complaint)
        if self._budget.is_behind_proxies:
            self._enter(cast("Scope", self.scope))
        if not _is_answering(self.cycle):
            self.account.person = ""
        super().on_headers_complete()
        self.headers = _Sealed(self.headers)

    def on_body(self, body: bytes) -> None:
        self._incoming.count_body(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._incoming.end()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End the response. While pipelined requests wait, do not read more requests."""
        super().on_response_complete()
        if self._budget.is_behind_proxies:
            self.account.leave()
        if self.pipeline:
            self.flow.pause_reading()

    def handle_websocket_upgrade(self) -> None:
        """Hand over the connection and its account. From now on, the connection counts as a websocket."""
        self._is_handed_over = True
        self._incoming.stop_waiting()
        self._reader.stop()
        self.account.leave()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer with the error, unless another response has started."""
        self._incoming.stop_waiting()
        cycle = self.cycle
        is_own = cycle is not None and cycle.scope is self.scope and not (cycle.response_started or self.pipeline)
        if cycle is None or cycle.response_complete or is_own:
            super().send_400_response(self._complaint or msg)
        if is_own:  # wake the application, which waits for the body
            cycle.disconnected = True
            cycle.message_event.set()
        self._reader.close()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._reader.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reader.stop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._incoming.stop_waiting()
        self._reader.stop()
        self.account.close()
        super().connection_lost(exc)

    def _enter(self, scope: Scope) -> bool:
        is_welcome = self.account.enter(self._budget.address_of(scope))
        self.app = self.config.loaded_app if is_welcome else _refuse_connection
        if not is_welcome:
            log.warning("a connection was refused: too many from its address", extra={"address": self.account.address})
        return is_welcome


class _Sealed(list[tuple[bytes, bytes]]):
    """The headers of a request. Headers that arrive later (trailers, after the body) are not added."""

    def append(self, _header: tuple[bytes, bytes]) -> None:
        pass


def _is_answering(cycle: Any) -> bool:
    return cycle is not None and not cycle.response_complete


async def _refuse_connection(_scope: Scope, _receive: Receive, send: Send) -> None:
    await refuse(send, 503, "There are too many connections from your address. Please try again in a moment.")
