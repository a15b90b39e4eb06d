"""What is scarce: all of it in use, or plenty of it where there is no queue in front of the application."""

from collections.abc import Iterator
from contextlib import contextmanager

from chatroom.base.threads import Places, Workers


@contextmanager
def all_taken(scarce: Places | Workers) -> Iterator[None]:
    """Meanwhile there is no place free."""
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
    """Let a hundred wait in their threads, as tests do that come at the same moment without an event loop."""
    scarce._places = Places("passwords", 100, "Too many.", retry_after=1.0)
