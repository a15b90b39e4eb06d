"""A queue on the event loop for a limited number of places, such as threads.

Waiting people get the free places in turn. The queue is bounded for each person and in total.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

import msgspec


class Full(Exception):
    """The queue is full."""


class Width(msgspec.Struct, frozen=True):
    """The limits of a lane: its places, the places for one person, the waiting requests in total and per person."""

    places: int
    share: int
    waiting: int = 1000
    waiting_each: int = 100


class Queue:
    """One lane: requests of one kind wait for a free place."""

    def __init__(self, width: Width) -> None:
        self._width = width
        self._inside: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, person: str) -> Callable[[], None]:
        """Wait for a place; return an idempotent function that frees it. Raise `Full` if the queue is full."""
        if person not in self._waiting and self._may_enter(person):
            self._inside[person] += 1
        else:
            await self._wait(person)
        is_left = False

        def leave() -> None:
            nonlocal is_left
            if not is_left:
                is_left = True
                self._leave(person)

        return leave

    def _may_enter(self, person: str) -> bool:
        return self._inside.total() < self._width.places and self._inside[person] < self._width.share

    async def _wait(self, person: str) -> None:
        self._make_room(person)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(person, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(person, turn)
            elif not turn.exception():
                self._leave(person)
            raise

    def _make_room(self, person: str) -> None:
        """If the queue is full, remove the newest request of the person with the most requests, or raise `Full`."""
        own = len(self._waiting.get(person, ()))
        if own >= self._width.waiting_each:
            raise Full
        if sum(map(len, self._waiting.values())) >= self._width.waiting:
            longest = max(self._waiting, key=lambda each: len(self._waiting[each]))
            if own + 1 >= len(self._waiting[longest]):
                raise Full
            last = self._waiting[longest].pop()
            if not last.done():
                last.set_exception(Full())

    def _leave(self, person: str) -> None:
        self._inside[person] -= 1
        if not self._inside[person]:
            del self._inside[person]
        self._let_in()

    def _let_in(self) -> None:
        while person := next(filter(self._may_enter, self._waiting), None):
            turn = self._waiting[person][0]
            if not turn.done():  # a cancelled task may not have run yet
                self._inside[person] += 1
                self._waiting.move_to_end(person)
                turn.set_result(None)
            self._forget(person, turn)

    def _forget(self, person: str, turn: "asyncio.Future[None]") -> None:
        own = self._waiting.get(person, deque())
        if turn in own:
            own.remove(turn)
            if not own:
                del self._waiting[person]
