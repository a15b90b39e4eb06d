import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.protocol import State

from chatroom.asgi.budget import Account, Budget
from chatroom.live.sockets import websocket
from chatroom.live.sockets.frames import Cutter, Deflate, framed
from chatroom.live.sockets.incoming import MOST_AFTER_CLOSE, OTHERS_AT_ONCE
from chatroom.live.sockets.websocket import KEPT_FRAMES, MIN_BYTES, WebSocketProtocol

NEWS = b"n" * MIN_BYTES
ANSWERS = [b"an answer %d" % n for n in range(2 * KEPT_FRAMES)]


class Wire:
    """A transport of which one knows what was written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_read = True
        self.is_cut_off = False

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def close(self) -> None: ...

    def abort(self) -> None:
        self.is_cut_off = True

    def get_write_buffer_size(self) -> int:
        return 100_000

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


def test_new_messages_are_compressed_once_even_with_answers_in_the_same_write(
    loop: asyncio.AbstractEventLoop, deflated: list[bytes]
) -> None:
    wire = Wire()
    for _ in range(5):
        assert client(loop, wire, inflates=True).write_now(NEWS, *ANSWERS)
    assert deflated == [NEWS]
    assert len(set(wire.written)) == 1
    assert wire.written[0].endswith(b"".join(map(framed, ANSWERS)))


def test_nothing_is_compressed_for_clients_without_compression(
    loop: asyncio.AbstractEventLoop, deflated: list[bytes]
) -> None:
    wire = Wire()
    assert client(loop, wire, inflates=False).write_now(NEWS)
    assert wire.written == [framed(NEWS)]
    assert deflated == []


PING = b"\x89\x80\0\0\0\0"
"""As a client sends it, masked with zeros."""


def open_client(loop: asyncio.AbstractEventLoop, wire: Wire, budget: Budget | None = None) -> WebSocketProtocol:
    """One whose handshake has been answered."""
    protocol = client(loop, wire, inflates=False)
    protocol._account = Account(budget or Budget())
    protocol.handshake_initiated = protocol.handshake_complete = True
    protocol.conn.state = State.OPEN
    protocol.conn.parser = protocol.conn.parse()
    next(protocol.conn.parser)
    protocol._cutter = Cutter(65_536, inflates=False)
    return protocol


def test_pings_are_answered_until_pongs_are_not_read(loop: asyncio.AbstractEventLoop) -> None:
    """L13: what was to be sent to a client that reads nothing grew with its pings, without a bound."""
    wire = Wire()
    protocol = open_client(loop, wire)
    protocol.data_received(PING * 3)
    assert wire.written == [b"\x8a\0"] * 3
    protocol.pause_writing()
    protocol.data_received(PING * 3)
    protocol.resume_writing()
    protocol.data_received(PING)
    assert wire.written == [b"\x8a\0"] * 4


def test_after_many_pings_at_once_the_client_has_to_wait(loop: asyncio.AbstractEventLoop) -> None:
    """L11."""
    wire = Wire()
    protocol = open_client(loop, wire)
    protocol.data_received(PING * OTHERS_AT_ONCE)
    assert wire.is_read
    protocol.data_received(PING * (OTHERS_AT_ONCE + 1))
    assert not wire.is_read
    protocol._end_rest()
    assert wire.is_read


def test_pings_without_end_are_taken_a_few_at_a_time(loop: asyncio.AbstractEventLoop) -> None:
    """L11: 64 kB of them took 80 ms of the loop, again and again."""
    wire = Wire()
    budget = Budget()
    protocol = open_client(loop, wire, budget)
    protocol.data_received(PING * 10_000)
    answered = len(wire.written)
    assert 0 < answered < 100
    assert budget.held  # what waits is counted
    protocol._end_rest()
    assert answered < len(wire.written) < 200
    assert not wire.is_read
    while not wire.is_read:
        protocol._end_rest()
    assert len(wire.written) == 10_000
    assert not budget.held


def test_texts_are_taken_no_faster_than_the_connection_takes_them(loop: asyncio.AbstractEventLoop) -> None:
    """L13: 64 kB of the shortest became 8,000 events, and compressed ones 200 MB."""
    wire = Wire()
    protocol = open_client(loop, wire)
    texts = [str(n) for n in range(2000)]
    frames = b"".join(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text.encode() for text in texts)
    protocol.data_received(frames[:-1])
    got = []
    while not wire.is_read:
        assert protocol.queue.qsize() < 100
        got.append(loop.run_until_complete(protocol.receive())["text"])
    protocol.data_received(frames[-1:])
    while not protocol.queue.empty():
        got.append(loop.run_until_complete(protocol.receive())["text"])
    assert got == texts


def test_frames_after_a_close_are_ignored(loop: asyncio.AbstractEventLoop) -> None:
    """L11: it was parsed until the connection was cut off."""
    wire = Wire()
    protocol = open_client(loop, wire)
    loop.run_until_complete(protocol.send({"type": "websocket.close", "code": 1008, "reason": ""}))
    protocol.data_received(b"\x81\x82\0\0\0\0{}")
    assert wire.is_read
    for _ in range(20):
        protocol.data_received(PING * (MOST_AFTER_CLOSE // 60))
    assert not wire.is_read
    assert protocol.close_timer is not None
    protocol.close_timer.cancel()


def test_frames_before_the_end_of_the_handshake_end_the_connection(loop: asyncio.AbstractEventLoop) -> None:
    """L13: nobody knows yet who it is."""
    wire = Wire()
    protocol = client(loop, wire, inflates=False)
    protocol.handshake_initiated = True
    protocol.data_received(PING)
    assert wire.is_cut_off


def test_unread_bytes_are_counted(loop: asyncio.AbstractEventLoop) -> None:
    """L13: and who has stalled longest is cut off when it is too much."""
    budget = Budget(in_all=150_000)
    wires = [Wire(), Wire()]
    first, second = (open_client(loop, wire, budget) for wire in wires)
    first.pause_writing()
    assert sum(budget.held.values()) == 200_000  # in all, and for the address
    second.pause_writing()
    assert (wires[0].is_cut_off, wires[1].is_cut_off) == (True, False)
    first.resume_writing()
    second.resume_writing()
    assert not budget.held


def test_a_text_in_large_fragments_is_read_to_its_end(loop: asyncio.AbstractEventLoop) -> None:
    """L13: nobody takes anything while only pieces of it have come, so nobody would say that more may be read."""
    wire = Wire()
    protocol = open_client(loop, wire)
    size = 64_600
    head = bytes((0x01, 0xFE)) + size.to_bytes(2, "big") + bytes(4)
    rest = bytes((0x80, 0xFE)) + (500).to_bytes(2, "big") + bytes(4)
    protocol.data_received(head + b"a" * size + rest + b"b" * 400)
    while not wire.is_read:
        assert protocol._is_resting, "nothing wakes it"
        protocol._end_rest()
    protocol.data_received(b"b" * 100)
    assert loop.run_until_complete(protocol.receive())["text"] == "a" * size + "b" * 500
