"""Pass posts and changes from other threads to the appender on the event loop.

A thread waits at most ten seconds for the outcome. After that, the server still tries to store the post.
"""

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft, Notice, Room
from chatroom.base.threads import give_back
from chatroom.live.writing.appender import Appender
from chatroom.messages.messages_store import Stored
from chatroom.messages.writer import Change

PATIENCE_SECONDS = 10.0


class _Engine(NamedTuple):
    loop: asyncio.AbstractEventLoop
    appender: Appender
    apply: Callable[[Notice], object]


class Bridge:
    """The bridge is open while an engine runs. Call `open` and `close` on the event loop, other methods in threads."""

    def __init__(self) -> None:
        self._engine: _Engine | None = None

    @property
    def is_open(self) -> bool:
        """Whether an engine runs in this process. While it runs, all posts and changes must use the bridge."""
        return self._engine is not None

    def open(self, appender: Appender, apply: Callable[[Notice], object]) -> None:
        """Open the bridge on the current event loop, with the engine's appender and a function to apply a notice."""
        self._engine = _Engine(asyncio.get_running_loop(), appender, apply)

    def close(self) -> None:
        """Disconnect the bridge when the engine stops."""
        self._engine = None

    def apply(self, notice: Notice) -> bool:
        """Apply a notice to the connections of this process, without waiting. Return False if no engine runs."""
        engine = self._engine  # read once, because another thread may close the bridge
        if engine is None:
            return False
        with contextlib.suppress(RuntimeError):  # the loop has ended
            engine.loop.call_soon_threadsafe(engine.apply, notice)
        return True

    def post(self, room: Room, item: Draft | Change) -> Stored:
        """Post a draft or make a change, and wait; raise `Unavailable` if the outcome takes too long."""
        engine = self._engine
        if engine is None:
            raise _restarting()
        outcome: concurrent.futures.Future[Stored] = concurrent.futures.Future()

        def done(result: Stored | ChatroomError) -> None:
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # the thread no longer waits
                if isinstance(result, ChatroomError):
                    outcome.set_exception(result)
                else:
                    outcome.set_result(result)

        def put() -> None:
            try:
                engine.appender.put(room.id, item, done)
            except Refused as refusal:
                done(refusal)

        try:
            engine.loop.call_soon_threadsafe(put)
        except RuntimeError as error:  # the loop has ended
            raise _restarting() from error
        try:
            give_back.get()()
            return outcome.result(PATIENCE_SECONDS)
        except concurrent.futures.TimeoutError:
            outcome.cancel()
            raise Unavailable(
                "The message is not stored yet. The server keeps trying. Sending it again does no harm."
            ) from None

    def note(self, room: Room, line: Draft) -> None:
        """Queue an event line of the room, without waiting for the outcome."""
        engine = self._engine
        if engine is None:
            return

        def put() -> None:
            with contextlib.suppress(Refused):  # the queue is full, so the line is not stored
                engine.appender.put(room.id, line, lambda _: None)

        with contextlib.suppress(RuntimeError):  # the loop has ended
            engine.loop.call_soon_threadsafe(put)


def _restarting() -> Unavailable:
    return Unavailable("The server restarts. Please try again in a moment.")
