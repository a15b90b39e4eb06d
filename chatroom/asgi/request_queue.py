"""Queue requests on the event loop until a thread is free, with a fair share for each person.

A "person" is an account, or an address if the account is not known. In each lane (kind of request), people take turns.
So the requests of one person delay only that person. If a queue is full, the answer is 503.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

from chatroom.asgi.fair_queue import Full, Queue, Width
from chatroom.asgi.slow_requests import Application, Receive, Scope, Send, refuse
from chatroom.base.threads import Lane, give_back, worker_count

TURNS = 2
"""The number of requests that compute at the same time (docs/decisions/0037-turns-to-compute.md)."""
TURN_SECONDS = 0.5
"""After this time, the turn of a request ends, so that others can compute."""
PROBES_AT_ONCE = 2
STATIC_AT_ONCE = 3
QUICK: set[Lane] = {"probes", "static"}
QUICK_AT_ONCE = PROBES_AT_ONCE + STATIC_AT_ONCE
"""The threads for short requests without a turn, in addition to the threads for pages."""
PASSWORDS_EACH, PASSWORDS_WAITING = 120, 180
"""The maximum number of log-ins that wait for each worker: from one address, and in total.

A worker makes three hashes a second, so a log-in waits at most 60 s."""
MOST_KNOWN = 10_000
LEAVE = "chatroom.leave"
"""The key of a function in a request's scope: it frees the request's places."""
PERSON = "chatroom.person"
"""The key of the sender's account (if it is known) in a request's scope."""


class RequestQueue:
    """An ASGI middleware that calls a WSGI app (wrapped as ASGI) when a thread is free for the request.

    The app must call `scope[LEAVE]`, from any thread, when the request's thread is free again.
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
        credential = hashlib.sha256(self._find_credential(scope).encode()).digest()
        person = self._known.get(credential) or f"at {self._find_address(scope)}"
        places: list[Callable[[], None]] = []
        scope = {**scope, LEAVE: _in_loop(places)}
        try:
            await self._enter(scope, person, places)
            await self._inner(scope, receive, send)
        except Full:
            message = "Too many requests are waiting, yours or those of others. Please try again in a moment."
            await refuse(send, 503, message)
        finally:
            _leave_all(places)
            self._learn(credential, scope)

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
        """Remember the account of a credential: later requests with the credential wait as requests of this account."""
        person = scope.get(PERSON)
        if person is not None:
            self._known[credential] = person
            self._known.move_to_end(credential)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


def widths(threads: int) -> Mapping[Lane, Width]:
    """Return the width of each lane; `threads` is the number of threads for pages."""
    workers = worker_count()
    return {
        "pages": Width(threads, max(1, threads // 5)),
        "probes": Width(PROBES_AT_ONCE, PROBES_AT_ONCE),
        "static": Width(STATIC_AT_ONCE, STATIC_AT_ONCE - 1, waiting=4000, waiting_each=1000),
        # There is one place more than threads, so that one request is prepared or answered while another computes.
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
