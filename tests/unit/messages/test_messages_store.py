import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, BulkWriteError

from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Message
from chatroom.messages.messages_store import KEPT_REVISIONS, MessageStore
from chatroom.mongo.database import Database
from tests.people import ALICE, BOB, MALLORY, rendered

ROOM = "lobby"
NOW = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: Database, clock: Clock) -> MessageStore:
    return MessageStore(database, origin="here", clock=clock)


def post(store: MessageStore, *client_ids: str, **options: Any) -> list[Message]:
    return [stored.message for stored in store.append(ROOM, [rendered(c) for c in client_ids], **options)]


def own_time(**replaced: Callable[..., Any]) -> SimpleNamespace:
    """The store's own `time`, with parts replaced: the driver's threads sleep by the real one."""
    return SimpleNamespace(**{"monotonic": time.monotonic, "sleep": time.sleep, **replaced})


def say(text: str) -> Callable[[Message], Mapping[str, Any]]:
    return lambda message: {"text": text, "html": f"<p>{text}</p>"}


def log_of(store: MessageStore) -> list[tuple[int, int, str]]:
    return [(m.sequence, m.revision, m.text) for m in store.changed_after(ROOM, 0, 10_000)]


def revisions_given(database: Database) -> list[int]:
    """Every revision that any message of the room ever had."""
    return sorted(n for document in database["messages"].find({"room": ROOM}) for n in document["revisions"])


class TestAppend:
    def test_the_first_message_is_number_one(self, store: MessageStore) -> None:
        (stored,) = store.append(ROOM, [rendered("a1", "hi")])

        assert not stored.is_repeated
        message = stored.message
        assert (message.sequence, message.revision) == (1, 1)
        assert (message.author, message.client_id) == (ALICE, "a1")
        assert (message.text, message.html) == ("hi", "<p>hi</p>")
        assert store.changed_after(ROOM, 0, 10) == [message]  # the answer is what a reader reads, to the bit

    def test_times_are_aware_and_in_milliseconds(self, store: MessageStore) -> None:
        (message,) = post(store, "a1")

        assert message.sent_at == NOW.replace(microsecond=456000)
        assert store.newest(ROOM, 1)[0].sent_at.tzinfo is not None

    def test_a_batch_is_dense_and_keeps_its_order(self, store: MessageStore) -> None:
        post(store, "a1", "a2")
        batch = post(store, *[f"b{i}" for i in range(150)])  # more than mongod puts into one transaction

        assert [m.sequence for m in batch] == list(range(3, 153))
        assert [m.revision for m in batch] == list(range(3, 153))
        assert [m.client_id for m in batch] == [f"b{i}" for i in range(150)]

    def test_nothing_is_stored_for_nothing(self, store: MessageStore) -> None:
        assert store.append(ROOM, []) == []

    def test_rooms_count_for_themselves(self, store: MessageStore) -> None:
        post(store, "a1")
        (other,) = store.append("other", [rendered("a1")])

        assert other.message.sequence == 1
        assert not other.is_repeated

    def test_a_draft_twice_in_one_batch_is_stored_once_and_the_first_counts(self, store: MessageStore) -> None:
        first, other, again = store.append(ROOM, [rendered("a1", "first"), rendered("a2"), rendered("a1", "again")])

        assert first.message == again.message
        assert first.message.text == "first"
        assert [m[0] for m in log_of(store)] == [1, 2]
        assert other.message.sequence == 2

    def test_d03_a_draft_sent_again_a_month_later_answers_with_its_first_message(
        self, store: MessageStore, clock: Clock
    ) -> None:
        (first,) = post(store, "a1")
        post(store, "a2", "a3")
        clock.now += timedelta(days=30)

        (again,) = store.append(ROOM, [rendered("a1", "something else")])

        assert again.is_repeated
        assert again.message == first
        assert store.newest_revision(ROOM) == 3

    def test_a_draft_sent_again_after_its_message_was_changed_answers_with_the_change(
        self, store: MessageStore
    ) -> None:
        (first,) = post(store, "a1")
        changed = store.change(ROOM, first.id, say("changed"))

        (again,) = store.append(ROOM, [rendered("a1")])

        assert again.is_repeated
        assert again.message == changed

    def test_d05_another_authors_client_id_is_another_message(self, store: MessageStore) -> None:
        (alices,) = store.append(ROOM, [rendered("x1", "secret", ALICE)])
        (bobs,) = store.append(ROOM, [rendered("x1", "mine", BOB)])
        both = store.append(ROOM, [rendered("x1", "?", MALLORY), rendered("x1", "?", BOB)])

        assert not bobs.is_repeated
        assert bobs.message.id != alices.message.id
        assert [s.message.author for s in both] == [MALLORY, BOB]
        assert [s.is_repeated for s in both] == [False, True]
        assert [m[2] for m in log_of(store)] == ["secret", "mine", "?"]

    def test_d05_two_drafts_whose_client_ids_others_have_swapped(self, store: MessageStore) -> None:
        store.append(ROOM, [rendered("x2", "alice's 2", ALICE), rendered("x1", "bob's 1", BOB)])

        drafts = [rendered("x1", "alice's 1", ALICE), rendered("x2", "bob's 2", BOB), rendered("x1", "?", BOB)]
        answers = store.append(ROOM, drafts)

        assert [s.message.text for s in answers] == ["alice's 1", "bob's 2", "bob's 1"]
        assert [s.is_repeated for s in answers] == [False, False, True]

    def test_a_batch_of_old_and_new_drafts_stores_the_new_ones(self, store: MessageStore) -> None:
        post(store, "a1", "a2")

        mixed = store.append(ROOM, [rendered(c) for c in ("n1", "a2", "n2", "a1", "n3")])

        assert [s.is_repeated for s in mixed] == [False, True, False, True, False]
        assert [s.message.client_id for s in mixed] == ["n1", "a2", "n2", "a1", "n3"]
        assert [m[:2] for m in log_of(store)] == [(n, n) for n in range(1, 6)]
        assert [m[2] for m in log_of(store)] == ["a1", "a2", "n1", "n2", "n3"]

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_an_outdated_hint_costs_one_retry(self, store: MessageStore, after: int) -> None:
        post(store, "a1", "a2", "a3")

        batch = post(store, "b1", "b2", after=after)

        assert [m.sequence for m in batch] == [4, 5]

    @pytest.mark.integration
    def test_a_number_that_a_message_gave_up_is_never_given_again(self, real_database: Database) -> None:
        """Somebody who read everything up to 1 a while ago must not take 2, which readers have passed.

        mongomock does not look into lists, so this and the next are for a real server.
        """
        store = MessageStore(real_database, origin="here")
        (message,) = post(store, "a1")
        store.change(ROOM, message.id, say("once"))  # revision 2
        store.change(ROOM, message.id, say("twice"))  # revision 3; nothing is at 2 any more

        (late,) = post(store, "b1", after=1)

        assert late.revision == 4
        assert [m.client_id for m in store.changed_after(ROOM, 3, 10)] == ["b1"]
        assert revisions_given(real_database) == [1, 2, 3, 4]

    @pytest.mark.integration
    def test_a_number_that_was_given_up_is_not_taken_by_a_change_either(self, real_database: Database) -> None:
        store = MessageStore(real_database, origin="here")
        first, second = post(store, "a1", "a2")
        store.change(ROOM, second.id, say("once"))  # 3
        store.change(ROOM, second.id, say("twice"))  # 4

        changed = store.change(ROOM, first.id, say("late"), after=2)

        assert changed.revision == 5
        assert revisions_given(real_database) == [1, 2, 3, 4, 5]

    def test_messages_stored_before_a_failure_are_not_stored_again(
        self, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        insert_many = database["messages"].insert_many

        def fail_in_the_middle(documents: list[dict[str, Any]]) -> None:
            monkeypatch.undo()
            insert_many(documents[:2])
            raise AutoReconnect("the primary went away")

        batch = [rendered(c) for c in ("a1", "a2", "a3")]
        monkeypatch.setattr(database["messages"], "insert_many", fail_in_the_middle)
        with pytest.raises(Unavailable):
            store.append(ROOM, batch)
        again = store.append(ROOM, batch, after=0)

        assert [s.message.sequence for s in again] == [1, 2, 3]
        assert [m[2] for m in log_of(store)] == ["a1", "a2", "a3"]

    def test_a_collision_in_the_middle_of_a_batch(
        self, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another process stores its message between two of ours."""
        insert_many = database["messages"].insert_many

        def collide(documents: list[dict[str, Any]]) -> None:
            monkeypatch.undo()
            insert_many(documents[:1])
            MessageStore(database, origin="there").append(ROOM, [rendered("b1", author=BOB)])
            insert_many(documents[1:])

        monkeypatch.setattr(database["messages"], "insert_many", collide)
        batch = store.append(ROOM, [rendered(c) for c in ("a1", "a2", "a3")])

        assert [s.message.sequence for s in batch] == [1, 3, 4]
        assert [s.is_repeated for s in batch] == [False, False, False]
        assert [m[2] for m in log_of(store)] == ["a1", "b1", "a2", "a3"]

    def test_d04_a_duplicate_key_alone_proves_nothing(
        self, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The document is there, and not yet on a majority: nobody is told that it is stored."""
        post(store, "a1")
        hidden = [True]
        find = database["messages"].find

        def majority_find(query: Any = None, *arguments: Any, **options: Any) -> Any:
            return find({"_id": "nothing"} if hidden[0] else query, *arguments, **options)

        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            hidden[0] = len(pauses) < 3

        monkeypatch.setattr(database["messages"], "find", majority_find)
        monkeypatch.setattr("chatroom.mongo.unique.time", own_time(sleep=sleep))
        (again,) = store.append(ROOM, [rendered("a1")])

        assert len(pauses) == 3
        assert again.is_repeated
        assert again.message.sequence == 1

    def test_an_unconfirmed_write_ends_as_unknown_within_the_bound(
        self, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]

        def fail(documents: list[dict[str, Any]]) -> None:
            now[0] += 1
            raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "late"}]})

        for module in ("messages.messages_store", "mongo.unique"):
            own = own_time(monotonic=lambda: now[0], sleep=lambda seconds: None)
            monkeypatch.setattr(f"chatroom.{module}.time", own)
        monkeypatch.setattr(database["messages"], "insert_many", fail)
        with pytest.raises(Unavailable):
            store.append(ROOM, [rendered("a1")])

        assert now[0] <= database.timeout_seconds + 1


@pytest.mark.integration
@pytest.mark.parametrize("hint", [None, 0])
def test_writers_in_several_threads_leave_no_gap_and_no_double(real_database: Database, hint: int | None) -> None:
    """Four writers, each with a store of its own; every draft is sent twice, by two of them.

    mongomock shows a document before it knows that its key is taken, so this is for a real server.
    """
    writers, each = 4, 12
    stores = [MessageStore(real_database, origin=str(n)) for n in range(writers)]
    answers: list[list[tuple[str, int]]] = [[] for _ in range(writers)]
    start = threading.Barrier(writers)

    def write(number: int) -> None:
        start.wait()
        for i in range(each):
            drafts = [rendered(f"w{number}-{i}"), rendered(f"w{(number + 1) % writers}-{i}")]
            answers[number] += [
                (s.message.client_id, s.message.sequence) for s in stores[number].append(ROOM, drafts, after=hint)
            ]

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stored = stores[0].changed_after(ROOM, 0, 1000)
    assert [m.sequence for m in stored] == list(range(1, writers * each + 1))
    assert len({m.client_id for m in stored}) == writers * each
    told = {answer for thread in answers for answer in thread}
    assert told == {(m.client_id, m.sequence) for m in stored}


class TestChange:
    def test_a_change_takes_the_next_revision_and_keeps_its_place(self, store: MessageStore) -> None:
        first, _ = post(store, "a1", "a2")

        changed = store.change(ROOM, first.id, say("changed"))

        assert (changed.sequence, changed.revision, changed.text) == (1, 3, "changed")
        assert [m.sequence for m in store.newest(ROOM, 10)] == [1, 2]
        assert [m.sequence for m in store.changed_after(ROOM, 0, 10)] == [2, 1]
        assert store.changed_after(ROOM, 2, 10) == [changed]

    def test_an_append_after_a_change_takes_the_next_revision(self, store: MessageStore) -> None:
        (first,) = post(store, "a1")
        store.change(ROOM, first.id, say("changed"))

        (second,) = post(store, "a2")

        assert (second.sequence, second.revision) == (3, 3)

    def test_no_change_takes_no_revision(self, store: MessageStore) -> None:
        (first,) = post(store, "a1")

        assert store.change(ROOM, first.id, lambda message: None) == first
        assert store.newest_revision(ROOM) == 1

    def test_a_refusal_changes_nothing(self, store: MessageStore) -> None:
        (first,) = post(store, "a1")

        def refuse(message: Message) -> None:
            raise Refused("forbidden", "no")

        with pytest.raises(Refused, match="no"):
            store.change(ROOM, first.id, refuse)
        assert store.newest(ROOM, 1) == [first]

    @pytest.mark.parametrize("message_id", ["0" * 24, "", "x", "0" * 23, "g" * 24, "0" * 25, "\0", "é" * 24])
    def test_a_bogus_id_is_not_found(self, store: MessageStore, message_id: str) -> None:
        post(store, "a1")
        with pytest.raises(Refused) as refusal:
            store.change(ROOM, message_id, say("changed"))
        assert refusal.value.reason == "not_found"

    def test_a_message_of_another_room_is_not_found(self, store: MessageStore) -> None:
        (other,) = store.append("other", [rendered("a1")])
        with pytest.raises(Refused):
            store.change(ROOM, other.message.id, say("changed"))

    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_a_hint_that_is_behind_the_message_itself(self, store: MessageStore, after: int) -> None:
        """The newest message came through another process: an edit must not stay at its revision."""
        *_, newest = post(store, "a1", "a2", "a3")

        changed = store.change(ROOM, newest.id, say("changed"), after=after)

        assert changed.revision == 4
        assert store.changed_after(ROOM, 3, 10) == [changed]

    def test_the_newest_revision_is_never_removed(self, store: MessageStore) -> None:
        first, second = post(store, "a1", "a2")
        for message in (second, first, second):
            before = store.newest_revision(ROOM)
            store.change(ROOM, message.id, say(f"after {before}"))
            assert store.newest_revision(ROOM) == before + 1

    def test_a_message_that_changed_while_we_looked_is_asked_again(
        self, store: MessageStore, database: Database
    ) -> None:
        (first,) = post(store, "a1")
        other = MessageStore(database, origin="there")
        seen: list[str] = []

        def edit(message: Message) -> Mapping[str, Any]:
            seen.append(message.text)
            if len(seen) == 1:
                other.change(ROOM, message.id, say("theirs"))
            return {"text": message.text + "+ours"}

        changed = store.change(ROOM, first.id, edit)

        assert seen == ["a1", "theirs"]
        assert (changed.text, changed.revision) == ("theirs+ours", 3)

    def test_the_given_numbers_of_one_message_are_bounded(
        self, store: MessageStore, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert KEPT_REVISIONS >= 100
        monkeypatch.setattr("chatroom.messages.messages_store.KEPT_REVISIONS", 5)
        (message,) = post(store, "a1")
        for n in range(8):
            store.change(ROOM, message.id, say(str(n)))

        assert revisions_given(database) == [5, 6, 7, 8, 9]

    @pytest.mark.integration
    def test_changes_and_posts_from_several_threads_leave_no_gap(self, real_database: Database) -> None:
        stores = [MessageStore(real_database, origin=str(n)) for n in range(4)]
        targets = post(stores[0], "t1", "t2")
        start = threading.Barrier(4)
        seen: list[int] = []

        def write(number: int) -> None:
            start.wait()
            for i in range(15):
                if number < 2:  # two edit the same messages again and again; their hints are far behind
                    stores[number].change(ROOM, targets[i % 2].id, say(f"{number}-{i}"), after=2)
                else:
                    post(stores[number], f"w{number}-{i}", after=2)

        def read() -> None:
            cursor = 0
            while cursor < 62:
                for message in stores[3].changed_after(ROOM, cursor, 5):
                    assert message.revision > cursor
                    cursor = message.revision
                    seen.append(cursor)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        threads.append(threading.Thread(target=read))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert revisions_given(real_database) == list(range(1, 63))
        assert seen[-1] == 62
        posted = {m.revision for m in stores[0].changed_after(ROOM, 0, 100) if m.sequence == m.revision}
        assert posted - {1, 2} <= set(seen)  # a posted message keeps its revision, so the reader met each


class TestRead:
    def test_pages_by_revision(self, store: MessageStore) -> None:
        post(store, *[f"a{i}" for i in range(7)])

        assert [m.revision for m in store.changed_after(ROOM, 2, 3)] == [3, 4, 5]
        assert [m.revision for m in store.changed_after(ROOM, 5, 3)] == [6, 7]
        assert store.changed_after(ROOM, 7, 3) == []
        assert store.changed_after(ROOM, 2**53, 3) == []
        assert store.changed_after("other", 0, 3) == []

    def test_a_message_that_changed_five_times_is_returned_once(self, store: MessageStore) -> None:
        first, second = post(store, "a1", "a2")
        for n in range(5):
            store.change(ROOM, first.id, say(str(n)))

        assert log_of(store) == [(second.sequence, 2, "a2"), (first.sequence, 7, "4")]

    def test_pages_by_sequence(self, store: MessageStore) -> None:
        messages = post(store, *[f"a{i}" for i in range(7)])
        store.change(ROOM, messages[1].id, say("changed"))

        assert [m.sequence for m in store.newest(ROOM, 3)] == [5, 6, 7]
        assert [m.sequence for m in store.before(ROOM, 5, 3)] == [2, 3, 4]
        assert [m.sequence for m in store.before(ROOM, 2, 3)] == [1]
        assert store.before(ROOM, 1, 3) == []
        assert store.newest("other", 3) == []

    def test_the_newest_revision_of_an_empty_room_is_zero(self, store: MessageStore) -> None:
        assert store.newest_revision("other") == 0

    def test_newest_revisions_names_the_rooms_that_moved_on(self, store: MessageStore) -> None:
        post(store, "a1", "a2", "a3")
        store.append("other", [rendered("a1")])

        assert store.newest_revisions({}) == {}
        assert store.newest_revisions({ROOM: 3, "other": 1, "empty": 0}) == {}
        assert store.newest_revisions({ROOM: 1, "other": 0, "empty": 0}) == {ROOM: 3, "other": 1}

    def test_newest_revisions_reads_a_bounded_number_of_entries(
        self, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A room that is far behind is read on from any hint; what was left out is asked for again."""
        monkeypatch.setattr("chatroom.messages.log_store.MAX_HINTS", 2)
        post(store, *[f"a{i}" for i in range(9)])

        assert store.newest_revisions({ROOM: 0})[ROOM] <= 3

    @pytest.mark.parametrize(
        "text",
        [
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "a\r\nb\u2028c",
            "\0",
            "\u0645\u0631\u062d\u0628\u0627",
            "$set",
            "a.b",
            "{{7*7}}",
        ],
        ids=ascii,
    )
    def test_u07_every_text_is_stored_unchanged(self, store: MessageStore, text: str) -> None:
        (stored,) = store.append(ROOM, [rendered("a1", text)])

        assert stored.message.text == text
        assert store.newest(ROOM, 1)[0].text == text

    def test_d10_a_document_that_is_no_message_is_left_out_and_reported(
        self, store: MessageStore, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        post(store, "a1")
        database["messages"].insert_one(
            {"room": ROOM, "revision": 2, "revisions": [2], "sequence": 2, "author": "poison", "client_id": "?"}
        )
        post(store, "a2")

        assert [m.text for m in store.newest(ROOM, 10)] == ["a1", "a2"]
        assert [m.revision for m in store.changed_after(ROOM, 0, 10)] == [1, 3]
        assert "poison" not in caplog.text
        assert "skipped an invalid document" in caplog.text


class TestHowFarTheRoomIs:
    def test_a_cursor_that_was_given_is_known(self, store: MessageStore) -> None:
        store.append("lobby", [rendered("a1"), rendered("a2")])
        assert store.has_come_to("lobby", 2)
        assert store.has_come_to("lobby", 0)
        assert not store.has_come_to("lobby", 3)
        assert not store.has_come_to("empty", 1)

    def test_a_new_primary_is_read_again_when_it_is_ready(
        self, store: MessageStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The fault run found readers who were told, just after a failover, that the room had never come so far."""
        store.append("lobby", [rendered("a1"), rendered("a2")])
        answers = iter([1, 2])
        monkeypatch.setattr(store, "_newest_revision", lambda room: next(answers))
        assert store.has_come_to("lobby", 2)
