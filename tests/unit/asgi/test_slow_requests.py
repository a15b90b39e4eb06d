"""Requests are taken in without a thread, however slowly they come; fakes stand in for uvicorn and for Flask."""

import asyncio
from typing import Any

import pytest

from chatroom.asgi import slow_requests as intake
from chatroom.asgi.budget import ACCOUNT, Account, Budget
from chatroom.asgi.slow_requests import SlowRequests


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
    account: Account | None = None,
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
        application = SlowRequests(inner, most_bytes=most)
        await application({"headers": headers, "state": {ACCOUNT: account}}, queue.get, send)

    asyncio.run(main())
    return inner.bodies, sent[0]["status"] if sent else None


class TestBodies:
    def test_bodies_are_passed_on_in_one_piece(self) -> None:
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

    def test_that_are_too_much_together_are_refused_and_room_is_given_back(self) -> None:
        """L04, L13."""
        budget = Budget(in_all=50)
        assert serve(part(b"x" * 40), part(b"x" * 40), part(b"", more=False), account=Account(budget)) == ([], 503)
        assert serve(part(b"x" * 40), part(b"x", more=False), account=Account(budget)) == ([b"x" * 41], 200)
        assert not budget.held

    def test_count_until_they_are_answered(self) -> None:
        """L13: what waits for a thread is still held."""
        account = Account(Budget())

        class Asking(Inner):
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await super().__call__(scope, receive, send)
                assert account.size == 41

        inner = Asking()
        assert serve(part(b"x" * 40), part(b"x", more=False), account=account, inner=inner)[1] == 200
        assert account.size == 0
