"""Unchanging answers are kept; a fake stands in for the application, and counts its requests."""

import asyncio
from typing import Any

import pytest

from chatroom.asgi import kept_answers
from chatroom.asgi.kept_answers import KeptAnswers

FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
PATH = "/static/~1/a.js"


class Site:
    """Answers with its count of requests."""

    def __init__(self, *, status: int = 200, header: tuple[bytes, bytes] = FOR_EVER, size: int = 1) -> None:
        self.asked = 0
        self.status, self.header, self.size = status, header, size
        self.answers = KeptAnswers(self, "/static/~1/")

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": self.status, "headers": [self.header]})
        await send({"type": "http.response.body", "body": b"%d" % self.asked * self.size, "more_body": True})
        await send({"type": "http.response.body", "body": b"."})

    def get(self, path: str = PATH, *headers: tuple[bytes, bytes], method: str = "GET", **scope: Any) -> bytes:
        """The body of the answer. The status and the headers must be those of the site."""
        sent: list[dict[str, Any]] = []

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        whole = {
            "method": method,
            "path": path,
            "query_string": b"",
            "scheme": "http",
            "headers": list(headers),
        } | scope
        asyncio.run(self.answers(whole, None, send))  # type: ignore[arg-type]
        head, *bodies = sent
        assert (head["status"], head["headers"]) == (self.status, [self.header])
        assert not bodies[-1].get("more_body", False)
        return b"".join(event["body"] for event in bodies)


def test_the_first_answer_is_given_again() -> None:
    site = Site()
    assert [site.get() for _ in range(3)] == [b"1.", b"1.", b"1."]


@pytest.mark.parametrize(
    "other",
    [
        Site(status=304),
        Site(status=404),
        Site(header=(b"cache-control", b"no-cache")),
        Site(header=(b"etag", b"immutable")),
        Site(size=kept_answers.MOST_BYTES),
    ],
)
def test_other_answers_are_not_kept(other: Site) -> None:
    assert other.get()[-2:] == b"1."
    assert other.get()[-2:] == b"2."


@pytest.mark.parametrize(
    "different",
    [
        {"path": "/static/~1/b.js"},
        {"path": "/static/a.js"},
        {"scheme": "https"},
        {"method": "HEAD"},
        {"query_string": b"x"},
        *({"headers": [(name, b"x")]} for name in (*kept_answers.DECIDING, *kept_answers.UNUSUAL)),
    ],
)
def test_a_request_for_something_else_gets_its_own_answer(different: dict[str, Any]) -> None:
    site = Site()
    assert site.get() == b"1."
    assert site.get(**different) == b"2."  # type: ignore[arg-type]
    assert site.get() == b"1."


def test_other_headers_make_no_difference() -> None:
    site = Site()
    assert [site.get(PATH, (b"cookie", value)) for value in (b"a", b"b")] == [b"1.", b"1."]


def test_the_kept_answers_have_a_size_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """L20: the answer that was not sent for the longest time goes first."""
    monkeypatch.setattr(kept_answers, "MOST_IN_ALL", 3 * kept_answers.HEAD_BYTES)
    site = Site()
    for host in (b"a", b"b", b"a", b"c"):
        site.get(PATH, (b"host", host))
    assert site.asked == 3
    assert site.get(PATH, (b"host", b"a")) == b"1."
    assert site.get(PATH, (b"host", b"b")) == b"4."
