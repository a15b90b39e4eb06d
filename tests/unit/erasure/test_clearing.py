"""A history is cleared: through the log, for everybody, to the end, by those who may."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Message, Room
from chatroom.erasure import clearing
from chatroom.erasure.clearing import Clearing
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.messages.changes import ERASED
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.leases_store import LeaseStore
from tests.databases import make_acts
from tests.messaging import Messaging
from tests.people import ALICE, BOB, access, draft
from tests.waiting import wait_until

ROOM = Room(id="lobby", slug="lobby", title="Lobby")


class Site:
    """A room with messages, and what clears it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = MessageStore(database, origin="here")
        self.messages = Messaging(self.store)
        self.rooms = RoomStore(database)
        self.erasures = ErasureStore(database)
        self.rooms.ensure(ROOM)
        self.clearing = self.make_clearing()

    def make_clearing(self, holder: str = "one") -> Clearing:
        leases = LeaseStore(self.database, holder=holder)
        return Clearing(
            self.erasures,
            self.store,
            self.messages.changes,
            leases,
            make_acts(self.database),
            writer=self.messages.writer,
        )

    def say(self, count: int, prefix: str = "m") -> None:
        self.messages.append(ROOM.id, [draft(f"{prefix}{n}", author=(ALICE, BOB)[n % 2]) for n in range(count)])

    @property
    def room(self) -> Room:
        found = self.rooms.find_by_slug("lobby")
        assert found
        return found

    def states(self) -> list[Message]:
        """Every message as a reader from the beginning gets it."""
        return self.store.changed_after(ROOM.id, 0, 10_000)

    def revisions(self) -> list[int]:
        found = self.database["messages"].find({"room": ROOM.id})
        return sorted(revision for document in found for revision in document["revisions"])


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


def erase(message: Message) -> Mapping[str, Any] | None:
    return None if message.deleted_at else ERASED | {"deleted_at": message.sent_at}


class TestSeveralChanges:
    def test_each_message_takes_its_own_revision_in_one_write(self, site: Site) -> None:
        site.say(10)
        last = site.store.change_several(ROOM.id, range(1, 8), erase)
        assert last is not None
        assert (last.sequence, last.revision) == (7, 17)
        assert site.revisions() == list(range(1, 18))
        assert [message.sequence for message in site.states()] == [8, 9, 10, 1, 2, 3, 4, 5, 6, 7]

    def test_again_changes_nothing(self, site: Site) -> None:
        site.say(5)
        first = site.store.change_several(ROOM.id, range(1, 6), erase)
        assert site.store.change_several(ROOM.id, range(1, 6), erase) == first
        assert site.revisions() == list(range(1, 11))

    def test_none_of_them(self, site: Site) -> None:
        assert site.store.change_several(ROOM.id, [5], erase) is None

    @pytest.mark.parametrize("which", ["the first", "the last", "another"])
    def test_a_change_in_between_leaves_no_gap_and_no_double(self, site: Site, which: str) -> None:
        """Somebody edits one of the messages, or says something, after they were read and before they are written."""
        site.say(6)
        ids = [message.id for message in site.states()]
        asked = []

        def edit(message: Message) -> Mapping[str, Any] | None:
            asked.append(message)
            if len(asked) == 6 and which == "another":
                site.say(2, "rival")
            elif len(asked) == 6:
                edited = ids[0] if which == "the first" else ids[-1]
                site.store.change(ROOM.id, edited, lambda message: {"text": "rival"})
            return erase(message)

        site.store.change_several(ROOM.id, range(1, 7), edit)
        assert site.revisions() == list(range(1, site.store.newest_revision(ROOM.id) + 1))
        assert all(message.deleted_at for message in site.store.by_sequences(ROOM.id, range(1, 7)))

    @pytest.mark.integration
    def test_against_writers_in_other_threads(self, real_database: Database) -> None:
        site = Site(real_database)
        site.say(300)
        stop = threading.Event()

        def talk() -> None:
            rival = MessageStore(real_database, origin="rival")
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    Messaging(rival).append(ROOM.id, [draft(f"t{count}")])
                    message = rival.newest(ROOM.id, 1)[0]
                    rival.change(ROOM.id, message.id, lambda message: {"text": message.text + "!"})
                except Unavailable:
                    continue

        rival = threading.Thread(target=talk)
        rival.start()
        try:
            for start in range(1, 301, 100):
                site.store.change_several(ROOM.id, range(start, start + 100), erase)
        finally:
            stop.set()
            rival.join()
        newest = site.store.newest_revision(ROOM.id)
        assert site.revisions() == list(range(1, newest + 1))
        assert all(message.deleted_at for message in site.store.by_sequences(ROOM.id, range(1, 301)))


class TestClearing:
    def test_all_messages_are_erased_and_the_actor_is_recorded(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clearing, "BATCH", 3)
        site.say(10)
        site.clearing.clear(access(ALICE, ROOM, "administrator"), ALICE, " Lobby ", "too old")
        shown = site.messages.history.newest(site.room, 50)
        assert [(message.kind, message.text) for message in shown.messages] == [("event", "Alice cleared the history")]
        assert not shown.more
        assert site.messages.history.before(site.room, 5, 10).messages == []
        assert [message.sequence for message in site.messages.history.around(site.room, 3, 10).messages] == [11]
        old = [message for message in site.states() if message.sequence <= 10]
        assert len(old) == 10
        assert all(message.deleted_at and not message.text and not message.html for message in old)
        assert site.revisions() == list(range(1, 22))
        entry = site.database["audit"].find_one()
        assert entry is not None
        assert (entry["act"], entry["actor"]["name"], entry["reason"]) == ("clear_history", "Alice", "too old")

    def test_a_reader_with_an_old_cursor_converges(self, site: Site) -> None:
        site.say(10)
        seen = {message.id: message for message in site.store.changed_after(ROOM.id, 0, 5)}
        site.clearing.clear(access(ALICE, ROOM, "administrator"), ALICE, "Lobby")
        cursor = 5
        while page := site.store.changed_after(ROOM.id, cursor, 4):
            seen |= {message.id: message for message in page}
            cursor = page[-1].revision
        assert seen == {message.id: message for message in site.states()}

    def test_another_process_finishes_the_work(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clearing, "BATCH", 3)
        site.say(10)
        site.clearing.begin(ROOM, ALICE, "")
        calls = []

        def change(*arguments: Any) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                raise Unavailable("gone")
            return original(*arguments)

        original = site.messages.writer.change
        monkeypatch.setattr(site.messages.writer, "change", change)
        with pytest.raises(Unavailable):
            site.clearing.finish()
        assert [message.sequence for message in site.states() if message.deleted_at] == [1, 2, 3]
        assert site.messages.history.newest(site.room, 50).messages[0].kind == "event"
        reported: list[tuple[str, int, int]] = []
        site.make_clearing("two").finish(lambda *progress: reported.append(progress))
        assert reported[-1] == ("lobby", 10, 10)
        assert all(message.deleted_at for message in site.states() if message.sequence <= 10)
        assert site.erasures.list_being_cleared() == []

    def test_requests_during_the_work_cause_another_run(self, site: Site) -> None:
        """A second clearing that begins while the first one ends is not forgotten."""
        site.say(3)
        site.clearing.begin(ROOM, ALICE, "")
        (first,) = site.erasures.list_being_cleared()
        site.say(3, "later")
        site.clearing.begin(ROOM, ALICE, "")
        site.erasures.end_clearing(first)
        assert site.erasures.list_being_cleared()
        site.clearing.finish()
        assert [message.text for message in site.messages.history.newest(site.room, 50).messages] == [
            "Alice cleared the history"
        ]

    @pytest.mark.parametrize("role", ["member", "moderator"])
    def test_others_may_not(self, site: Site, role: Any) -> None:
        with pytest.raises(Refused) as caught:
            site.clearing.clear(access(BOB, ROOM, role), BOB, "Lobby")
        assert caught.value.reason == "forbidden"

    @pytest.mark.parametrize("typed", ["", "lobby", "Lobb", "yes"])
    def test_the_title_has_to_be_typed(self, site: Site, typed: str) -> None:
        site.say(1)
        with pytest.raises(Refused) as caught:
            site.clearing.clear(access(ALICE, ROOM, "administrator"), Author("a", "A"), typed)
        assert caught.value.reason == "invalid"
        assert site.messages.history.newest(site.room, 5).messages[0].text == "m0"

    def test_the_thread_finishes_it(self, site: Site) -> None:
        site.say(5)
        site.clearing.thread.start()
        try:
            site.clearing.clear(access(ALICE, ROOM, "administrator"), ALICE, "Lobby")
            wait_until(lambda: not site.erasures.list_being_cleared())
        finally:
            site.clearing.thread.stop()
        assert all(message.deleted_at for message in site.states() if message.sequence <= 5)
