"""From other threads onto the event loop: what pages, the API and commands post goes through the same appender.

A thread waits for its outcome, and gives up at some point; what it gave goes on being stored.
"""

import asyncio
import concurrent.futures
import contextlib

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft, Message, Room
from chatroom.base.threads import give_back
from chatroom.live.appender import Appender
from chatroom.messages.messages_store import Stored
from chatroom.messages.writer import Change

PATIENCE_SECONDS = 10.0


class Passage:
    """Made on the event loop; everything else may be called in any thread but the loop's."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._loop = asyncio.get_running_loop()

    def post(self, room: Room, draft: Draft, timeout_seconds: float = PATIENCE_SECONDS) -> Stored:
        """Post in a group with what others post; raise `Unavailable` when that takes too long."""
        return self._put(room, draft, timeout_seconds)

    def change(self, room: Room, change: Change, timeout_seconds: float = PATIENCE_SECONDS) -> Message:
        """Change a message; raise `Unavailable` when that takes too long."""
        return self._put(room, change, timeout_seconds).message

    def note(self, room: Room, line: Draft) -> None:
        """Put a line of the room's own behind what is being stored, and do not wait for it."""

        def put() -> None:
            with contextlib.suppress(Refused):  # too much waits already: the line is left out
                self._appender.put(room.id, line, lambda _: None)

        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(put)

    def _put(self, room: Room, item: Draft | Change, timeout_seconds: float) -> Stored:
        outcome: concurrent.futures.Future[Stored] = concurrent.futures.Future()

        def done(result: Stored | ChatroomError) -> None:
            with contextlib.suppress(concurrent.futures.InvalidStateError):  # nobody waits any more
                if isinstance(result, ChatroomError):
                    outcome.set_exception(result)
                else:
                    outcome.set_result(result)

        def put() -> None:
            try:
                self._appender.put(room.id, item, done)
            except Refused as refusal:
                done(refusal)

        try:
            self._loop.call_soon_threadsafe(put)
        except RuntimeError as error:  # the loop has ended
            raise Unavailable("The server restarts. Please try again in a moment.") from error
        try:
            give_back.get()()
            return outcome.result(timeout_seconds)
        except concurrent.futures.TimeoutError:
            outcome.cancel()
            raise Unavailable(
                "The message is not stored yet, and the room goes on trying. Sending it again does no harm."
            ) from None
