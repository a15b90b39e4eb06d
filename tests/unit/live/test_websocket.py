import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from chatroom.live import websocket
from chatroom.live.deflate import Deflate
from chatroom.live.frames import framed
from chatroom.live.websocket import KEPT_FRAMES, MIN_BYTES, WebSocketProtocol

NEWS = b"n" * MIN_BYTES
ANSWERS = [b"an answer %d" % n for n in range(2 * KEPT_FRAMES)]


class Wire:
    """A transport of which one knows what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return False


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None: ...


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def client(loop: asyncio.AbstractEventLoop, wire: Wire, *, inflates: bool) -> WebSocketProtocol:
    """The server's end of a connection that is open."""
    config = Config(_nothing, log_config=None)
    config.load()
    protocol = WebSocketProtocol(config, ServerState(), {}, loop)
    protocol.transport = wire  # type: ignore[assignment]
    protocol.conn.extensions = [Deflate(True, True, 15, 15)] if inflates else []
    return protocol


@pytest.fixture
def deflated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What was compressed."""
    done: list[bytes] = []

    def deflate(text: bytes) -> bytes:
        done.append(text)
        return b"short"

    monkeypatch.setattr(websocket, "deflate", deflate)
    websocket._compressed.cache_clear()
    yield done
    websocket._compressed.cache_clear()


def test_news_is_compressed_once_also_where_each_reader_gets_answers_along(
    loop: asyncio.AbstractEventLoop, deflated: list[bytes]
) -> None:
    wire = Wire()
    for _ in range(5):
        assert client(loop, wire, inflates=True).write_now(NEWS, *ANSWERS)
    assert deflated == [NEWS]
    assert len(set(wire.written)) == 1
    assert wire.written[0].endswith(b"".join(map(framed, ANSWERS)))


def test_nothing_is_compressed_for_who_does_not_take_it(loop: asyncio.AbstractEventLoop, deflated: list[bytes]) -> None:
    wire = Wire()
    assert client(loop, wire, inflates=False).write_now(NEWS)
    assert wire.written == [framed(NEWS)]
    assert deflated == []
