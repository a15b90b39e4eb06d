"""The fuzzers see what they are there to see, and find nothing in a short run; `python -m tests.fuzz` is a long one."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from chatroom.live.connection import Connection
from chatroom.messages.messages_store import MessageStore
from tests.fuzz import Broken, frames, renderer

HARMFUL = [
    "<script>1</script>",
    "<p onclick=x>y</p>",
    '<a href="javascript:1" rel="noopener">x</a>',
    '<a href=" https://a.b" rel="noopener">x</a>',
    '<a href="https://a.b">x</a>',
    '<code class="&quot;>">x</code>',
    "<p style=x>y</p>",
    "<img src=x>",
    "<p>never closed",
    "<em><p></em></p>",
    "<!-- x -->",
    "<!doctype html>",
    "<?x?>",
]


@pytest.fixture
def target() -> Iterator[frames.Target]:
    target = frames.Target()
    target.fuzz(b"1")
    yield target
    target.close()


@pytest.mark.parametrize("html", HARMFUL)
def test_harmful_html_is_noticed(html: str) -> None:
    with pytest.raises(Broken):
        renderer.check_html(html)


@pytest.mark.parametrize("harm", ["a raw text", "a slow one", "another each time"])
def test_a_renderer_that_breaks_its_promises_is_noticed(harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100, 10))
    answers = iter(["<p>1</p>", "<p>2</p>"])
    monkeypatch.setattr(renderer, "ordinary_seconds", lambda: 0.01)  # measured with the renderer as it is
    if harm == "a slow one":
        monkeypatch.setattr(renderer, "thread_time", lambda: next(clock))
    if harm == "a raw text":
        monkeypatch.setattr(renderer, "render", lambda text: text)
    if harm == "another each time":
        monkeypatch.setattr(renderer, "render", lambda text: next(answers))
    with pytest.raises(Broken):
        renderer.fuzz(b"<b onclick=x>")


def test_a_frame_that_breaks_the_connection_is_noticed(target: frames.Target, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: Connection, raw: str) -> None:
        raise RuntimeError(raw)

    monkeypatch.setattr(Connection, "_do", fail)
    with pytest.raises(Broken):
        target.fuzz(b"1")


def test_a_room_that_stops_taking_posts_is_noticed(target: frames.Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(self: MessageStore, *arguments: Any, **options: Any) -> Any:
        raise ValueError("lost")

    monkeypatch.setattr(MessageStore, "append", lose)
    with pytest.raises(Broken):
        target.fuzz(b"1")


def test_nothing_is_found_in_a_short_run(target: frames.Target) -> None:
    dice = random.Random(20261121)
    for seed in frames.SEEDS:
        target.fuzz(seed.encode())
    for _ in range(250):
        target.fuzz(dice.randbytes(dice.randint(1, 120)))
    pieces = [seed[n : n + 6] for seed in renderer.SEEDS for n in range(0, len(seed), 4)]
    for seed in renderer.SEEDS:
        renderer.fuzz(seed.encode())
    for _ in range(1500):
        renderer.fuzz("".join(dice.choices(pieces, k=dice.randint(1, 30))).encode())
