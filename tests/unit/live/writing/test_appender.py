import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import pytest

from chatroom.base.errors import ChatroomError, Refused, Unavailable
from chatroom.base.models import Draft, Message
from chatroom.live.writing import appender as appenders
from chatroom.live.writing import batch_writer, rivals
from chatroom.live.writing.appender import Appender
from chatroom.messages.async_store import Outrun, StoreNow
from chatroom.messages.messages_store import Stored
from tests.loops import in_loop, settle
from tests.people import draft
from tests.unit.live.harness import let_sleep
from tests.unit.live.messages import message
from tests.waiting import PATIENCE_SECONDS

ROOM = "lobby"


class Store:
    """Writes wait until the test lets them go, and end as the test says."""

    def __init__(self, max_waiting: int = 0) -> None:
        self.log: list[Message] = []
        self.batches: list[list[str]] = []
        self.hints: list[int | None] = []
        self.outcomes: list[Exception] = []
        self.is_quick = False
        self.may_end = asyncio.Event()
        """Whether a write from the event loop comes to its end."""
        self.may_end.set()
        self.is_broken = False
        self.rival_takes: list[int] = []
        """How many messages another process stores just before each of the next tries."""
        self.made_ready: list[tuple[int, list[str]]] = []
        self.asked_now: list[tuple[int, list[str]]] = []
        self.poison = ""
        self.writes = asyncio.Semaphore(0)
        self.is_open = True
        self.published: list[list[int]] = []
        self.told: list[tuple[str, Any]] = []
        self.appender = Appender(
            self,
            self.run,
            newest=lambda room: len(self.log) or None,
            published=self.publish,
            max_waiting=max_waiting,
        )

    async def run(self, write: Callable[[], Any]) -> Any:
        if not self.is_open:
            await self.writes.acquire()
        await asyncio.sleep(0)
        return write()

    async def append_now(self, room: str, drafts: Sequence[Draft], after: int) -> list[Stored] | None:
        self.asked_now.append((after, [d.client_id for d in drafts]))
        await self.may_end.wait()
        if self.is_broken:
            raise ValueError("this cannot be encoded")
        if self.rival_takes:
            for _ in range(self.rival_takes.pop(0)):
                self.store(draft(f"rival-{len(self.log)}"))
            raise Outrun
        return [self.store(d) for d in drafts] if self.is_quick else None

    def make_ready(self, room: str, drafts: Sequence[Draft], after: int) -> StoreNow | None:
        if self.is_broken:
            raise ValueError("this cannot be encoded")
        self.made_ready.append((after, [d.client_id for d in drafts]))
        return partial(self.append_now, room, drafts, after) if self.is_quick else None

    def append(self, room: str, drafts: Sequence[Draft], after: int | None) -> list[Stored]:
        self.batches.append([d.client_id for d in drafts])
        self.hints.append(after)
        if self.outcomes:
            raise self.outcomes.pop(0)
        if any(d.text == self.poison for d in drafts):
            raise ValueError("this cannot be encoded")
        return [self.store(d) for d in drafts]

    def store(self, it: Draft) -> Stored:
        for old in self.log:
            if old.client_id == it.client_id:
                return Stored(old, is_repeated=True)
        self.log.append(message(len(self.log) + 1, client_id=it.client_id))
        return Stored(self.log[-1], is_repeated=False)

    async def rival_post(self) -> None:
        self.store(draft(f"rival-{len(self.log)}"))
        await self.appender.hear(ROOM, len(self.log))

    def publish(self, room: str, messages: list[Message]) -> None:
        self.published.append([m.revision for m in messages])

    def put(self, *client_ids: str, room: str = ROOM, text: str | None = None) -> None:
        for client_id in client_ids:
            self.appender.put(
                room, draft(client_id, text), lambda outcome, key=client_id: self.told.append((key, outcome))
            )

    def change(self, revision: int) -> Callable[[str, int | None], Message]:
        def change(room: str, after: int | None) -> Message:
            self.hints.append(after)
            if self.outcomes:
                raise self.outcomes.pop(0)
            self.log.append(message(1, revision))
            return self.log[-1]

        return change

    def put_change(self, key: str, change: Callable[[str, int | None], Message]) -> None:
        self.appender.put(ROOM, change, lambda outcome: self.told.append((key, outcome)))

    def sequences(self) -> list[tuple[str, int]]:
        return [(key, outcome.message.sequence) for key, outcome in self.told]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which take no time here."""
    asked: list[float] = []

    async def skip(seconds: float) -> None:
        if seconds:
            asked.append(seconds)
        await asyncio.sleep(0)

    let_sleep(monkeypatch, skip, [batch_writer])
    return asked


@pytest.fixture(autouse=True)
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it is not waits until they hear of the others."""
    monkeypatch.setattr(rivals, "PATIENCE_SECONDS", PATIENCE_SECONDS)


@in_loop
async def test_drafts_are_stored_from_the_event_loop_if_possible() -> None:
    store = Store()
    store.put("a1")  # nobody knows yet how far the room is
    await settle()
    store.is_quick = True
    store.put("a2", "a3")
    await settle()

    assert store.batches == [["a1"]]
    assert store.asked_now == [(1, ["a2", "a3"])]
    assert store.published == [[1], [2, 3]]
    assert store.sequences() == [("a1", 1), ("a2", 2), ("a3", 3)]


@in_loop
async def test_other_drafts_are_stored_in_a_thread() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.put("a2", "a3")
    await settle()

    assert store.asked_now == [(1, ["a2", "a3"])]
    assert store.batches == [["a1"], ["a2", "a3"]]
    assert store.sequences() == [("a1", 1), ("a2", 2), ("a3", 3)]


@in_loop
async def test_a_write_from_the_event_loop_that_breaks_does_not_stop_the_room() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.is_broken = True
    store.put("a2")
    await settle()
    store.put("a3")
    await settle()

    assert store.batches == [["a1"], ["a2"], ["a3"]]
    assert store.sequences() == [("a1", 1), ("a2", 2), ("a3", 3)]


@in_loop
async def test_d02_after_a_conflict_the_next_write_starts_after_the_other_process() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.is_quick, store.rival_takes = True, [2, 1]
    store.put("a2", "a3")
    await settle()

    assert store.asked_now == [(1, ["a2", "a3"]), (3, ["a2", "a3"]), (4, ["a2", "a3"])]
    assert store.sequences() == [("a1", 1), ("a2", 5), ("a3", 6)]
    assert store.batches == [["a1"]]


@in_loop
async def test_d02_repeated_conflicts_are_stored_in_a_thread() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.is_quick, store.rival_takes = True, [1] * batch_writer.MAX_TRIES
    store.put("a2")
    await settle()

    assert len(store.asked_now) == batch_writer.MAX_TRIES
    assert store.batches == [["a1"], ["a2"]]
    assert store.hints[-1] == 1 + batch_writer.MAX_TRIES
    assert store.sequences() == [("a1", 1), ("a2", 2 + batch_writer.MAX_TRIES)]


@in_loop
async def test_a_conflict_without_a_hint_is_stored_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "PATIENCE_SECONDS", 0)
    store = Store()
    store.put("a1")
    await settle()
    store.is_quick, store.rival_takes = True, [0]
    store.put("a2")
    await settle()

    assert store.sequences() == [("a1", 1), ("a2", 2)]
    assert store.batches == [["a1"], ["a2"]]


@in_loop
async def test_two_posting_processes_take_turns() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.is_quick = True
    store.put("a2")
    await store.rival_post()  # while ours is on its way
    await settle()
    assert store.sequences() == [("a1", 1), ("a2", 3)]

    store.put("a3")
    await settle()
    store.put("a4")  # joins the one that waits for its turn
    await settle()
    assert len(store.told) == 2
    await store.rival_post()
    await settle()
    assert store.asked_now[-1] == (4, ["a3", "a4"])
    assert store.sequences()[2:] == [("a3", 5), ("a4", 6)]


@in_loop
async def test_a_draft_is_stored_and_then_answered_and_published_in_one_turn() -> None:
    store = Store()
    order: list[str] = []
    store.appender._published = lambda room, messages: order.append("published")
    store.appender.put(ROOM, draft("a1"), lambda outcome: order.append("answered"))
    assert order == []
    await settle()
    assert order == ["answered", "published"]  # the answer goes along with the news, behind it
    assert store.batches == [["a1"]]


@in_loop
async def test_simultaneous_drafts_are_stored_together() -> None:
    store = Store()
    store.put("a1", "a2", "a3")
    await settle()
    assert store.batches == [["a1", "a2", "a3"]]
    assert store.published == [[1, 2, 3]]
    assert store.sequences() == [("a1", 1), ("a2", 2), ("a3", 3)]


@in_loop
async def test_drafts_during_a_write_form_the_next_batch() -> None:
    store = Store()
    store.is_open = False
    store.put("a1")
    await settle()
    for n in range(2, 7):
        store.put(f"a{n}")
        await settle()
    assert store.told == []
    store.writes.release()
    await settle()
    store.writes.release()
    await settle()
    assert store.batches == [["a1"], ["a2", "a3", "a4", "a5", "a6"]]
    assert store.published == [[1], [2, 3, 4, 5, 6]]


@in_loop
async def test_nobody_is_notified_before_the_write_ends() -> None:
    """The first invariant: stored, then seen."""
    store = Store()
    store.is_open = False
    store.put("a1")
    await settle()
    assert store.told == []
    assert store.published == []
    store.writes.release()
    await settle()
    assert store.sequences() == [("a1", 1)]


@in_loop
async def test_one_room_does_not_wait_for_another() -> None:
    store = Store()
    store.is_open = False
    store.put("a1", room="one")
    store.put("b1", room="two")
    await settle()
    store.writes.release()
    store.writes.release()
    await settle()
    assert sorted(store.batches) == [["a1"], ["b1"]]


@in_loop
async def test_a_batch_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appenders, "MAX_BATCH", 3)
    store = Store()
    store.put(*[f"a{n}" for n in range(8)])
    await settle()
    assert [len(batch) for batch in store.batches] == [3, 3, 2]
    assert [key for key, _ in store.told] == [f"a{n}" for n in range(8)]


@in_loop
async def test_while_a_full_batch_is_shown_the_next_one_is_stored_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appenders, "MAX_BATCH", 3)
    monkeypatch.setattr(appenders, "ENOUGH", 2)
    store = Store()
    store.put("a1")
    await settle()
    store.is_quick = True
    shown: list[list[str]] = []
    store.appender._published = lambda room, messages: shown.append(
        [key for _, keys in store.asked_now for key in keys]
    )
    store.put(*[f"b{n}" for n in range(8)])
    await settle()

    assert [len(keys) for _, keys in store.asked_now] == [3, 3, 2]
    assert [after for after, _ in store.asked_now] == [1, 4, 7]  # each after the last, which is stored by then
    assert [len(keys) for keys in shown] == [6, 8, 8]  # asked for, when a batch was shown
    assert [key for key, _ in store.told] == ["a1", *(f"b{n}" for n in range(8))]


class TestMakingReady:
    """A full batch is made ready while the one before it is being stored."""

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(appenders, "MAX_BATCH", 3)
        monkeypatch.setattr(appenders, "ENOUGH", 2)

    async def being_stored(self, **options: int) -> Store:
        """Three drafts are on their way to the store, which knows one message."""
        store = Store(**options)
        store.put("a1")
        await settle()
        store.is_quick = True
        store.may_end.clear()
        store.put("b1", "b2", "b3")
        await settle()
        assert store.asked_now == [(1, ["b1", "b2", "b3"])]
        return store

    async def end(self, store: Store) -> list[str]:
        store.may_end.set()
        await settle()
        assert [key for key, _ in store.told] == [
            message.client_id for message in store.log if "rival" not in message.client_id
        ]
        return [message.client_id for message in store.log]

    @in_loop
    async def test_it_leaves_as_soon_as_the_one_before_is_stored(self) -> None:
        store = await self.being_stored()
        store.put("c1", "c2", "c3", "d1")
        await settle()
        assert store.made_ready == [(4, ["c1", "c2", "c3"])]
        assert await self.end(store) == ["a1", "b1", "b2", "b3", "c1", "c2", "c3", "d1"]
        assert store.asked_now == [(1, ["b1", "b2", "b3"]), (4, ["c1", "c2", "c3"]), (7, ["d1"])]

    @in_loop
    async def test_it_goes_back_to_its_place_if_another_process_was_quicker(self) -> None:
        store = await self.being_stored()
        store.put("c1", "c2", "c3", "d1")
        await settle()
        store.store(draft("rival"))
        assert await self.end(store) == ["a1", "rival", "b1", "b2", "b3", "c1", "c2", "c3", "d1"]
        assert store.made_ready == [(4, ["c1", "c2", "c3"])]
        assert store.asked_now[1] == (5, ["c1", "c2", "c3"])

    @in_loop
    async def test_it_goes_back_to_its_place_if_it_cannot_be_made(self) -> None:
        store = await self.being_stored()
        store.is_broken = True
        store.put("c1", "c2", "c3", "d1")
        await settle()
        store.is_broken = False
        assert await self.end(store) == ["a1", "b1", "b2", "b3", "c1", "c2", "c3", "d1"]
        assert store.made_ready == []

    @in_loop
    async def test_a_change_that_is_next_is_made_first(self) -> None:
        store = await self.being_stored()
        store.put_change("e1", store.change(5))
        store.put("d1", "d2", "d3")
        await settle()
        assert store.made_ready == []
        store.may_end.set()
        await settle()
        assert [key for key, _ in store.told] == ["a1", "b1", "b2", "b3", "e1", "d1", "d2", "d3"]
        assert store.published == [[1], [2, 3, 4], [5], [6, 7, 8]]

    @in_loop
    async def test_prepared_drafts_count_as_waiting(self) -> None:
        store = await self.being_stored(max_waiting=4)
        store.put("c1", "c2", "c3")
        await settle()
        store.put("d1")
        with pytest.raises(Refused):
            store.put("d2")
        assert await self.end(store) == ["a1", "b1", "b2", "b3", "c1", "c2", "c3", "d1"]


@in_loop
async def test_nothing_follows_early_on_a_batch_that_could_not_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appenders, "MAX_BATCH", 2)
    monkeypatch.setattr(appenders, "ENOUGH", 1)
    store = Store()
    store.poison = "poison"
    store.put("a1")
    store.put("a2", text="poison")
    store.put("a3")
    await settle()

    assert store.batches == [["a1", "a2"], ["a1"], ["a2"], ["a3"]]
    told = dict(store.told)
    assert isinstance(told["a2"], ChatroomError)
    assert [told[key].message.sequence for key in ("a1", "a3")] == [1, 2]


@in_loop
async def test_a_change_waits_for_the_drafts_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appenders, "MAX_BATCH", 2)
    monkeypatch.setattr(appenders, "ENOUGH", 1)
    store = Store()
    store.put("a1", "a2", "a3")
    store.put_change("c1", store.change(4))
    store.put("a4")
    await settle()

    assert [key for key, _ in store.told] == ["a1", "a2", "a3", "c1", "a4"]
    assert store.published == [[1, 2], [3], [4], [5]]


@in_loop
async def test_too_many_waiting_drafts_are_refused_as_busy() -> None:
    store = Store(max_waiting=3)
    store.is_open = False
    store.put("a1")
    await settle()  # in flight
    store.put("a2", "a3", "a4")
    with pytest.raises(Refused) as refusal:
        store.put("a5")
    assert refusal.value.reason == "busy"
    assert refusal.value.retry_after
    store.put("b1", room="another")
    for _ in range(3):
        store.writes.release()
    await settle()
    store.put("a5")
    store.writes.release()
    await settle()
    assert [key for key, _ in store.told if key != "b1"] == ["a1", "a2", "a3", "a4", "a5"]


@in_loop
async def test_without_a_bound_everything_waits() -> None:
    store = Store(max_waiting=0)
    store.put(*[f"a{n}" for n in range(2000)])
    await settle()
    assert len(store.told) == 2000


def test_an_unknown_outcome_is_tried_again_with_the_same_client_ids(pauses: list[float]) -> None:
    async def test() -> None:
        store = Store()
        store.outcomes = [Unavailable("late")] * 8
        store.put("a1", "a2")
        await settle()
        assert store.batches == [["a1", "a2"]] * 9
        assert store.sequences() == [("a1", 1), ("a2", 2)]
        assert store.published == [[1, 2]]

    run(test)
    assert pauses == sorted(pauses)
    assert pauses[-1] == batch_writer.LONGEST_PAUSE_SECONDS


@in_loop
async def test_an_unknown_outcome_delays_the_rest_in_order() -> None:
    store = Store()
    store.outcomes = [Unavailable("late")] * 3
    store.put("a1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.put("a2", "a3")
    await settle()
    assert store.batches == [["a1"]] * 4 + [["a2", "a3"]]


@in_loop
async def test_d03_a_stored_draft_gets_the_same_answer_again() -> None:
    store = Store()
    store.put("a1")
    await settle()
    store.put("a1")
    await settle()
    assert store.sequences() == [("a1", 1), ("a1", 1)]
    assert [outcome.is_repeated for _, outcome in store.told] == [False, True]


@in_loop
async def test_a_change_between_posts_keeps_its_place() -> None:
    store = Store()
    store.put("a1", "a2")
    store.put_change("edit", store.change(3))
    store.put("a4")
    await settle()
    assert store.batches == [["a1", "a2"], ["a4"]]
    assert [key for key, _ in store.told] == ["a1", "a2", "edit", "a4"]
    assert store.published == [[1, 2], [3], [4]]
    assert store.hints == [None, 2, 3]


@in_loop
async def test_a_refused_change_is_answered_and_not_published() -> None:
    store = Store()
    refusal = Refused("forbidden", "no")

    def refuse(room: str, after: int | None) -> Message:
        raise refusal

    store.put("a1")
    store.put_change("edit", refuse)
    store.put("a2")
    await settle()
    assert store.told[1] == ("edit", refusal)
    assert store.published == [[1], [2]]


@in_loop
async def test_a_change_of_unknown_outcome_is_tried_again() -> None:
    store = Store()
    store.outcomes = [Unavailable("late")]
    store.put_change("edit", store.change(1))
    await settle()
    assert store.published == [[1]]


def test_a_draft_that_cannot_be_stored_spoils_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        store = Store()
        store.poison = "poison"
        store.put("a1", "a2")
        store.put("bad", text="poison")
        store.put("a3")
        await settle()
        outcomes = dict(store.told)
        assert isinstance(outcomes["bad"], Unavailable)
        assert [outcomes[key].message.sequence for key in ("a1", "a2", "a3")] == [1, 2, 3]
        store.put("a4")
        await settle()
        assert store.told[-1][0] == "a4"

    run(test)
    assert "cannot solve" in caplog.text


def test_an_answer_that_fails_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        store = Store()

        def fail(outcome: Stored | ChatroomError) -> None:
            raise ValueError("nobody listens")

        store.appender.put(ROOM, draft("a1"), fail)
        store.put("a2")
        store.put_change("edit", store.change(3))
        await settle()
        assert [key for key, _ in store.told] == ["a2", "edit"]
        store.put("a4")
        await settle()
        assert store.told[-1][0] == "a4"

    run(test)
    assert "could not be sent" in caplog.text


def test_a_failing_publication_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        store = Store()

        def fail(room: str, messages: list[Message]) -> None:
            raise ValueError("no")

        store.appender._published = fail
        store.put("a1")
        await settle()
        store.put("a2")
        await settle()
        assert store.sequences() == [("a1", 1), ("a2", 2)]

    run(test)
    assert "not published" in caplog.text


@in_loop
async def test_finishing_waits_for_queued_drafts() -> None:
    store = Store()
    await store.appender.finish(0.1)  # nothing to wait for
    store.put("a1", "a2")
    await store.appender.finish(PATIENCE_SECONDS)
    assert store.sequences() == [("a1", 1), ("a2", 2)]


@in_loop
async def test_finishing_stops_after_its_time_limit() -> None:
    store = Store()
    store.is_open = False
    store.put("a1")
    await store.appender.finish(0.01)
    assert store.told == []
    store.writes.release()
    await settle()
