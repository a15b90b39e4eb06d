"""Large answers go out in pieces and are counted; fakes stand in for the application and for uvicorn."""

import asyncio
from typing import Any

import pytest

from chatroom.asgi.budget import ACCOUNT, Account, Budget
from chatroom.asgi.large_answers import PIECE_BYTES, LargeAnswers, in_one

LARGE = bytes(range(256)) * 1024


def answer(account: Account | None, *bodies: bytes, is_counted: bool = True) -> list[dict[str, Any]]:
    """What is sent of an answer of these parts; while it is, it is counted."""
    sent: list[dict[str, Any]] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        for body in bodies:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def send(event: dict[str, Any]) -> None:
        if account and len(event.get("body", b"")) == PIECE_BYTES:
            assert account.size == is_counted * len(LARGE)
        sent.append(event)

    asyncio.run(LargeAnswers(inner)({"state": {ACCOUNT: account}}, None, send))  # type: ignore[arg-type]
    assert not account or account.size == 0
    return sent


def test_a_small_one_passes_as_it_is() -> None:
    start, body, end = answer(None, b"small")
    assert (start["status"], start["headers"]) == (200, [(b"x-own", b"1")])
    assert (body["body"], body["more_body"], end["body"]) == (b"small", True, b"")


def test_a_large_one_goes_out_in_pieces_and_counts_until_it_is_read() -> None:
    """L13."""
    start, *bodies = answer(Account(Budget()), LARGE)
    assert start["status"] == 200
    assert b"".join(event["body"] for event in bodies) == LARGE
    assert max(len(event["body"]) for event in bodies) == PIECE_BYTES
    assert [event.get("more_body", False) for event in bodies] == [True] * (len(bodies) - 1) + [False]


def test_an_excess_request_is_refused_with_a_reason() -> None:
    """L13."""
    budget = Budget(in_all=len(LARGE))
    other = Account(budget)
    assert other.hold(1)
    start, body = answer(Account(budget), LARGE, LARGE)
    assert start["status"] == 503
    assert b"try again" in body["body"]
    assert (b"retry-after", b"5") in start["headers"]


def test_started_requests_continue() -> None:
    budget = Budget(in_all=1)
    sent = answer(Account(budget), b"begun", LARGE, is_counted=False)
    assert b"".join(event.get("body", b"") for event in sent) == b"begun" + LARGE


class Parts(list[bytes]):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize("parts", [[], [b"one"], [b"o", b"n", b"e"] * 100])
def test_no_thread_waits_for_a_reader(parts: list[bytes]) -> None:
    """L06: a file of nineteen parts waited in its thread until most of them were taken."""
    body = Parts(parts)
    assert in_one(lambda _environ, _start: body)({}, lambda *_: lambda _: None) == [b"".join(parts)]  # type: ignore[arg-type]
    assert body.is_closed
