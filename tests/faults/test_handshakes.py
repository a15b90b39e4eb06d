"""Many who come back while the database is away: each is told so in time, however many wait before them. F07.

Found by the attack: handshakes stood in line for the store's threads, each of which waits for five seconds.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatroom.base.errors import Unavailable
from chatroom.live.engine import Engine
from chatroom.live.sockets import endpoint as socket
from chatroom.live.sockets.endpoint import Entrance, LiveEndpoint
from chatroom.live.sockets.visitor import Chat, ConnectionLimits
from tests.waiting import PATIENCE_SECONDS

CROWD = 40
THREADS = 2
HANDSHAKE_SECONDS = 0.3
LIMITS = ConnectionLimits(connections=0, connections_per_user=0, connections_per_address=0, rooms_per_connection=0)


class AwayEngine:
    """As much of an engine as a handshake needs: a few threads, in which nothing ends before `is_over`."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(THREADS)
        self.calls = 0
        self.is_over = threading.Event()
        self.receiver = SimpleNamespace(count=0)
        self._lock = threading.Lock()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    def sign_in(self, _: Any) -> None:
        with self._lock:
            self.calls += 1
        self.is_over.wait(2 * PATIENCE_SECONDS)
        raise Unavailable("away")


async def come(endpoint: LiveEndpoint) -> tuple[int, bool]:
    """The status that a handshake is answered with, and whether it says when to come back."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    scope = {"type": "websocket", "path": "/live", "query_string": b"room=lobby", "headers": []}
    await endpoint(cast("Any", scope), receive, cast("Any", send))
    names = {name for name, _ in sent[0]["headers"]}
    return sent[0]["status"], b"retry-after" in names


def test_all_clients_learn_of_a_database_outage_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HANDSHAKE_SECONDS", HANDSHAKE_SECONDS)
    engine = AwayEngine()
    endpoint = LiveEndpoint(
        cast("Engine", engine),
        cast("Chat", SimpleNamespace(limits=LIMITS)),  # nobody is signed in
        Entrance(address_of=lambda _: "127.0.0.1", sign_in=engine.sign_in, is_own_origin=lambda _: True),
    )

    async def storm() -> list[tuple[int, bool]]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.gather(*(come(endpoint) for _ in range(CROWD)))
        finally:
            engine.is_over.set()

    with engine.pool:
        answers = asyncio.run(storm())  # though no thread comes back before all have their answer
    assert set(answers) == {(503, True)}
    # Those who went away are not looked up any more: the threads are free for what can be done.
    assert engine.calls <= THREADS
