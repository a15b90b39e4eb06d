"""Collect the drafts of a room while its previous write is in flight, and store them together.

One write at a time for each room; what waits is bounded; an unknown outcome is tried again, with the same client ids.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatroom.errors import ChatroomError, Refused, Unavailable
from chatroom.messages import Change
from chatroom.models import Draft, Message
from chatroom.store.messages import Stored

log = logging.getLogger(__name__)

MAX_BATCH = 1000
LOOP_TURNS = 3
"""Send to the followers, read the sockets, take the frames."""
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

Done = Callable[[Stored | ChatroomError], None]
Append = Callable[[str, Sequence[Draft], int | None], list[Stored]]
AppendNow = Callable[[str, Sequence[Draft], int], Awaitable[list[Stored] | None]]
RunInThread = Callable[..., Awaitable[Any]]


class Appender:
    """Drafts in, stored messages out. `published` gets every room's new messages, once a majority has them."""

    def __init__(
        self,
        append: Append,
        append_now: AppendNow,
        run: RunInThread,
        *,
        newest: Callable[[str], int | None],
        published: Callable[[str, list[Message]], None],
        max_waiting: int,
    ) -> None:
        self._append = append
        self._append_now = append_now
        self._run = run
        self._newest = newest
        self._published = published
        self._max_waiting = max_waiting
        self._queues: dict[str, deque[tuple[Draft | Change, Done]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, room: str, item: Draft | Change, done: Done) -> None:
        """Queue a draft or a change; `done` is called with the outcome. Raise `Refused` (`busy`) when too many wait."""
        queue = self._queues.get(room)
        if queue is None:
            queue = self._queues[room] = deque()
            task = asyncio.get_running_loop().create_task(self._drain(room, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif 0 < self._max_waiting <= len(queue):
            raise Refused("busy", "Too many messages are waiting to be stored. Try again shortly.", retry_after=1.0)
        queue.append((item, done))

    async def finish(self, timeout_seconds: float) -> None:
        """Wait until everything that was queued is stored; give up after the time-out."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_seconds)

    async def _drain(self, room: str, queue: deque[tuple[Draft | Change, Done]]) -> None:
        # Let everybody who is ready put theirs first: what arrived together is stored together.
        await asyncio.sleep(0)
        while queue:
            item, done = queue[0]
            if isinstance(item, Draft):
                await self._store_batch(room, queue)
                if queue:
                    await _let_the_loop_turn()
            else:
                queue.popleft()
                await self._make_change(room, item, done)
        del self._queues[room]

    async def _store_batch(self, room: str, queue: deque[tuple[Draft | Change, Done]]) -> None:
        drafts: list[Draft] = []
        dones: list[Done] = []
        while queue and len(drafts) < MAX_BATCH and isinstance(queue[0][0], Draft):
            draft, done = queue.popleft()
            assert isinstance(draft, Draft)  # noqa: S101  for the type checker
            drafts.append(draft)
            dones.append(done)
        await self._store(room, drafts, dones)

    async def _store(self, room: str, drafts: list[Draft], dones: list[Done]) -> None:
        outcome: Any = await self._store_now(room, drafts)
        if outcome is None:
            outcome = await self._persist(lambda: self._append(room, drafts, self._newest(room)))
        if not isinstance(outcome, ChatroomError):
            self._publish(room, [result.message for result in outcome])
            for done, result in zip(dones, outcome, strict=True):
                _tell(done, result)
        elif len(drafts) > 1:
            # One of them cannot be stored; the others must not suffer for it.
            for draft, done in zip(drafts, dones, strict=True):
                await self._store(room, [draft], [done])
        else:
            _tell(dones[0], outcome)

    async def _store_now(self, room: str, drafts: list[Draft]) -> list[Stored] | None:
        """Try it without a thread; None where the ordinary way has to be gone, whatever the reason."""
        newest = self._newest(room)
        if newest is None:
            return None
        try:
            return await self._append_now(room, drafts, newest)
        except Exception:
            log.exception("a write from the event loop failed; it is made in a thread")
            return None

    async def _make_change(self, room: str, change: Change, done: Done) -> None:
        outcome = await self._persist(lambda: change(room, self._newest(room)))
        if isinstance(outcome, ChatroomError):
            _tell(done, outcome)
            return
        self._publish(room, [outcome])
        _tell(done, Stored(outcome, is_repeated=False))

    def _publish(self, room: str, messages: list[Message]) -> None:
        try:
            self._published(room, messages)
        except Exception:
            log.exception("stored messages were not published here; the feed brings them")

    async def _persist(self, write: Callable[[], Any]) -> Any:
        """Try until the outcome is known. A time-out is unknown: neither stored nor failed."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._run(write)
            except Refused as refusal:
                return refusal
            except Unavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception:
                log.exception("a write failed for a reason that trying again cannot mend")
                return Unavailable("The message could not be stored.")


def _tell(done: Done, outcome: Stored | ChatroomError) -> None:
    """Give the outcome to whoever asked for it; a failure there must not stop the room's queue."""
    try:
        done(outcome)
    except Exception:
        log.exception("the outcome of a write could not be told")


async def _let_the_loop_turn() -> None:
    """Let what was stored reach its readers, and what waits at the sockets come in: the next batch is larger for it.

    It takes no time where nothing is waiting to be sent or read.
    """
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)
