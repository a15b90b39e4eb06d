"""HTTP over a real socket, with what no browser would send; a fake stands in for the application."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn

from chatroom.asgi.budget import BUDGET, Budget
from chatroom.asgi.http_protocol import PIPELINED, REFUSED_SECONDS, HttpProtocol
from chatroom.asgi.incoming_request import HEAD_BYTES, HEAD_SECONDS
from chatroom.asgi.stalled_reader import STALL_SECONDS
from tests.unit.clocks import SkippingLoop
from tests.waiting import PATIENCE_SECONDS, wait_until_in_loop


class Server:
    """uvicorn on a loop of its own, with the protocol under test, and somebody who talks to it over a real socket."""

    def __init__(self, budget: Budget | None = None, *, answer_bytes: int = 0) -> None:
        self.budget = budget or Budget()
        self.requests = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._answer_bytes = answer_bytes
        self._address: tuple[str, int]
        self.state = uvicorn.server.ServerState()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._dialed: list[asyncio.StreamWriter] = []
        self.received = 0
        self._sent = 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass
            return
        self.requests += 1
        while (await receive()).get("more_body"):
            pass
        self.headers = scope["headers"]
        await self.may_answer.wait()
        length = str(self._answer_bytes).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": bytes(self._answer_bytes)})

    async def serve(self, visit: Callable[["Server"], Coroutine[Any, Any, None]]) -> None:
        """Let somebody visit it."""
        config = uvicorn.Config(
            self.application,
            http=HttpProtocol,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=3600,  # nothing but what is tested here ends a connection
        )
        config.load()
        state = self.state

        class Counting(HttpProtocol):
            def data_received(protocol, data: bytes) -> None:  # noqa: N805
                super().data_received(data)
                self.received += len(data)

        listening = await asyncio.get_running_loop().create_server(
            lambda: Counting(config=config, server_state=state, app_state={BUDGET: self.budget}), "127.0.0.1", 0
        )
        self._address = listening.sockets[0].getsockname()
        self.reader, self.writer = await self.dial()
        await wait_until_in_loop(lambda: state.connections)
        await visit(self)
        for writer in self._dialed:
            writer.transport.abort()
        listening.close()
        await wait_until_in_loop(lambda: not state.connections)
        assert not self.budget.held
        assert not self.budget.connections

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Another connection."""
        reader, writer = await asyncio.open_connection(*self._address)
        self._dialed.append(writer)
        return reader, writer

    async def send(self, data: bytes) -> None:
        """Send something, and wait until it has come."""
        self.writer.write(data)
        self._sent += len(data)
        await wait_until_in_loop(lambda: self.received == self._sent)

    async def answer(self) -> bytes:
        """The head of the next answer."""
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)

    async def rest(self) -> bytes:
        """What comes before the connection ends."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE_SECONDS)


def talk(visit: Callable[[Server], Coroutine[Any, Any, None]], server: Server | None = None) -> None:
    """Let somebody talk to the protocol."""
    SkippingLoop.run((server or Server()).serve(visit))


class TestHeads:
    """L04, L07."""

    @pytest.mark.parametrize("beginning", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:"])
    def test_that_never_end_are_given_up(self, beginning: bytes) -> None:
        async def visit(server: Server) -> None:
            await server.send(beginning)
            await SkippingLoop.running().skip(HEAD_SECONDS)
            assert await server.rest() == b""
            assert server.requests == 0

        talk(visit)

    def test_of_a_second_request_too(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await server.answer()
            await SkippingLoop.running().skip(2 * HEAD_SECONDS)  # nothing is begun: that is uvicorn's own patience
            await server.send(b"GET / HT")
            await SkippingLoop.running().skip(HEAD_SECONDS)
            assert await server.rest() == b""
            assert server.requests == 1

        talk(visit)

    def test_of_empty_lines_alone_are_given_up(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await server.answer()
            await server.send(b"\r\n")
            await SkippingLoop.running().skip(HEAD_SECONDS / 2)
            await server.send(b"\r\n")
            await SkippingLoop.running().skip(HEAD_SECONDS / 2)
            assert await server.rest() == b""

        talk(visit)

    def test_that_are_too_long_are_refused(self) -> None:
        async def visit(server: Server) -> None:
            beginning = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: "
            await server.send(beginning)
            await server.send(b"x" * (HEAD_BYTES - len(beginning)))
            await server.send(b"x")
            assert (await server.rest()).startswith(b"HTTP/1.1 400")
            assert server.requests == 0

        talk(visit)

    def test_timely_requests_are_served_in_order(self) -> None:
        async def visit(server: Server) -> None:
            for _ in range(5):
                for piece in (b"GET / HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
                    await server.send(piece)
                assert b"200 OK" in await server.answer()
            assert server.requests == 5

        talk(visit)

    @pytest.mark.parametrize("hosts", ["", "Host: a\r\nHost: b\r\n"], ids=["none", "two"])
    def test_with_no_host_or_two_are_refused(self, hosts: str) -> None:
        """L14."""

        async def visit(server: Server) -> None:
            await server.send(f"GET / HTTP/1.1\r\n{hosts}\r\n".encode())
            answer = await server.rest()
            assert answer.startswith(b"HTTP/1.1 400")
            assert answer.endswith(b"A request has exactly one Host header.")
            assert server.requests == 0

        talk(visit)

    def test_of_the_first_http_need_none(self) -> None:
        """L14."""

        async def visit(server: Server) -> None:
            await server.send(b"GET / HTTP/1.0\r\n\r\n")
            assert b"200 OK" in await server.answer()

        talk(visit)

    def test_that_are_incomplete_count(self) -> None:
        """L13."""

        async def visit(server: Server) -> None:
            await server.send(b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 1000)
            assert sum(server.budget.held.values()) > 2000  # for its address, and in all
            await server.send(b"\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await server.answer()
            assert not server.budget.held

        talk(visit)


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


class TestAroundBodies:
    """L12, O09."""

    def test_trailers_are_no_headers(self) -> None:
        """O12."""

        async def visit(server: Server) -> None:
            await server.send(CHUNKED)
            await server.send(b"1\r\nx\r\n0\r\nX-Forwarded-For: 198.51.100.9\r\nHost: evil.test\r\n\r\n")
            assert b"200 OK" in await server.answer()
            assert server.headers == [(b"host", b"x"), (b"transfer-encoding", b"chunked")]

        talk(visit)

    @pytest.mark.parametrize(
        "beginning", [b"0\r\n", b"0\r\nX-Long: ", b"1\r\nx\r\n1;"], ids=["trailers", "a trailer", "an extension"]
    )
    def test_too_long_framing_is_refused(self, beginning: bytes) -> None:
        async def visit(server: Server) -> None:
            await server.send(CHUNKED + beginning)
            lines = b"X-Many: 1\r\n" * 1000 if beginning == b"0\r\n" else b"x" * 11_000
            for _ in range(HEAD_BYTES // len(lines)):
                await server.send(lines)
            server.writer.write(lines)
            answer = await server.rest()
            assert answer.startswith(b"HTTP/1.1 400")
            assert answer.endswith(b"is too long.")

        talk(visit)

    def test_a_body_in_chunks_of_one_byte_is_not_too_long(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(CHUNKED)
            for _ in range(20):
                await server.send(b"1\r\nx\r\n" * 5000)
            await server.send(b"0\r\n\r\n")
            assert b"200 OK" in await server.answer()

        talk(visit)


class TestPipelines:
    """L12."""

    ONE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    def test_a_few_are_answered_one_after_another(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(self.ONE * (PIPELINED + 1))
            for _ in range(PIPELINED + 1):
                assert b"200 OK" in await server.answer()

        talk(visit)

    def test_more_than_that_end_the_connection(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(self.ONE * 1000)
            assert (await server.rest()).count(b"200 OK") <= 1
            assert server.requests <= 1

        talk(visit)


class TestReaders:
    """L13, B06."""

    LARGE = 30_000_000

    def test_a_stalled_reader_is_counted_and_disconnected(self) -> None:
        async def visit(server: Server) -> None:
            server.writer.transport.pause_reading()
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await wait_until_in_loop(lambda: server.budget.held)
            await SkippingLoop.running().skip(STALL_SECONDS)
            await wait_until_in_loop(lambda: not server.state.connections)
            assert not server.budget.held

        talk(visit, Server(answer_bytes=self.LARGE))

    def test_an_active_reader_is_not_disconnected(self) -> None:
        async def visit(server: Server) -> None:
            server.writer.transport.pause_reading()
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await wait_until_in_loop(lambda: server.budget.held)
            await SkippingLoop.running().skip(STALL_SECONDS - 1)
            server.writer.transport.resume_reading()
            assert len(await server.rest()) > self.LARGE
            assert not server.budget.held

        talk(visit, Server(answer_bytes=self.LARGE))

    def test_a_slow_reader_is_not_disconnected(self) -> None:
        async def visit(server: Server) -> None:
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            for _ in range(3):
                await server.reader.readexactly(2_000_000)
                assert server.budget.held
                await SkippingLoop.running().skip(STALL_SECONDS)
            assert len(await server.rest()) > self.LARGE - 6_000_000

        talk(visit, Server(answer_bytes=self.LARGE))

    def test_a_full_budget_disconnects_the_longest_stalled_reader(self) -> None:
        async def visit(server: Server) -> None:
            server.writer.transport.pause_reading()
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await wait_until_in_loop(lambda: server.budget.held)
            _, other = await server.dial()
            other.transport.pause_reading()
            other.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await wait_until_in_loop(lambda: server.requests == 2)
            await wait_until_in_loop(lambda: len(server.state.connections) == 1)
            server.writer.transport.resume_reading()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await server.reader.readexactly(self.LARGE)
            other.transport.abort()

        talk(visit, Server(Budget(in_all=self.LARGE + 1_000_000), answer_bytes=self.LARGE))


UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PING, PONG = b"\x89\x80abcd", b"\x8a\x00"


class TestUpgrades:
    def test_a_websocket_is_bound_by_none_of_the_times_of_requests(self) -> None:
        async def visit(server: Server) -> None:
            server.writer.write(UPGRADE)
            assert b" 101 " in await server.reader.readuntil(b"\r\n\r\n")
            await SkippingLoop.running().skip(HEAD_SECONDS + 1)
            server.writer.write(PING)
            await asyncio.wait_for(server.reader.readuntil(PONG), PATIENCE_SECONDS)

        talk(visit)

    def test_behind_a_request_that_is_not_answered_is_refused(self) -> None:
        """L13: the answer would be written to a reader whom nobody watches any more."""

        async def visit(server: Server) -> None:
            server.writer.transport.pause_reading()
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await wait_until_in_loop(lambda: server.budget.held)
            await server.send(UPGRADE)
            server.writer.transport.resume_reading()
            assert b" 101 " not in await server.rest()

        talk(visit, Server(answer_bytes=TestReaders.LARGE))


class TestConnections:
    """L15."""

    def test_an_excess_connection_is_refused_and_closed_soon(self) -> None:
        async def visit(server: Server) -> None:
            reader, writer = await server.dial()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
            assert answer.startswith(b"HTTP/1.1 503")
            assert b"retry-after" in answer
            assert b"too many connections from your address" in answer
            silent, _ = await server.dial()
            await wait_until_in_loop(lambda: len(server.state.connections) == 2)
            await SkippingLoop.running().skip(REFUSED_SECONDS)
            assert await asyncio.wait_for(silent.read(), PATIENCE_SECONDS) == b""
            await server.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await server.answer()

        talk(visit, Server(Budget(connections_per_address=1)))

    def test_behind_a_proxy_requests_count_for_the_forwarded_address(self) -> None:
        def address_of(scope: Any) -> str:
            return dict(scope["headers"]).get(b"x-forwarded-for", b"").decode()

        async def visit(server: Server) -> None:
            ask = "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\n\r\n"
            server.may_answer.clear()
            await server.send(ask.format("192.0.2.1").encode())
            reader, writer = await server.dial()
            writer.write(ask.format("192.0.2.1").encode())
            assert (await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)).startswith(b"HTTP/1.1 503")
            reader, writer = await server.dial()
            writer.write(ask.format("192.0.2.2").encode())
            await wait_until_in_loop(lambda: server.requests == 2)
            assert server.budget.connections == {"192.0.2.1": 1, "192.0.2.2": 1}
            server.may_answer.set()
            assert b"200 OK" in await server.answer()
            await wait_until_in_loop(lambda: not server.budget.connections)

        budget = Budget(connections_per_address=1, address_of=address_of, is_behind_proxies=True)
        talk(visit, Server(budget))
