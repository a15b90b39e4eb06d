"""Two processes that write to one room at the same time: one must not be kept waiting for as long as the other writes.

Found by the attack: an append read the newest revision, *then* paused, and was late again; with a busy rival for
five seconds and more, on a healthy database.
"""

from collections.abc import Callable
from itertools import count

import pytest

from chatroom.base.models import Message
from chatroom.messages import messages_store as messages
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo import unique
from chatroom.mongo.database import Database
from tests.people import ALICE, BOB, rendered

ROOM = "lobby"


@pytest.fixture
def store(database: Database, monkeypatch: pytest.MonkeyPatch) -> MessageStore:
    """A store with a rival, who writes at each pause, and once right after the newest revision was read."""
    rival, numbers = MessageStore(database, origin="rival"), count()

    def write(_: float = 0) -> None:
        rival.append(ROOM, [rendered(f"rival{next(numbers)}", author=BOB)])

    class Beaten(MessageStore):
        was_beaten = False

        def _newest_revision(self, room: str) -> int:
            newest = super()._newest_revision(room)
            if not self.was_beaten:
                self.was_beaten = True
                write()
            return newest

    write()
    store = Beaten(database, origin="ours")
    clock = Clock(write)
    for module in (messages, unique):
        monkeypatch.setattr(module, "time", clock)
    return store


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += 1
        self._sleep(seconds)


def test_an_append_gets_its_turn(store: MessageStore) -> None:
    stored = store.append(ROOM, [rendered("ours")], after=0)[0]
    assert not stored.is_repeated
    assert stored.message.sequence == store.newest_revision(ROOM)


def test_a_change_gets_its_turn(store: MessageStore, database: Database) -> None:
    drafts = [rendered("old", author=ALICE), rendered("newer")]
    message = MessageStore(database, origin="before").append(ROOM, drafts)[0].message

    def edit(_: Message) -> dict[str, str]:
        return {"text": "new", "html": "<p>new</p>"}

    changed = store.change(ROOM, message.id, edit, after=0)
    assert (changed.text, changed.revision) == ("new", store.newest_revision(ROOM))
