"""Let few requests compute at a time, so that the event loop does not stand in line behind all of them.

Python runs one thread at a time and does not know which matters: while fifty people logged in, a message for everybody
waited for the interpreter behind one page after the other. A turn is a courtesy and no lock: who waited long goes on
without one, so that nothing stands still when those who have a turn wait for a database that is away.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

AT_ONCE = 2
"""One computes while another waits for the database."""
PATIENCE_SECONDS = 1.0

P = ParamSpec("P")
T = TypeVar("T")

_mine = threading.local()


def in_turns(answer: Callable[P, T], at_once: int = AT_ONCE) -> Callable[P, T]:
    """The same function, with a turn for each call; to be called in threads."""
    places = threading.BoundedSemaphore(at_once)

    def answer_in_turn(*arguments: P.args, **options: P.kwargs) -> T:
        _take(places)
        try:
            return answer(*arguments, **options)
        finally:
            _give_back()

    return answer_in_turn


@contextmanager
def waiting() -> Iterator[None]:
    """Let others have this thread's turn, if it has one, while it waits for something that takes long."""
    places = _give_back()
    try:
        yield
    finally:
        if places is not None:
            _take(places)


def _take(places: threading.BoundedSemaphore) -> None:
    _mine.places = places if places.acquire(timeout=PATIENCE_SECONDS) else None


def _give_back() -> threading.BoundedSemaphore | None:
    places: threading.BoundedSemaphore | None = getattr(_mine, "places", None)
    _mine.places = None
    if places is not None:
        places.release()
    return places
