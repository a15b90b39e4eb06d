"""Uploads come onto the disk before a thread is given to them; fakes stand in for uvicorn and for Flask."""

import asyncio
from typing import Any

import pytest

from chatroom.asgi import uploads
from chatroom.asgi.budget import ACCOUNT, Account, Budget
from chatroom.asgi.uploads import SPOOLED, Uploads
from chatroom.base.errors import Unavailable
from tests.loops import in_loop
from tests.unit.clocks import SkippingLoop
from tests.waiting import wait_until_in_loop


class Inner:
    """An application that reads all that it is given, or waits to be released."""

    def __init__(self, hold: asyncio.Event | None = None) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []
        self.hold = hold

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body = b""
        while (event := await receive()).get("more_body"):
            body += event["body"]
        self.bodies.append(body + event["body"])
        if self.hold:
            await self.hold.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})


class Place:
    def __init__(self, user: str | None = "alice", hold: asyncio.Event | None = None, **shares: int) -> None:
        self.small, self.large = Inner(), Inner(hold)
        self.user = user
        self.budget = Budget(**shares)
        self.app = Uploads(
            self.small,
            self.large,
            is_upload=lambda scope: scope["path"] == "/upload",
            find_user=self.find_user,
            small_bytes=10,
            most_bytes=1000,
        )

    def find_user(self, scope: Any) -> str | None:
        if self.user == "away":
            raise Unavailable("away")
        return self.user

    async def send(self, *parts: bytes, path: str = "/upload", length: int | None = None, end: bool = True) -> int:
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for number, part in enumerate(parts, 1):
            is_last = end and number == len(parts)
            events.put_nowait({"type": "http.request", "body": part, "more_body": not is_last})
        said = sum(map(len, parts)) if length is None else length
        headers = [(b"content-length", str(said).encode())] if said >= 0 else [(b"transfer-encoding", b"chunked")]
        sent: list[dict[str, Any]] = []

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        scope = {"path": path, "headers": [*headers, (b"x_y", b"z")], "state": {ACCOUNT: Account(self.budget)}}
        await self.app(scope, events.get, send)
        return int(sent[0]["status"])


def test_an_upload_is_handed_on_when_it_is_whole() -> None:
    place = Place()
    assert asyncio.run(place.send(b"x" * 300, b"y" * 300, b"z" * 100)) == 200
    assert place.large.bodies == [b"x" * 300 + b"y" * 300 + b"z" * 100]
    (scope,) = place.large.scopes
    assert scope[SPOOLED]
    assert scope["headers"] == [(b"content-length", b"700")]
    assert place.app._spooled == place.app._uploads.total() == 0


def test_a_chunked_upload_gets_a_length() -> None:
    place = Place()
    assert asyncio.run(place.send(b"x" * 300, b"", length=-1)) == 200
    assert place.large.scopes[0]["headers"] == [(b"content-length", b"300")]


def test_large_uploads_are_spooled_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MEMORY_BYTES", 50)
    place = Place()
    assert asyncio.run(place.send(*[bytes([n]) * 30 for n in range(20)])) == 200
    assert place.large.bodies == [b"".join(bytes([n]) * 30 for n in range(20))]


@pytest.mark.parametrize(
    ("user", "path", "size"),
    [("alice", "/other", 500), ("alice", "/upload", 5), (None, "/upload", 500), ("away", "/upload", 500)],
)
def test_everything_else_stays_small(user: str | None, path: str, size: int) -> None:
    """B05, L03: nobody who is not logged in fills the disk."""
    place = Place(user)
    assert asyncio.run(place.send(b"x" * size, path=path)) == 200
    assert (len(place.small.scopes), len(place.large.scopes)) == (1, 0)
    assert SPOOLED not in place.small.scopes[0]


def test_a_too_large_upload_is_not_read() -> None:
    place = Place()
    asyncio.run(place.send(b"x", length=1001))
    assert (len(place.small.scopes), len(place.large.scopes)) == (1, 0)


def test_an_upload_that_becomes_too_large_is_refused() -> None:
    place = Place()
    assert asyncio.run(place.send(b"x" * 600, b"x" * 600, b"x" * 600, length=-1)) == 413
    assert place.large.scopes == []
    assert place.app._spooled == 0


def test_an_endless_upload_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """B05, L04."""
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 0.05)
    place = Place()
    assert asyncio.run(place.send(b"x" * 100, length=900, end=False)) == 408
    assert place.app._spooled == place.app._uploads.total() == 0


def test_an_upload_in_progress_gets_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part comes within the time that those before it have won, and all together take longer than the patience."""
    monkeypatch.setattr(uploads, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(uploads, "LEAST_RATE", 2)  # a hundred bytes win fifty seconds

    async def main() -> int:
        place = Place()
        loop = SkippingLoop.running()
        events = iter([b"x" * 100] * 3)

        async def receive() -> dict[str, Any]:
            await loop.skip(40)
            body = next(events, b"")
            return {"type": "http.request", "body": body, "more_body": bool(body)}

        async def send(event: dict[str, Any]) -> None:
            assert event["status"] == 200

        await place.app({"path": "/upload", "headers": [(b"content-length", b"300")]}, receive, send)
        assert loop.skipped == 160
        return len(place.large.bodies[0])

    assert SkippingLoop.run(main()) == 300


def test_a_too_slow_upload_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """B05, L04."""
    monkeypatch.setattr(uploads, "LEAST_RATE", 2)

    async def main() -> int:
        place = Place()
        loop = SkippingLoop.running()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await loop.skip(uploads.PATIENCE_SECONDS - 1)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await place.app({"path": "/upload", "headers": [(b"content-length", b"300")]}, receive, send)
        assert place.large.bodies == []
        return int(sent[0]["status"])

    assert SkippingLoop.run(main()) == 408


def test_uploads_are_limited_per_person_and_in_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """B05, L04."""

    async def main(allowed: int) -> None:
        hold = asyncio.Event()
        place = Place(hold=hold)
        waiting = [asyncio.create_task(place.send(b"x" * 100)) for _ in range(allowed)]
        await wait_until_in_loop(lambda: len(place.large.bodies) == allowed)
        assert await place.send(b"x" * 100) == 503
        hold.set()
        assert await asyncio.gather(*waiting) == [200] * allowed
        assert await place.send(b"x" * 100) == 200

    asyncio.run(main(uploads.UPLOADS_PER_USER))
    monkeypatch.setattr(uploads, "UPLOADS", 2)
    asyncio.run(main(2))


@in_loop
async def test_buffered_bytes_are_counted_for_their_sender() -> None:
    """L13."""
    hold = asyncio.Event()
    place = Place(hold=hold, per_person=uploads.IN_MEMORY_BYTES)
    first = asyncio.create_task(place.send(b"x" * 11))
    await wait_until_in_loop(lambda: bool(place.large.bodies))
    assert await place.send(b"x" * 11) == 503
    place.user = "bob"
    second = asyncio.create_task(place.send(b"x" * 11))
    await wait_until_in_loop(lambda: len(place.large.bodies) == 2)
    hold.set()
    assert [await first, await second] == [200, 200]
    assert not place.budget.held


def test_too_much_on_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "SPOOLED_BYTES", 150)
    place = Place()
    assert asyncio.run(place.send(b"x" * 100, b"x" * 100)) == 503
    assert asyncio.run(place.send(b"x" * 100)) == 200


@in_loop
async def test_whose_sender_goes_is_forgotten() -> None:
    place = Place()
    events = iter([{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(events)

    await place.app({"path": "/upload", "headers": [(b"content-length", b"300")]}, receive, receive)
    assert (place.large.scopes, place.app._uploads.total()) == ([], 0)
