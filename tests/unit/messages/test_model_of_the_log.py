"""A room beside the simplest model of it: whatever is done in whatever order, both tell every reader the same.

Two processes write, each with its own idea of how far the room is; readers come with any cursor and page size.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Message, Room
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.access import LOBBY
from tests.databases import in_memory
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, BOB, MALLORY, access

AUTHORS = st.sampled_from([ALICE, BOB])
ROOMS = st.sampled_from([LOBBY, Room(id="den", slug="den", title="Den", kind="private")])
CLIENT_IDS = st.sampled_from([f"c{n}" for n in range(12)])
TEXTS = st.text("ab *`\n<é👍", min_size=1, max_size=8).filter(lambda text: text.strip("` *\n") and "```" not in text)


class Line:
    """A message as the model knows it."""

    def __init__(self, message: Message, author: Author) -> None:
        self.id = message.id
        self.sequence = self.revision = message.sequence
        self.author = author
        self.text = message.text
        self.is_deleted = False

    @property
    def seen(self) -> tuple[int, int, str, str, bool]:
        """What a reader sees of it."""
        return self.sequence, self.revision, self.author.id, self.text, self.is_deleted


def seen(message: Message) -> tuple[int, int, str, str, bool]:
    return message.sequence, message.revision, message.author.id, message.text, message.deleted_at is not None


class RoomModel(RuleBasedStateMachine):
    """The machine; the test sets what is declared here."""

    database: Database
    may_be_behind: bool
    """mongomock does not enforce the index that a writer who is behind collides with (docs/data-model.md)."""
    posted = Bundle("posted")

    def __init__(self) -> None:
        super().__init__()
        self.database["messages"].delete_many({})
        self.processes = [Messaging(MessageStore(self.database, origin=origin)) for origin in ("one", "two")]
        self.lines: dict[tuple[str, str, str], Line] = {}
        self.revisions = {LOBBY.id: 0, "den": 0}
        self.readers: dict[str, tuple[int, dict[int, Any]]] = {LOBBY.id: (0, {}), "den": (0, {})}

    @rule(
        target=posted,
        room=ROOMS,
        author=AUTHORS,
        drafts=st.lists(st.tuples(CLIENT_IDS, TEXTS), min_size=1, max_size=4),
        process=st.integers(0, 1),
        behind=st.integers(0, 5),
    )
    def post(
        self, room: Room, author: Author, drafts: list[tuple[str, str]], process: int, behind: int
    ) -> tuple[Room, Line]:
        """Some drafts at once, perhaps sent before, by a process that is perhaps behind."""
        messages = self.processes[process]
        wanted = [new_draft(author, text, client_id) for client_id, text in drafts]
        after = max(0, self.revisions[room.id] - behind) if behind and self.may_be_behind else None
        for draft, stored in zip(wanted, messages.append(room.id, wanted, after), strict=True):
            key = (room.id, author.id, draft.client_id)
            line = self.lines.get(key)
            assert stored.message.id == line.id if line else stored.message.sequence > self.revisions[room.id]
            if line is None:
                self.revisions[room.id] += 1
                line = self.lines[key] = Line(stored.message, author)
                assert line.sequence == self.revisions[room.id]
                assert line.text == draft.text
        return room, line

    @rule(what=posted, who=st.sampled_from([ALICE, BOB, MALLORY]), text=TEXTS, process=st.integers(0, 1))
    def edit(self, what: tuple[Room, Line], who: Author, text: str, process: int) -> None:
        """By its author it is changed, by anybody else it is not."""
        room, line = what
        messages = self.processes[process]
        change = messages.changes.editing(access(who, room), line.id, text)
        if who != line.author or line.is_deleted:
            with pytest.raises(Refused):
                messages.change(room, change)
            return
        messages.change(room, change)
        if line.text != text:
            line.text = text
            self._changed(room, line)

    @rule(what=posted, who=st.sampled_from([ALICE, BOB, MALLORY]), moderates=st.booleans(), process=st.integers(0, 1))
    def delete(self, what: tuple[Room, Line], who: Author, moderates: bool, process: int) -> None:
        """By its author or a moderator, once; again changes nothing."""
        room, line = what
        messages = self.processes[process]
        change = messages.changes.deleting(access(who, room, "moderator" if moderates else "member"), line.id)
        if who != line.author and not moderates:
            with pytest.raises(Refused):
                messages.change(room, change)
            return
        messages.change(room, change)
        if not line.is_deleted:
            line.text, line.is_deleted = "", True
            self._changed(room, line)

    def _changed(self, room: Room, line: Line) -> None:
        self.revisions[room.id] += 1
        line.revision = self.revisions[room.id]

    @rule(room=ROOMS, limit=st.integers(1, 7), process=st.integers(0, 1))
    def read_on(self, room: Room, limit: int, process: int) -> None:
        """A reader goes on from its cursor, page by page, and then has what the model has."""
        cursor, known = self.readers[room.id]
        more = True
        while more:
            page = self.processes[process].history.after(room, cursor, limit)
            assert [m.revision for m in page.messages] == sorted({m.revision for m in page.messages})
            assert all(cursor < message.revision <= page.revision for message in page.messages)
            known |= {message.sequence: seen(message) for message in page.messages}
            cursor, more = page.revision, page.more
        self.readers[room.id] = cursor, known
        assert cursor == self.revisions[room.id]
        assert known == self._room(room)

    @rule(room=ROOMS, limit=st.integers(1, 7), process=st.integers(0, 1))
    def scroll_up(self, room: Room, limit: int, process: int) -> None:
        """A reader begins with the newest page, and reads up to the beginning."""
        messages = self.processes[process]
        page = messages.history.newest(room, limit)
        found = page.messages
        while page.more:
            page = messages.history.before(room, found[0].sequence, limit)
            found = page.messages + found
        assert [seen(message) for message in found] == [line for _, line in sorted(self._room(room).items())]

    @rule(room=ROOMS, beyond=st.integers(1, 5))
    def ask_beyond_the_end(self, room: Room, beyond: int) -> None:
        """A cursor that nobody gave is refused."""
        with pytest.raises(Refused, match="does not have this revision yet"):
            self.processes[0].history.after(room, self.revisions[room.id] + beyond, 1)

    @invariant()
    def every_revision_was_given_once(self) -> None:
        """Dense: from 1 to the newest, none missing, none twice."""
        for room, newest in self.revisions.items():
            given = [n for document in self.database["messages"].find({"room": room}) for n in document["revisions"]]
            assert sorted(given) == list(range(1, newest + 1))

    def _room(self, room: Room) -> dict[int, Any]:
        return {line.sequence: line.seen for (id, _, _), line in self.lines.items() if id == room.id}


def check(database: Database, examples: int, *, may_be_behind: bool) -> None:
    machine = type("Machine", (RoomModel,), {"database": database, "may_be_behind": may_be_behind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_on_mongomock() -> None:
    check(in_memory(), 30, may_be_behind=False)


@pytest.mark.integration
def test_on_a_real_database(real_database: Database) -> None:
    check(real_database, 15, may_be_behind=True)
