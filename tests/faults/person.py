"""What every client of the room has: a name, a token, a cursor, what it has seen and what it has not yet said.

It follows docs/protocol.md, "A client that loses nothing", and writes down everything that it does and is told.
"""

import random
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.faults.history import Event, Journal, Kind, Outcome, hash_of

ROOM = "lobby"
WORDS = ("tea", "rain", "boat", "lamp", "stone", "river", "quiet", "copper", "garden", "winter", "signal", "paper")
MOST_WAITING = 40
FINAL = {"invalid", "empty", "too_long", "forbidden", "not_found"}
"""Reasons that trying again cannot mend."""


class Task(msgspec.Struct):
    """Something a client wants done and has no answer to yet: a post, an edit or a deletion, under its own id."""

    kind: Kind
    client_id: str
    text: str = ""
    id: str = ""
    tries: int = 0
    is_sent: bool = False
    """On the connection that is open now."""
    is_dropped_on_loss: bool = False
    """Its author will not ask again when the connection ends before the answer."""


class Own(msgspec.Struct):
    """A message of one's own that can be changed."""

    id: str
    is_busy: bool = False


class Person:
    """A client's mind. Subclasses give it a way to talk."""

    def __init__(
        self,
        name: str,
        user_id: str,
        token: str,
        journal: Journal,
        rng: random.Random,
        clock: Callable[[], float],
        *,
        renames: bool = False,
    ) -> None:
        self.name = name
        self.user_id = user_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.rng = rng
        self.cursor = 0
        self.waiting: dict[str, Task] = {}
        self.own: list[Own] = []
        self.answers = 0
        """How often it was told that something is stored."""
        self.connection = 0
        self.is_talking = True
        self.is_stopping = False
        self._renames = renames
        """A mutation: what is sent again gets a new id."""
        self._journal = journal
        self._clock = clock
        self._count = 0
        self._born = f"{name}-{int(time.time() * 1000) % 10**9:x}"

    def log(self, kind: Kind, outcome: Outcome = "", **fields: Any) -> None:
        """Write a line."""
        self._journal.write(
            Event(
                time=self._clock(),
                who=self.name,
                kind=kind,
                outcome=outcome,
                author=self.user_id if kind in {"post", "edit", "delete"} else fields.pop("author", ""),
                connection=self.connection,
                **fields,
            )
        )

    def think(self) -> Task | None:
        """Something new to do: mostly a message, now and then a change of an older one."""
        if len(self.waiting) >= MOST_WAITING:
            return None
        self._count += 1
        client_id = f"{self._born}-{self._count}"
        dice = self.rng.random()
        mine = self.rng.choice(self.own[-20:]) if self.own else None
        if mine is not None and not mine.is_busy and dice < 0.3:
            mine.is_busy = True
            if dice < 0.08:
                self.own.remove(mine)
                task = Task(kind="delete", client_id=client_id, id=mine.id)
            else:
                task = Task(kind="edit", client_id=client_id, id=mine.id, text=self._text(client_id))
        elif dice > 0.98:
            task = Task(kind="post", client_id=client_id, text="  ")
        else:
            task = Task(kind="post", client_id=client_id, text=self._text(client_id), is_dropped_on_loss=dice > 0.9)
        self.waiting[client_id] = task
        return task

    def try_(self, task: Task) -> dict[str, Any]:
        """The frame for a task, written down as tried."""
        if self._renames and task.kind == "post" and task.tries:
            del self.waiting[task.client_id]
            task.client_id = f"{task.client_id}-again{task.tries}"
            self.waiting[task.client_id] = task
        task.tries += 1
        task.is_sent = True
        self.log(task.kind, "tried", client_id=task.client_id, id=task.id, hash=hash_of(task.text))
        frame = {"type": task.kind, "room": ROOM, "client_id": task.client_id}
        if task.kind != "delete":
            frame["text"] = task.text
        if task.kind != "post":
            frame["id"] = task.id
        return frame

    def hear_stored(self, client_id: str, id: str, sequence: int, revision: int) -> None:
        """A task is done."""
        task = self.waiting.pop(client_id, None)
        if task is None:
            return  # the answer to an earlier try of it
        self.answers += 1
        self.log(
            task.kind, "ok", client_id=client_id, id=id, sequence=sequence, revision=revision, hash=hash_of(task.text)
        )
        if task.kind == "post":
            self.own.append(Own(id))
        self._release(task)

    def hear_refused(self, client_id: str, reason: str) -> None:
        """A task is refused: for ever, or for now."""
        task = self.waiting.get(client_id)
        if task is None:
            return
        task.is_sent = False
        is_final = reason in FINAL
        self.log(
            task.kind,
            "failed" if is_final or reason in {"busy", "too_fast"} else "unknown",
            client_id=client_id,
            id=task.id,
            reason=reason,
        )
        if is_final:
            del self.waiting[client_id]
            self._release(task)

    def lose(self, reason: str) -> None:
        """The connection ended: what has no answer is unknown. Most of it is sent again, on the next one."""
        self.log("lost", reason=reason)
        for task in list(self.waiting.values()):
            if task.is_sent:
                task.is_sent = False
                is_dropped = task.is_dropped_on_loss and not self.is_stopping
                self.log(
                    task.kind,
                    "unknown",
                    client_id=task.client_id,
                    id=task.id,
                    reason="dropped" if is_dropped else "lost",
                )
                if is_dropped:
                    del self.waiting[task.client_id]

    def see(self, message: dict[str, Any]) -> None:
        """Take one message of a frame or a page."""
        self.log(
            "see",
            author=message["author"]["id"],
            client_id=message.get("client_id", ""),
            id=message["id"],
            sequence=message["sequence"],
            revision=message["revision"],
            hash=hash_of(message.get("text")),
        )

    def move_cursor(self, revision: int) -> None:
        """Everything up to this revision is taken."""
        self.cursor = revision
        self.log("cursor", revision=revision)

    def _release(self, task: Task) -> None:
        for mine in self.own[-40:]:
            if mine.id == task.id:
                mine.is_busy = False

    def _text(self, client_id: str) -> str:
        # The id in it makes every text unlike every other.
        return f"{' '.join(self.rng.choices(WORDS, k=self.rng.randint(1, 30)))} {client_id}"
