"""Collect the drafts of a room during a write, and store them together in the next write.

Each room has one write at a time, and a bounded queue. If the outcome of a write is unknown, the write is repeated.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Draft, Message
from chatroom.base.threads import RunInThread
from chatroom.live.writing.batch_writer import BatchWriter, Outcome
from chatroom.live.writing.rivals import Rivals
from chatroom.messages.appending import Appending
from chatroom.messages.async_store import StoreNow
from chatroom.messages.messages_store import Stored
from chatroom.messages.writer import Change
from chatroom.site.metrics import NO_METRICS, Metrics

log = logging.getLogger(__name__)

MAX_BATCH = 250
"""The maximum number of drafts in a batch."""
ENOUGH = 64
"""If so many drafts are queued, they are stored without waiting for more drafts."""
LOOP_TURNS = 3
"""In so many turns, the event loop sends frames, reads sockets, and handles received frames."""
Done = Callable[[Stored | ChatroomError], None]
Batch = list[tuple[Draft, Done]]
Queue = deque[tuple[Draft | Change, Done]]


class Ready(NamedTuple):
    """A batch that is ready to be stored after the revision `after`."""

    batch: Batch
    after: int
    store_now: StoreNow


class Appender:
    """Store drafts and changes. When a majority of the nodes has stored messages, `published` gets these messages."""

    def __init__(
        self,
        appending: Appending,
        run: RunInThread,
        *,
        newest: Callable[[str], int | None],
        published: Callable[[str, list[Message]], None],
        max_waiting: int,
        metrics: Metrics = NO_METRICS,
    ) -> None:
        self._make_ready = appending.make_ready
        self._newest = newest
        self._published = published
        self._max_waiting = max_waiting
        self._rivals = Rivals(newest)
        self._writer = BatchWriter(appending, run, self._rivals, metrics)
        self._queues: dict[str, Queue] = {}
        self._writing: dict[str, asyncio.Future[Outcome]] = {}
        self._expected: dict[str, int] = {}
        """By room: the newest revision if the running write succeeds."""
        self._ready: dict[str, Ready] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, room: str, item: Draft | Change, done: Done) -> None:
        """Queue a draft or change; raise `Refused` (`busy`) if the queue is full. `done` is called with the outcome."""
        queue = self._queues.get(room)
        if queue is None:
            queue = self._queues[room] = deque()
            task = asyncio.get_running_loop().create_task(self._drain(room, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif 0 < self._max_waiting <= len(queue) + (len(self._ready[room].batch) if room in self._ready else 0):
            raise Refused("busy", "Too many messages are waiting to be stored. Try again shortly.", retry_after=1.0)
        queue.append((item, done))
        if len(queue) == MAX_BATCH and room in self._expected:
            asyncio.get_running_loop().call_soon(self._prepare, room, queue)

    def count_waiting(self) -> int:
        """The number of queued drafts and changes."""
        return sum(map(len, self._queues.values())) + sum(len(ready.batch) for ready in self._ready.values())

    async def hear(self, room: str, revision: int) -> "asyncio.Future[Outcome] | None":
        """Note that another process has written in a room up to `revision`. Then it is this process's turn.

        Return the running write of this process in the room, if any.
        """
        if room in self._queues:
            self._rivals.meet(room)
            self._rivals.hear(room, revision)
            await _let_the_loop_turn()
        return self._writing.get(room)

    async def finish(self, timeout_seconds: float) -> None:
        """Wait until all queued drafts are stored, or until the time-out."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_seconds)

    async def _drain(self, room: str, queue: Queue) -> None:
        # Let the drafts that arrive in the same turn of the loop join the first write.
        await asyncio.sleep(0)
        while queue:
            item, done = queue[0]
            if isinstance(item, Draft):
                await self._store_batches(room, queue)
            else:
                queue.popleft()
                await self._make_change(room, item, done)
        del self._queues[room]
        self._writing.pop(room, None)

    async def _store_batches(self, room: str, queue: Queue) -> None:
        """Store the drafts at the front of the queue, and publish each batch."""
        await self._rivals.take_turn(room)
        batch = _take_batch(queue)
        writing = self._begin(room, batch, self._rivals.newest(room))
        while batch:
            outcome, following = await writing, None
            newest = self._end(room, outcome)
            ready = self._take_ready(room, queue, newest)
            if newest is not None and (ready or _is_busy(queue)):
                # The database stores the next batch while this process publishes this batch.
                following = ready.batch if ready else _take_batch(queue)
                writing = self._begin(room, following, newest, ready)
                await _let_the_loop_turn()  # so that the next write begins first
            await self._show(room, batch, outcome)
            batch = following or []
        if queue:
            await _let_the_loop_turn()

    def _begin(
        self, room: str, batch: Batch, newest: int | None, ready: Ready | None = None
    ) -> "asyncio.Future[Outcome]":
        if newest is not None and not self._rivals.are_in(room):
            self._expected[room] = newest + len(batch)
        writing = self._writing[room] = asyncio.ensure_future(
            self._writer.write(room, [draft for draft, _ in batch], newest, ready.store_now if ready else None)
        )
        return writing

    def _end(self, room: str, outcome: Outcome) -> int | None:
        """End a write. Return the revision for the next write; None if the next write must not begin at once."""
        self._expected.pop(room, None)
        if isinstance(outcome, ChatroomError) or self._rivals.are_in(room):
            return None
        return max(self._newest(room) or 0, *(stored.message.revision for stored in outcome))

    def _prepare(self, room: str, queue: Queue) -> None:
        """Prepare the next full batch during a write, so that the next write can begin at once."""
        after = self._expected.get(room)
        if after is None or room in self._ready or not queue or not isinstance(queue[0][0], Draft):
            return
        batch = _take_batch(queue)
        try:
            store_now = self._make_ready(room, [draft for draft, _ in batch], after)
        except Exception:
            log.exception("a batch could not be prepared; the write will report the error")
            store_now = None
        if store_now is None:
            queue.extendleft(reversed(batch))
        else:
            self._ready[room] = Ready(batch, after, store_now)

    def _take_ready(self, room: str, queue: Queue, newest: int | None) -> Ready | None:
        """Return the prepared batch if it follows the newest revision. Otherwise, put it back into the queue."""
        ready = self._ready.pop(room, None)
        if ready is not None and ready.after != newest:
            queue.extendleft(reversed(ready.batch))
            return None
        return ready

    async def _show(self, room: str, batch: Batch, outcome: Outcome) -> None:
        """Report the outcome of each draft, and publish the stored messages."""
        if not isinstance(outcome, ChatroomError):
            for (_, done), result in zip(batch, outcome, strict=True):
                _tell(done, result)
            self._publish(room, [result.message for result in outcome])  # sent together with the answers
        elif len(batch) > 1:
            # At least one draft cannot be stored. Write each draft alone, so that the other drafts are stored.
            for each in batch:
                await self._show(room, [each], await self._writer.write(room, [each[0]], self._newest(room)))
        else:
            _tell(batch[0][1], outcome)

    async def _make_change(self, room: str, change: Change, done: Done) -> None:
        outcome = await self._writer.persist(lambda: change(room, self._newest(room)))
        if isinstance(outcome, ChatroomError):
            _tell(done, outcome)
            return
        self._publish(room, [outcome])
        _tell(done, Stored(outcome, is_repeated=False))

    def _publish(self, room: str, messages: list[Message]) -> None:
        try:
            self._published(room, messages)
        except Exception:
            log.exception("stored messages were not published here; the feed will deliver them")


def _take_batch(queue: Queue) -> Batch:
    batch: Batch = []
    while queue and len(batch) < MAX_BATCH and isinstance(queue[0][0], Draft):
        draft, done = queue.popleft()
        assert isinstance(draft, Draft)  # noqa: S101  for the type checker
        batch.append((draft, done))
    return batch


def _is_busy(queue: Queue) -> bool:
    """Whether so many drafts are queued that the next write does not wait for more."""
    return len(queue) >= ENOUGH and isinstance(queue[0][0], Draft)


def _tell(done: Done, outcome: Stored | ChatroomError) -> None:
    """Call `done` with the outcome. An error in `done` does not stop the room's queue."""
    try:
        done(outcome)
    except Exception:
        log.exception("the outcome of a write could not be sent")


async def _let_the_loop_turn() -> None:
    """Let the loop send stored messages and receive frames, so that the next batch is larger.

    If nothing waits to be sent or read, this takes no time.
    """
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)
