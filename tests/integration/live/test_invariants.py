"""The six invariants of the design, on a real mongod, with the engines of two processes.

Each has a control: the same check on an engine that breaks the invariant must fail.
"""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pymongo
import pytest
from pymongo.errors import DuplicateKeyError

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Draft, Message
from chatroom.live import change_stream_store as changes
from chatroom.live import feed as feeds
from chatroom.live.tail import Tail
from chatroom.live.writing import rivals
from chatroom.live.writing.appender import Appender
from chatroom.messages.changes import Change
from chatroom.messages.log_store import read_by_keys
from chatroom.messages.messages_store import MessageStore, Rendered, Stored
from chatroom.mongo.database import Database
from chatroom.site.background import BackgroundThread
from tests.databases import COLLECTIONS, new_database, standalone
from tests.integration.live.conftest import MakeNode
from tests.integration.live.nodes import LOBBY, Node, Reader, check_log, check_posts, history
from tests.people import ALICE, BOB, access, draft, rendered
from tests.unit.live import messages as made_up
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.integration

NEVER = 3600.0
"""Seconds until something happens that is to be left out of a test."""


def write(node: Node, name: str, count: int, at_once: int = 25) -> list[Stored]:
    """Post messages, some at a time, as one writer."""
    drafts = [draft(f"{name}-{n}") for n in range(count)]
    answers: list[Stored] = []
    for start in range(0, count, at_once):
        answers += node.post(drafts[start : start + at_once])
    return answers


def in_threads(*deeds: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(deeds)) as pool:
        return [each.result() for each in [pool.submit(deed) for deed in deeds]]


class TestOrder:
    """D06, I4, I5: four writers, two processes, ten readers."""

    def test_d06_everybody_gets_every_message_once_and_in_order(
        self, make_node: MakeNode, room_database: Database
    ) -> None:
        nodes = [make_node("one", tail_messages=300), make_node("two", tail_messages=300)]
        readers = [node.reader(pause=pause) for node in nodes for pause in (0, 0, 0, 0.01, 0.1)]

        in_threads(*[partial(write, nodes[n % 2], f"w{n}", 1250) for n in range(4)])

        for reader in readers:
            reader.wait_for(5000)
            check_posts(reader, 5000)
        check_log(room_database)
        stored = history(nodes[0].store)
        assert len(stored) == 5000
        assert all(reader.view() == stored for reader in readers)

    def test_d06_batches_that_follow_each_other_leave_no_gap_and_keep_their_order(
        self, make_node: MakeNode, room_database: Database
    ) -> None:
        nodes = [make_node("one"), make_node("two")]
        readers = [node.reader() for node in nodes]
        alone = nodes[0].post([draft(f"alone-{n}") for n in range(1100)])

        def flood(node: Node, name: str) -> list[int]:
            return [answer.message.sequence for answer in node.post([draft(f"{name}-{n}") for n in range(700)])]

        together = in_threads(*[partial(flood, node, f"flood-{n}") for n, node in enumerate(nodes)])

        assert [answer.message.sequence for answer in alone] == list(range(1, 1101))
        assert all(sequences == sorted(set(sequences)) for sequences in together)
        for reader in readers:
            reader.wait_for(2500)
            check_posts(reader, 2500)
        check_log(room_database)
        assert all(reader.view() == history(nodes[0].store) for reader in readers)

    def test_i4_everybody_ends_with_the_same_after_edits_and_deletions(
        self, make_node: MakeNode, room_database: Database
    ) -> None:
        nodes = [make_node("one", tail_messages=50), make_node("two", tail_messages=50)]
        readers = [node.reader(pause=pause) for node in nodes for pause in (0, 0.02)]
        posted = [answer.message for answer in write(nodes[0], "first", 30)]

        def meddle(node: Node, seed: int) -> None:
            dice = random.Random(seed)
            for n in range(60):
                target = dice.choice(posted).id
                if dice.random() < 0.5:
                    write(node, f"m{seed}-{n}", dice.randint(1, 5))
                elif dice.random() < 0.8:
                    try_change(node, node.messages.changes.editing(access(ALICE, LOBBY), target, f"{seed}-{n}"))
                else:
                    try_change(node, node.messages.changes.deleting(access(ALICE, LOBBY), target))

        in_threads(*[partial(meddle, nodes[n % 2], n) for n in range(4)])

        newest = nodes[0].store.newest_revision(LOBBY.id)
        late = [node.reader() for node in nodes]
        for reader in readers + late:
            reader.wait_for(newest)
        stored = history(nodes[0].store)
        assert all(reader.view() == stored for reader in readers + late)
        check_log(room_database)


def try_change(node: Node, change: Change) -> None:
    """Edit or delete; a message that was deleted meanwhile refuses."""
    with contextlib.suppress(Refused):
        node.change(change)


class TestOnce:
    def test_d03_the_same_draft_a_hundred_times_over_two_processes(
        self, make_node: MakeNode, room_database: Database
    ) -> None:
        nodes = [make_node("one"), make_node("two")]
        readers = [node.reader() for node in nodes]

        def send(node: Node) -> list[Stored]:
            return [answer for _ in range(10) for answer in node.post([draft("a1")] * 5)]

        answers = [answer for some in in_threads(*[partial(send, node) for node in nodes]) for answer in some]

        assert len(answers) == 100
        assert {(a.message.id, a.message.sequence) for a in answers} == {(answers[0].message.id, 1)}
        assert room_database["messages"].count_documents({}) == 1
        nodes[0].post([draft("end")])
        for reader in readers:
            reader.wait_for(2)
            check_posts(reader, 2)

    def test_f06_a_draft_whose_answer_was_lost_is_sent_to_the_other_process(self, make_node: MakeNode) -> None:
        one, two = make_node("one"), make_node("two")
        reader = two.reader()
        drafts = [draft(f"a{n}") for n in range(20)]
        first = one.post(drafts)

        again = two.post(drafts)

        assert [a.message.id for a in again] == [a.message.id for a in first]
        assert all(a.is_repeated for a in again)
        two.post([draft("end")])
        reader.wait_for(21)
        check_posts(reader, 21)


class TestJoining:
    """D07, D08: history, tail and live are one, wherever one comes in."""

    @pytest.mark.parametrize("total", [300, pytest.param(1000, marks=pytest.mark.long)])
    def test_d07_five_hundred_join_under_load(self, make_node: MakeNode, total: int) -> None:
        nodes = [make_node("one", tail_messages=total // 10), make_node("two", tail_messages=total // 10)]
        readers: list[Reader] = []

        def join() -> None:
            """All along, from the first message to the last."""
            for n in range(500):
                newest = n * total // 500
                wait_until(lambda newest=newest: nodes[0].store.newest_revision(LOBBY.id) >= newest)
                readers.append(nodes[n % 2].reader(cursor=0))

        in_threads(join, partial(write, nodes[0], "a", total // 2, 5), partial(write, nodes[1], "b", total // 2, 5))

        for reader in readers:
            reader.wait_for(total)
            check_posts(reader, total)
            reader.wait_until_caught_up(1)

    @pytest.mark.parametrize("absent", [0, 1, 30, 150, 700])
    def test_d08_an_absence_is_filled_exactly(self, make_node: MakeNode, absent: int) -> None:
        one, two = make_node("one", tail_messages=100), make_node("two", tail_messages=100)
        reader = one.reader()
        write(one, "before", 20)
        reader.wait_for(20)
        reader.disconnect()
        if absent:
            write(two, "meanwhile", absent, at_once=50)

        two.store.newest_revision(LOBBY.id)
        reader.connect(two)
        write(one, "after", 10)

        reader.wait_for(30 + absent)
        check_posts(reader, 30 + absent)
        reader.wait_until_caught_up(2)
        assert reader.missed[0] == 0
        assert absent <= reader.missed[1] <= absent + 10

    def test_i5_a_reader_that_changes_process_all_the_time(self, make_node: MakeNode) -> None:
        nodes = [make_node("one", tail_messages=40), make_node("two", tail_messages=40)]
        readers = [nodes[n % 2].reader(pause=0.001 * n) for n in range(4)]
        is_done = threading.Event()

        def newest() -> int:
            return nodes[0].store.newest_revision(LOBBY.id)

        def wander() -> None:
            dice = random.Random(3)
            while not is_done.is_set():
                reader = dice.choice(readers)
                reader.disconnect()
                left_at = newest()
                if dice.random() < 0.5:  # away until something was missed
                    wait_until(lambda left_at=left_at: is_done.is_set() or newest() > left_at)
                reader.connect(dice.choice(nodes))

        def write_all() -> None:
            try:
                in_threads(*[partial(write, nodes[n % 2], f"w{n}", 200, 3) for n in range(3)])
            finally:
                is_done.set()

        in_threads(wander, write_all)

        for reader in readers:
            reader.wait_for(600)
            check_posts(reader, 600)

    def test_a_message_that_changed_five_times_while_away_comes_once(self, make_node: MakeNode) -> None:
        one, two = make_node("one"), make_node("two")
        (posted,) = one.post([draft("a1")])
        reader = two.reader(cursor=1)
        reader.disconnect()
        for n in range(5):
            try_change(one, one.messages.changes.editing(access(ALICE, LOBBY), posted.message.id, f"v{n}"))

        reader.connect(one)

        reader.wait_for(6)
        assert reader.seen == [(1, 6)]
        assert reader.view() == [(1, 6, "v4")]


@pytest.fixture(scope="module")
def held_mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    options = ["--replSet", "held", "--setParameter", "enableTestCommands=1"]
    with standalone(tmp_path_factory.mktemp("held") / "data", *options) as uri:
        with pymongo.MongoClient[dict[str, Any]](uri) as client:
            host = uri.removeprefix("mongodb://").partition("/")[0]
            client.admin.command("replSetInitiate", {"_id": "held", "members": [{"_id": 0, "host": host}]})
            wait_until(lambda: client.admin.command("hello").get("isWritablePrimary"))
        yield uri


class TestStoredThenSeen:
    """D01, D04, I6, on one node whose majority stands still (a failpoint holds its commit point)."""

    @pytest.fixture
    def hold(self, held_mongod: str) -> Iterator[Callable[[bool], None]]:
        client = pymongo.MongoClient[dict[str, Any]](held_mongod)

        def hold(is_held: bool) -> None:
            client.admin.command(
                {"configureFailPoint": "disableSnapshotting", "mode": "alwaysOn" if is_held else "off"}
            )
            if not is_held:  # the next write takes along what stood still; without one that takes ten seconds
                client.nudges.nudges.insert_one({})

        yield hold
        hold(False)
        client.close()

    @pytest.fixture
    def node(self, held_mongod: str) -> Iterator[Node]:
        database = new_database(held_mongod, store_timeout_seconds=PATIENCE_SECONDS)
        node = Node(database, "one")
        yield node
        node.stop()
        database.close()

    @pytest.fixture
    def impatient(self, held_mongod: str, node: Node) -> Iterator[MessageStore]:
        """Another process's store, which soon gives up what a majority does not confirm."""
        settings = Settings(
            mongo_uri=held_mongod, mongo_db=node.database.name, secret_key="x" * 32, store_timeout_seconds=0.5
        )
        database = Database.connect(settings)
        yield MessageStore(database, origin="two")
        database.close()

    def test_d04_a_resend_is_answered_only_once_a_majority_has_it(
        self, node: Node, impatient: MessageStore, hold: Callable[[bool], None]
    ) -> None:
        node.post([draft("a0")])
        hold(True)
        answers: list[Stored] = []
        sender = threading.Thread(target=lambda: answers.extend(node.store.append(LOBBY.id, [rendered("a1")])))
        sender.start()
        wait_until(lambda: count_locally(node) == 2)
        for _ in range(2):  # which meets a duplicate key at once
            with pytest.raises(Unavailable):
                impatient.append(LOBBY.id, [rendered("a1")])
        assert answers == []
        assert count_locally(node) == 2
        hold(False)
        sender.join()

        (again,) = node.store.append(LOBBY.id, [rendered("a1")])

        assert [(answer.message.sequence, answer.is_repeated) for answer in answers] == [(2, False)]
        assert (again.message.sequence, again.is_repeated) == (2, True)

    def test_d01_nothing_is_seen_or_answered_before_a_majority_has_it(
        self, node: Node, hold: Callable[[bool], None]
    ) -> None:
        reader = node.reader()
        node.post([draft("a0")])
        reader.wait_for(1)
        hold(True)
        answers: list[Stored] = []
        sender = threading.Thread(target=lambda: answers.extend(node.post([draft("a1"), draft("a2")])))
        sender.start()
        wait_until(lambda: count_locally(node) == 3)
        late = node.reader()  # who is shown what there is, after the two were written
        late.wait_for(1)
        assert len(node.store.changed_after(LOBBY.id, 0, 9)) == 1
        with pytest.raises(AssertionError):
            reader.wait_for(2, seconds=0.3)  # where all stands still nothing comes later that could be waited for
        assert (reader.cursor, late.cursor, answers) == (1, 1, [])
        hold(False)
        sender.join()

        assert [a.message.sequence for a in answers] == [2, 3]
        reader.wait_for(3)
        check_posts(reader, 3)
        late.wait_for(3)
        check_posts(late, 3)

    def test_control_an_appender_that_answers_before_the_write_is_found_out(
        self, node: Node, hold: Callable[[bool], None]
    ) -> None:
        appender = node.engine.appender
        node.engine.appender = HastyAppender(appender)  # type: ignore[assignment]
        reader = node.reader()
        hold(True)

        (answer,) = node.post([draft("a1")])
        reader.wait_for(1)

        with pytest.raises(AssertionError):
            assert node.store.changed_after(LOBBY.id, 0, 9) == [answer.message]
        hold(False)


def count_locally(node: Node) -> int:
    local = pymongo.read_concern.ReadConcern("local")
    return node.database["messages"].with_options(read_concern=local).count_documents({})


class TestFeeds:
    """D09, F13: whatever becomes of the stream, readers converge, without the polling beside it."""

    def test_a_stream_that_breaks_again_and_again(self, make_node: MakeNode) -> None:
        one = make_node("one")
        broken: list[int] = []

        def watch(is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
            for number, change in enumerate(changes.watch(one.database, "two", is_stopped)):
                if number >= 4:
                    broken.append(number)
                    raise Unavailable("The stream broke.")
                yield change

        two = make_node("two", watch=watch, safety_seconds=NEVER)
        reader = two.reader()
        for n in range(0, 40, 2):  # the first of them opens the stream's eyes again, or is heard by it
            one.post([draft(f"a{n}")])
            one.post([draft(f"a{n + 1}")])
            reader.wait_for(n + 2)

        check_posts(reader, 40)
        assert len(broken) > 1

    def test_a_stream_whose_cursor_is_killed(self, make_node: MakeNode, room_database: Database) -> None:
        one = make_node("one")
        opened: list[int] = []

        def watch(is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
            opened.append(1)
            yield from changes.watch(room_database, "two", is_stopped)

        two = make_node("two", watch=watch, safety_seconds=NEVER)
        reader = two.reader()
        one.post([draft("a1")])
        reader.wait_for(1)

        wait_until(lambda: kill_cursors(room_database) == 2)  # that of each
        one.post([draft("a2")])

        reader.wait_for(2)
        check_posts(reader, 2)
        wait_until(lambda: len(opened) > 1)

    def test_a_stream_that_is_silent_without_an_error(self, make_node: MakeNode) -> None:
        one, two = make_node("one"), make_node("two", watch=never_hear, safety_seconds=0.2)
        reader = two.reader()
        one.post([draft("a1")])

        reader.wait_for(1)

    def test_d09_a_stream_whose_history_is_gone(
        self, make_node: MakeNode, room_database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Error 286, and 260 for a token that is no good: what was missed is read by revision."""
        one = make_node("one")
        codes = [286, 260, 286]
        watch_really = room_database["messages"].watch

        def watch(*arguments: Any, **options: Any) -> Any:
            if codes:
                raise pymongo.errors.OperationFailure("the resume point may no longer be in the oplog", codes.pop())
            return watch_really(*arguments, **options)

        monkeypatch.setattr(room_database["messages"], "watch", watch)
        two = make_node("two", watch=partial(changes.watch, room_database, "two"), safety_seconds=NEVER)
        reader = two.reader()
        one.post([draft("a1")])

        reader.wait_for(1)
        assert codes == []

    def test_d10_the_collection_is_dropped_and_made_again(self, make_node: MakeNode, room_database: Database) -> None:
        one, two = make_node("one"), make_node("two", safety_seconds=NEVER)
        reader = two.reader()
        one.post([draft("a1")])
        reader.wait_for(1)

        room_database["messages"].with_options().aggregate([{"$match": {}}, {"$out": "kept"}])
        room_database["messages"].drop()
        kept = room_database.client[room_database.name]["kept"]
        room_database.ensure_indexes(COLLECTIONS)
        room_database["messages"].insert_many(list(kept.find()))
        one.post([draft("a2")])

        reader.wait_for(2)
        check_posts(reader, 2)

    def test_a_process_receives_hints_about_others_and_not_itself(
        self, make_node: MakeNode, room_database: Database
    ) -> None:
        one, two = make_node("one"), make_node("two")
        heard: list[tuple[str | None, int]] = []
        is_over = threading.Event()

        def listen() -> None:
            heard.extend(changes.watch(room_database, "one", is_over.is_set))

        listener = threading.Thread(target=listen)
        listener.start()
        try:
            wait_until(lambda: heard)
            one.post([draft("a1")])
            (posted,) = two.post([draft("b1", author=BOB)])
            try_change(two, two.messages.changes.deleting(access(BOB, LOBBY), posted.message.id))
            wait_until(lambda: len(heard) >= 3)
        finally:
            is_over.set()
            listener.join()

        assert heard[0] == (None, 0)
        assert {revision for room, revision in heard[1:] if room == LOBBY.id} <= {2, 3}

    def test_a_stream_that_cannot_be_opened_is_unavailable(self) -> None:
        client: Any = pymongo.MongoClient("127.0.0.1", 9, serverSelectionTimeoutMS=50)
        with pytest.raises(Unavailable):
            list(changes.watch(Database(client, "x"), "one", lambda: True))
        client.close()


def never_hear(is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
    """A stream that opens, and says nothing."""
    yield None, 0
    never = threading.Event()
    while not is_stopped():
        never.wait(0.01)


def kill_cursors(database: Database) -> int:
    """Kill the change streams on this database's messages, as an administrator would."""
    admin = database.client.admin
    wanted = f"{database.name}.messages"
    operations = admin.aggregate([{"$currentOp": {"idleCursors": True, "allUsers": True}}])
    cursors = [
        operation["cursor"]["cursorId"]
        for operation in operations
        if operation.get("ns") == wanted and "cursor" in operation
    ]
    if cursors:
        database.client[database.name].command("killCursors", "messages", cursors=cursors)
    return len(cursors)


class TestSlowReaders:
    def test_i7_a_reader_that_stopped_holds_nothing_and_delays_nobody(self, make_node: MakeNode) -> None:
        one = make_node("one", tail_messages=50)
        stuck = one.reader(pause=3600)
        others = [one.reader() for _ in range(3)]
        write(one, "a", 500, at_once=5)
        for reader in others:
            reader.wait_for(500)
            check_posts(reader, 500)
        assert len(stuck.seen) <= 50
        live = one.engine.rooms._rooms[LOBBY.id]
        assert len(live.tail._entries) <= 50
        assert len(live.tail._frames) <= 8
        stuck.disconnect()
        stuck.pause = 0
        stuck.connect()
        stuck.wait_for(500)
        check_posts(stuck, 500)


class TestControls:
    """A test that cannot fail is a defect: each of these breaks one invariant, and is found out."""

    def test_a_store_that_counts_first_and_inserts_then(
        self, make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rivals, "CONTESTED_SECONDS", -1)  # who takes turns does not show what the store does wrong
        one, two = [make_node(name, make_store=CountingStore) for name in ("one", "two")]
        has_counted, may_insert = threading.Event(), threading.Event()
        one.store.between = lambda: (has_counted.set(), may_insert.wait(PATIENCE_SECONDS))  # type: ignore[attr-defined]
        reader = two.reader()
        sender = threading.Thread(target=one.post, args=[[draft("first")]])
        sender.start()
        wait_until(has_counted.is_set)
        two.post([draft("second")])
        reader.wait_for(2)
        may_insert.set()
        sender.join()
        two.post([draft("third")])
        reader.wait_for(3)
        check_log(two.database)
        with pytest.raises(AssertionError):
            check_posts(reader, 3)

    @pytest.mark.parametrize("is_trusting", [True, False])
    def test_a_tail_that_trusts_the_order(
        self, make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, is_trusting: bool
    ) -> None:
        if is_trusting:
            monkeypatch.setattr(Tail, "offer", trusting_offer)
        one, two = make_node("one"), make_node("two", watch=never_hear, safety_seconds=NEVER)
        reader = two.reader()
        one.post([draft("theirs")])
        two.post([draft("ours")])
        reader.wait_for(2)
        with pytest.raises(AssertionError) if is_trusting else contextlib.nullcontext():
            check_posts(reader, 2)

    def test_a_follower_without_a_cursor(self, make_node: MakeNode) -> None:
        node = make_node("one")
        reader = node.reader()
        write(node, "a", 10)
        reader.wait_for(10)
        reader.disconnect()
        write(node, "b", 10)
        reader.cursor = None  # it follows from now on, instead of from where it was
        reader.connect()
        write(node, "c", 10)
        reader.wait_for(30)
        with pytest.raises(AssertionError):
            check_posts(reader, 30)

    @pytest.mark.parametrize("is_asking", [True, False])
    def test_a_feed_that_never_asks_after_a_failure(
        self, make_node: MakeNode, monkeypatch: pytest.MonkeyPatch, is_asking: bool
    ) -> None:
        if not is_asking:
            monkeypatch.setattr(feeds.ChangeStreamFeed, "_hint_at_everything", lambda feed: None)
        one = make_node("one")
        is_open, could_ask = threading.Event(), threading.Event()

        def watch(is_stopped: Callable[[], bool]) -> Iterator[tuple[str | None, int]]:
            while not is_open.wait(0.01):
                if is_stopped():
                    return
            yield None, 0
            could_ask.set()
            yield from never_hear(is_stopped)

        two = make_node("two", watch=watch, safety_seconds=NEVER)
        reader = two.reader()
        one.post([draft("a1")])
        is_open.set()
        wait_until(could_ask.is_set)
        with contextlib.nullcontext() if is_asking else pytest.raises(AssertionError):
            reader.wait_for(1, seconds=PATIENCE_SECONDS if is_asking else 0.5)  # it would not come later either

    def test_a_client_that_resends_under_a_new_id(self, make_node: MakeNode) -> None:
        node = make_node("one")
        node.post([draft("a1", "hi")])
        node.post([draft("a2", "hi")])
        with pytest.raises(AssertionError):
            assert [text for *_, text in history(node.store)].count("hi") == 1


class CountingStore(MessageStore):
    """Takes a number from a counter, and inserts afterwards: 6 can be seen before 5."""

    between: Callable[[], object] = staticmethod(lambda: None)
    """What is done between the two."""

    def append(self, room: str, drafts: Sequence[Rendered], *, after: int | None = None) -> list[Stored]:
        counters = self._database.client[self._database.name]["counters"]
        while True:
            try:
                counter = counters.find_one_and_update(
                    {"_id": room},
                    {"$inc": {"n": len(drafts)}},
                    upsert=True,
                    return_document=pymongo.ReturnDocument.AFTER,
                )
                break
            except DuplicateKeyError:
                continue
        self.between()
        documents = self.documents(room, counter["n"] - len(drafts), drafts)
        self._messages.insert_many(documents)
        return [
            Stored(message, is_repeated=False)
            for message in read_by_keys(self._messages, room, [each.key for each in drafts]).values()
        ]


def trusting_offer(tail: Tail, messages: Sequence[Message]) -> bool:
    """Takes whatever comes as the next, gaps and all."""
    for message in messages:
        if message.revision > tail.revision:
            tail._take(message)
    tail._spread()
    return True


class HastyAppender:
    """Publishes and answers before the write is acknowledged."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender

    def put(self, room: str, item: Draft, done: Callable[[Any], None]) -> None:
        guess = made_up.message(1, client_id=item.client_id)
        self._appender._published(room, [guess])
        done(Stored(guess, is_repeated=False))
        self._appender.put(room, item, lambda outcome: None)

    async def finish(self, seconds: float) -> None:
        await self._appender.finish(seconds)


def test_polling_on_a_standalone_mongod(standalone_mongod: str) -> None:
    """No change streams there: two processes ask for what is new, and converge all the same."""
    databases = [new_database(standalone_mongod)]
    databases.append(
        Database(pymongo.MongoClient(standalone_mongod, tz_aware=True), databases[0].name, uri=standalone_mongod)
    )
    assert not databases[0].has_change_streams()
    nodes = [Node(database, f"n{number}") for number, database in enumerate(databases)]
    assert all(isinstance(node.feed, BackgroundThread) for node in nodes)
    readers = [node.reader() for node in nodes]
    try:
        in_threads(*[partial(write, node, node.name, 200, 10) for node in nodes])
        for reader in readers:
            reader.wait_for(400)
            check_posts(reader, 400)
        check_log(databases[0])
        assert databases[0]["messages"].write_concern.document["w"] == "majority"
    finally:
        for node in nodes:
            node.stop()
            node.database.close()


def test_presence_over_two_processes(make_node: MakeNode) -> None:
    one, two = make_node("one"), make_node("two")
    one.reader(person=ALICE)
    two.reader(person=BOB)
    live = one.engine.rooms._rooms[LOBBY.id]

    wait_until(lambda: b"Bob" in live.presence.frame(0) and b"Alice" in live.presence.frame(0))
