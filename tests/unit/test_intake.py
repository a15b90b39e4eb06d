"""Requests are taken in without a thread, however slowly they come; fakes stand in for uvicorn and for Flask."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn

from chatroom import intake
from chatroom.intake import HEAD_BYTES, HEAD_SECONDS, HttpProtocol, WholeBodies
from tests.unit.clocks import SkippingLoop
from tests.waiting import PATIENCE_SECONDS, wait_until_in_loop


class Inner:
    """The application behind: reads the body as one."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers = scope["headers"]
        event = await receive()
        assert not event["more_body"]
        self.bodies.append(event["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})


def part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def serve(
    *events: dict[str, Any],
    most: int = 100,
    length: str = "",
    bodies: WholeBodies | None = None,
    inner: Inner | None = None,
) -> Any:
    """Let a request come in these parts; returns what the application got, and the status."""
    inner = inner or Inner()
    sent: list[dict[str, Any]] = []

    async def main() -> None:
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in events:
            queue.put_nowait(event)

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        headers = [(b"content-length", length.encode())] if length else []
        headers.append((b"x_forwarded_for", b"198.51.100.9"))
        application = bodies or WholeBodies(inner, most_bytes=most)
        application._inner = inner
        await application({"headers": headers}, queue.get, send)

    asyncio.run(main())
    return inner.bodies, sent[0]["status"] if sent else None


class TestBodies:
    def test_come_in_one_piece(self) -> None:
        assert serve(part(b"ab"), part(b"c"), part(b"d", more=False)) == ([b"abcd"], 200)
        assert serve(part(b"", more=False)) == ([b""], 200)

    def test_in_chunks_get_a_length(self) -> None:
        """L03: without one Flask would not look at it, and so not refuse it either."""
        inner = Inner()
        serve(part(b"ab"), part(b"c", more=False), inner=inner)
        assert inner.headers == [(b"content-length", b"3")]
        serve(part(b"abc", more=False), length="3", inner=inner)
        assert inner.headers == [(b"content-length", b"3")]

    def test_that_are_longer_than_allowed_are_handed_on_to_be_refused(self) -> None:
        """L03."""
        assert serve(part(b"x" * 60), part(b"x" * 60)) == ([b"x" * 120], 200)

    def test_that_announce_to_be_too_long_are_not_waited_for(self) -> None:
        """L03."""
        with pytest.raises(AssertionError):  # the application is asked at once, and would refuse by the header
            serve(part(b"x"), length="101")

    def test_without_a_limit_there_is_none(self) -> None:
        assert serve(part(b"x" * 500), part(b"", more=False), most=0, length="500") == ([b"x" * 500], 200)

    @pytest.mark.parametrize("length", ["", "x", "-1", "²", "9" * 5000])
    def test_odd_lengths_are_no_error(self, length: str) -> None:
        """I08."""
        assert serve(part(b"x", more=False), length=length[:1] if length == "²" else length, most=10**30)[1] == 200

    def test_that_never_end_are_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """L04."""
        monkeypatch.setattr(intake, "BODY_SECONDS", 0.01)
        assert serve(part(b"user")) == ([], 408)

    def test_whose_sender_goes_are_forgotten(self) -> None:
        assert serve(part(b"user"), {"type": "http.disconnect"}) == ([], None)

    def test_that_are_too_much_together_are_refused_and_room_is_given_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """L04."""
        monkeypatch.setattr(intake, "HELD_BYTES", 50)
        bodies = WholeBodies(Inner(), most_bytes=100)
        assert serve(part(b"x" * 40), part(b"x" * 40), part(b"", more=False), bodies=bodies) == ([], 503)
        assert serve(part(b"x" * 40), part(b"x", more=False), bodies=bodies) == ([b"x" * 41], 200)
        assert bodies._held == 0


class Server:
    """uvicorn on a loop of its own, with the protocol under test, and somebody who talks to it over a real socket."""

    def __init__(self) -> None:
        self.requests = 0
        self.received = 0
        self._sent = 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        self.requests += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

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
        state = uvicorn.server.ServerState()

        class Counting(HttpProtocol):
            def data_received(protocol, data: bytes) -> None:  # noqa: N805
                super().data_received(data)
                self.received += len(data)

        listening = await asyncio.get_running_loop().create_server(
            lambda: Counting(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        self.reader, self.writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        await wait_until_in_loop(lambda: state.connections)
        await visit(self)
        self.writer.close()
        listening.close()
        await wait_until_in_loop(lambda: not state.connections)

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


def talk(visit: Callable[[Server], Coroutine[Any, Any, None]]) -> None:
    """Let somebody talk to the protocol."""
    SkippingLoop.run(Server().serve(visit))


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

    def test_that_are_too_long_are_refused(self) -> None:
        async def visit(server: Server) -> None:
            beginning = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: "
            await server.send(beginning)
            await server.send(b"x" * (HEAD_BYTES - len(beginning)))
            await server.send(b"x")
            assert (await server.rest()).startswith(b"HTTP/1.1 400")
            assert server.requests == 0

        talk(visit)

    def test_that_come_in_time_are_served_one_after_another(self) -> None:
        async def visit(server: Server) -> None:
            for _ in range(5):
                for piece in (b"GET / HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
                    await server.send(piece)
                assert b"200 OK" in await server.answer()
            assert server.requests == 5

        talk(visit)
