"""Whoever writes into a room goes through the engine where it runs."""

import pytest

from chatroom.base.errors import Unavailable
from chatroom.base.models import Draft, Room
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.messages.writer import Change
from chatroom.rooms.access import LOBBY
from tests.databases import in_memory
from tests.messaging import Messaging
from tests.people import ALICE, access, draft


class Line:
    """An engine that notes what is given to it."""

    def __init__(self) -> None:
        self.is_open = True
        self.messages = Messaging(MessageStore(in_memory(), origin="here"), line=self)
        self.taken: list[object] = []

    def post(self, room: Room, item: Draft | Change) -> Stored:
        self.taken.append(item)
        if isinstance(item, Draft):
            return self.messages.append(room.id, [item])[0]
        return Stored(item(room.id, 1), is_repeated=False)

    def note(self, room: Room, line: Draft) -> None:
        self.taken.append(line.text)


@pytest.fixture
def messages() -> Messaging:
    return Messaging(MessageStore(in_memory(), origin="here"))


def test_the_engine_takes_over_while_it_runs() -> None:
    line = Line()
    messages = line.messages
    message = messages.writer.post(LOBBY, draft("a1")).message
    delete = messages.changes.deleting(access(ALICE, LOBBY), message.id)
    assert messages.writer.change(LOBBY, delete).deleted_at
    messages.writer.note_soon(LOBBY, draft("joined"))
    assert line.taken == [draft("a1"), delete, "joined"]
    line.is_open = False
    assert messages.writer.post(LOBBY, draft("a2")).message.sequence == 3
    assert len(line.taken) == 3


def test_a_line_that_cannot_be_written_is_left_out(messages: Messaging, monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(*_: object, **__: object) -> None:
        raise Unavailable("silence")

    monkeypatch.setattr(messages.store, "append", silence)
    messages.writer.note_soon(LOBBY, draft("joined"))


def test_the_room_itself_writes_a_line(messages: Messaging) -> None:
    messages.writer.note(LOBBY, ALICE, "*joined*")
    (line,) = messages.history.newest(LOBBY, 5).messages
    assert (line.kind, line.html) == ("event", "<p>Alice *joined*</p>")
