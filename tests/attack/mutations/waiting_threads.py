"""Give a thread to whoever comes, and let it wait there for what is scarce."""

from collections.abc import Callable, Mapping
from typing import Any

from chatroom.asgi import request_queue
from chatroom.asgi.request_queue import Width
from chatroom.base.errors import Refused
from chatroom.base.threads import Lane, Places

WAIT_SECONDS = 20.0


def apply() -> None:
    """Replace the shares, and the try for a place."""
    original = request_queue.widths

    def widths(threads: int) -> Mapping[Lane, Width]:
        return {lane: Width(threads, threads, 10_000, 10_000) for lane in original(threads)}

    def run(self: Places, work: Callable[[], Any]) -> Any:
        if not self._free.acquire(timeout=WAIT_SECONDS):
            raise Refused("busy", self._message, retry_after=self._retry_after)
        try:
            return work()
        finally:
            self._free.release()

    request_queue.widths = widths
    Places.run = run  # type: ignore[method-assign]
