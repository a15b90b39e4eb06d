"""Bodies are sent on the event loop, at their reader's pace; fakes stand in for uvicorn and for Flask."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatroom.asgi import downloads
from chatroom.asgi.downloads import HANDOVER, Downloads
from chatroom.base.errors import Unavailable
from tests.loops import in_loop

Pieces = Callable[[], Iterator[bytes]]


class Reader:
    """A client: what it got, and how it reads."""

    def __init__(self, *, stalls: bool = False, goes: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self._stalls = stalls
        self._goes = goes
        self.has_stalled = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if not self._goes:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        if self._stalls and event["type"] == "http.response.body":
            self.has_stalled.set()
            await asyncio.Event().wait()
        self.events.append(event)

    @property
    def status(self) -> int:
        return int(self.events[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(event.get("body", b"") for event in self.events)

    @property
    def is_whole(self) -> bool:
        return self.events[-1]["type"] == "http.response.body" and not self.events[-1].get("more_body")


def application(pieces: Pieces | None) -> Any:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if pieces is not None:
            scope[HANDOVER].append(("alice", pieces()))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"own" if pieces is None else b"", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return inner


def three() -> Iterator[bytes]:
    yield from [b"one", b"two", b"three"]


def fetch(pieces: Pieces | None, reader: Reader) -> Downloads:
    app = Downloads(application(pieces))
    asyncio.run(app({}, reader.receive, reader.send))
    assert app._downloads.total() == 0
    return app


def test_passed_on_bytes_are_sent() -> None:
    reader = Reader()
    fetch(three, reader)
    assert (reader.status, reader.body, reader.is_whole) == (200, b"onetwothree", True)


def test_other_answers_pass() -> None:
    reader = Reader()
    fetch(None, reader)
    assert (reader.status, reader.body, reader.is_whole) == (200, b"own", True)


def test_for_a_reader_that_has_gone_nothing_more_is_read() -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for n in range(100_000):
            read.append(n)
            yield b"x"

    fetch(endless, Reader(goes=True))
    assert len(read) < 100


def test_an_unreadable_download_is_aborted() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise Unavailable("away")

    reader = Reader()
    fetch(broken, reader)
    assert (reader.body, reader.is_whole) == (b"one", False)


@pytest.mark.parametrize("bound", ["DOWNLOADS", "DOWNLOADS_PER_USER"])
@in_loop
async def test_simultaneous_downloads_are_limited(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """B06."""
    monkeypatch.setattr(downloads, bound, 1)
    app = Downloads(application(three))
    slow, other = Reader(stalls=True), Reader()
    task = asyncio.create_task(app({}, slow.receive, slow.send))
    await slow.has_stalled.wait()
    await app({}, other.receive, other.send)
    assert (other.status, other.is_whole) == (503, True)
    assert b"try again" in other.body
    task.cancel()
    await asyncio.wait([task])
    last = Reader()
    await app({}, last.receive, last.send)
    assert last.status == 200


class Held:
    """Pieces that hold something until they are released."""

    def __init__(self) -> None:
        self.pieces = three()
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self.pieces)

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("goes", [False, True])
def test_held_bytes_are_released_after_every_ending(goes: bool) -> None:
    """B06."""
    held = Held()
    fetch(lambda: held, Reader(goes=goes))
    assert held.is_closed


def test_refused_requests_release_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """B06."""
    monkeypatch.setattr(downloads, "DOWNLOADS", 0)
    held, reader = Held(), Reader()
    fetch(lambda: held, reader)
    assert (reader.status, held.is_closed) == (503, True)
