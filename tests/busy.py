"""Limited resources for tests: all places taken, or many more places than usual."""

from collections.abc import Iterator
from contextlib import contextmanager

from chatroom.base.threads import Places, Workers


@contextmanager
def all_taken(scarce: Places | Workers) -> Iterator[None]:
    """Take all places for the duration of the context."""
    places = scarce._places if isinstance(scarce, Workers) else scarce
    taken = 0
    while places._free.acquire(blocking=False):
        taken += 1
    try:
        yield
    finally:
        for _ in range(taken):
            places._free.release()


def give_plenty(scarce: Workers) -> None:
    """Allow a hundred threads to wait, for tests that send simultaneous requests without an event loop."""
    scarce._places = Places("passwords", 100, "Too many.", retry_after=1.0)
