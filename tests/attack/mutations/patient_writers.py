"""Write answers whole, count nothing, and wait for ever for whoever does not read them."""

from collections.abc import Iterator
from typing import Any

from chatroom.asgi import large_answers as pieces
from chatroom.asgi import stalled_reader
from chatroom.asgi.budget import Budget


def apply() -> None:
    """Take the bounds away."""

    def cut(event: dict[str, Any], body: bytes) -> Iterator[dict[str, Any]]:
        yield event

    stalled_reader.STALL_SECONDS = 3600.0
    pieces._cut = cut  # type: ignore[assignment]
    Budget.find_full = lambda *_: None  # type: ignore[method-assign]
