"""Let requests into the threads, a fair share to each person, and let them wait here: on the event loop.

A person is an account where it is known, else an address. Whoever sends much waits behind themselves alone: of each
lane, everybody in turn gets the next place. Each queue is bounded; beyond it the answer is 503.
"""

import asyncio
import hashlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping

import msgspec

from chatroom.intake import Application, Receive, Scope, Send, refuse
from chatroom.turns import Lane, give_back, worker_count

TURNS = 2
"""That compute at a time: one while another waits for the database (docs/decisions/0037-pages-compute-in-turns.md)."""
TURN_SECONDS = 0.5
"""Who takes longer is no longer counted: when the database is slow, others go on."""
PROBES_AT_ONCE = 2
STATIC_AT_ONCE = 3
QUICK: set[Lane] = {"probes", "static"}
QUICK_AT_ONCE = PROBES_AT_ONCE + STATIC_AT_ONCE
"""Threads beside those of pages, for what takes a moment and no turn."""
PASSWORDS_EACH, PASSWORDS_WAITING = 120, 180
"""For each worker, at three hashes a second: a class that logs in at one address waits 40 s at most, and whoever comes
last of all 60 s. Who would wait longer has gone away by then."""
MOST_KNOWN = 10_000
LEAVE = "chatroom.leave"
"""In the scope of a request: what gives its places back."""
PERSON = "chatroom.person"
"""In the scope of a request: the account that turned out to have sent it, when it did."""


class Full(Exception):
    """There is no more room to wait."""


class Width(msgspec.Struct, frozen=True):
    """How many places a lane has, how many of them one person gets, and how many may wait."""

    places: int
    share: int
    waiting: int = 1000
    waiting_each: int = 100


class Queue:
    """One lane: whoever cannot enter at once waits, and everybody who waits is let in in turn."""

    def __init__(self, width: Width) -> None:
        self._width = width
        self._inside: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, person: str) -> Callable[[], None]:
        """Take a place, and return what gives it back, which may be called again; raise `Full`."""
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

    def count(self, person: str) -> tuple[int, int]:
        """How many of a person's are inside, and how many wait."""
        return self._inside[person], len(self._waiting.get(person, ()))

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
        """For one more who waits: where all wait, the longest queue loses its last one to a shorter."""
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
            if not turn.done():  # who has gone away may not have heard of it yet
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


class Queueing:
    """An ASGI application that calls another one, a WSGI one, when there is a thread for the request.

    The other one calls what is in `LEAVE` of its scope, in any thread, when the request's thread is free again.
    """

    def __init__(
        self,
        inner: Application,
        *,
        threads: int,
        find_lane: Callable[[Scope], Lane],
        find_credential: Callable[[Scope], str],
        find_address: Callable[[Scope], str],
    ) -> None:
        self._inner = inner
        self._find_lane = find_lane
        self._find_credential = find_credential
        self._find_address = find_address
        self._queues = {lane: Queue(width) for lane, width in widths(threads).items()}
        self._turns = Queue(Width(TURNS, TURNS))
        self._known: OrderedDict[bytes, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        credential = hashlib.sha256(self._find_credential(scope).encode()).digest()
        person = self._known.get(credential) or f"at {self._find_address(scope)}"
        places: list[Callable[[], None]] = []
        scope = {**scope, LEAVE: _in_loop(places)}
        try:
            await self._enter(scope, person, places)
            await self._inner(scope, receive, send)
        except Full:
            message = "Too many of your requests, or of everybody's, are waiting. Please try again in a moment."
            await refuse(send, 503, message)
        finally:
            _leave_all(places)
            self._learn(credential, scope)

    def count(self, lane: Lane, person: str) -> tuple[int, int]:
        """How many of a person's requests are in a lane's places, and how many wait for one."""
        return self._queues[lane].count(person)

    async def _enter(self, scope: Scope, person: str, places: list[Callable[[], None]]) -> None:
        lane = self._find_lane(scope)
        if lane != "pages":
            places.append(await self._queues[lane].enter(person))
        if lane not in QUICK:
            places.append(await self._queues["pages"].enter(person))
            await self._take_turn(person, places)

    async def _take_turn(self, person: str, places: list[Callable[[], None]]) -> None:
        loop = asyncio.get_running_loop()
        leave = await self._turns.enter(person)
        end = loop.call_later(TURN_SECONDS, leave)
        places += [end.cancel, leave]

        def leave_from_thread() -> None:
            loop.call_soon_threadsafe(leave)

        give_back.set(leave_from_thread)

    def _learn(self, credential: bytes, scope: Scope) -> None:
        """Remember whose a credential is: for the next request's share, and for nothing else."""
        person = scope.get(PERSON)
        if person is not None:
            self._known[credential] = person
            self._known.move_to_end(credential)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def widths(threads: int) -> Mapping[Lane, Width]:
    """The lanes of a process that has so many threads for pages."""
    workers = worker_count()
    return {
        "pages": Width(threads, max(1, threads // 5)),
        "probes": Width(PROBES_AT_ONCE, PROBES_AT_ONCE),
        "static": Width(STATIC_AT_ONCE, STATIC_AT_ONCE - 1, waiting=4000, waiting_each=1000),
        # One more than compute: it is made ready, or its answer is, while another's work is done.
        "pictures": Width(workers + 1, 1, waiting=200, waiting_each=20),
        "passwords": Width(
            workers + 1, workers, waiting=PASSWORDS_WAITING * workers, waiting_each=PASSWORDS_EACH * workers
        ),
        "names": Width(4, 1, waiting=50, waiting_each=5),
    }


def _in_loop(places: list[Callable[[], None]]) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def leave() -> None:
        loop.call_soon_threadsafe(_leave_all, places)

    return leave


def _leave_all(places: list[Callable[[], None]]) -> None:
    while places:
        places.pop()()
