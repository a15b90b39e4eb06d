"""The checker against histories made by hand: one that is good, and every way in which it could be bad."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.faults.checker import check
from tests.faults.history import HARNESS, Document, Event

ANN, BEN = "ann", "ben"


def event(time: float, who: str, kind: Any, outcome: Any = "", **more: Any) -> Event:
    author = more.pop("author", who if kind in {"post", "edit", "delete"} else "")
    return Event(time=time, who=who, kind=kind, outcome=outcome, author=author, **more)


def sees(
    time: float, who: str, id: str, revision: int, hash: str, *, sequence: int = 0, author: str = ANN
) -> list[Event]:
    """A frame with one message."""
    seen = event(
        time,
        who,
        "see",
        author=author,
        client_id=f"draft-{id}",
        id=id,
        sequence=sequence or revision,
        revision=revision,
        hash=hash,
    )
    return [seen, event(time, who, "cursor", revision=revision)]


def posts(time: float, id: str, sequence: int, hash: str) -> list[Event]:
    draft = {"client_id": f"draft-{id}", "hash": hash}
    answer = event(time + 0.1, ANN, "post", "ok", id=id, sequence=sequence, revision=sequence, **draft)
    return [event(time, ANN, "post", "tried", **draft), answer]


def document(id: str, revisions: tuple[int, ...], hash: str) -> Document:
    return Document(
        id=id,
        sequence=revisions[0],
        revision=revisions[-1],
        revisions=revisions,
        author=ANN,
        client_id=f"draft-{id}",
        hash=hash,
    )


def good() -> tuple[list[Event], list[Document]]:
    """Ann posts a, b and c; edits a; deletes b. Ben is away for the edit, and reads on from his cursor."""
    edit = {"client_id": "edit", "id": "a"}
    delete = {"client_id": "delete", "id": "b"}
    events = [
        *posts(1, "a", 1, "A"),
        *posts(2, "b", 2, "B"),
        *sees(2.1, ANN, "a", 1, "A"),
        *sees(2.2, ANN, "b", 2, "B"),
        *sees(2.3, BEN, "a", 1, "A"),
        event(3, ANN, "edit", "tried", hash="A2", **edit),
        event(3.1, ANN, "edit", "ok", hash="A2", sequence=1, revision=3, **edit),
        *sees(3.2, ANN, "a", 3, "A2", sequence=1),
        event(4, ANN, "delete", "tried", **delete),
        event(4.1, ANN, "delete", "ok", sequence=2, revision=4, **delete),
        *sees(4.2, ANN, "b", 4, "", sequence=2),
        *sees(4.3, BEN, "a", 3, "A2", sequence=1),
        *sees(4.4, BEN, "b", 4, "", sequence=2),
        event(5, HARNESS, "healed"),
        *posts(6, "c", 5, "C"),
        *sees(6.2, ANN, "c", 5, "C"),
        *sees(6.3, BEN, "c", 5, "C"),
    ]
    return events, [document("a", (1, 3), "A2"), document("b", (2, 4), ""), document("c", (5,), "C")]


def broken(events: list[Event], documents: list[Document]) -> set[str]:
    return {violation.promise for violation in check(events, documents)}


def test_a_correct_history_has_no_breaches() -> None:
    assert check(*good()) == []


Damage = Callable[[list[Event], list[Document]], None]


def change(events: list[Event], is_it: Callable[[Event], bool], **fields: Any) -> None:
    place = next(number for number, each in enumerate(events) if is_it(each))
    events[place] = msgspec.structs.replace(events[place], **fields)


def lose_the_acknowledged(events: list[Event], documents: list[Document]) -> None:
    del documents[2]


def give_it_another_sequence(events: list[Event], documents: list[Document]) -> None:
    documents[2] = document("c", (6,), "C")


def lose_the_edit(events: list[Event], documents: list[Document]) -> None:
    documents[0] = document("a", (1, 3), "A")


def lose_the_deletion(events: list[Event], documents: list[Document]) -> None:
    documents[1] = document("b", (2, 4), "B")


def double_a_document(events: list[Event], documents: list[Document]) -> None:
    documents.append(msgspec.structs.replace(documents[2], id="d", sequence=6, revision=6, revisions=(6,)))


def double_what_was_said(events: list[Event], documents: list[Document]) -> None:
    events += [event(7, ANN, "post", "tried", client_id="draft-d", hash="C")]
    documents.append(document("d", (6,), "C"))


def invent(events: list[Event], documents: list[Document]) -> None:
    documents.append(document("d", (6,), "D"))


def store_the_refused(events: list[Event], documents: list[Document]) -> None:
    events.append(event(7, ANN, "post", "tried", client_id="draft-d", hash="D"))
    events.append(event(7, ANN, "post", "failed", client_id="draft-d", reason="empty"))
    documents.append(document("d", (6,), "D"))


def drop_a_line(events: list[Event], documents: list[Document]) -> None:
    events.remove(next(each for each in events if each.who == BEN and each.id == "c"))


def swap_two_lines(events: list[Event], documents: list[Document]) -> None:
    lines = [number for number, each in enumerate(events) if each.who == BEN and each.kind == "see"]
    first, second = lines[1], lines[2]
    events[first], events[second] = (
        msgspec.structs.replace(events[second], time=events[first].time),
        msgspec.structs.replace(events[first], time=events[second].time),
    )


def show_it_twice(events: list[Event], documents: list[Document]) -> None:
    events += sees(6.5, BEN, "c", 5, "C")


def go_past_what_was_still_to_come(events: list[Event], documents: list[Document]) -> None:
    """Ben is given cursor 3 without the post of b (2), whose deletion was not even tried then."""
    events[:] = [each for each in events if not (each.who == BEN and 4.0 < each.time < 4.35)]
    events += sees(3.5, BEN, "a", 3, "A2", sequence=1)


def show_what_is_not_kept(events: list[Event], documents: list[Document]) -> None:
    events.append(event(6.4, ANN, "post", "tried", client_id="draft-d", hash="D"))
    events += sees(6.5, BEN, "d", 6, "D")


def show_two_texts(events: list[Event], documents: list[Document]) -> None:
    change(events, lambda each: each.who == BEN and each.kind == "see" and each.id == "c", hash="A2")


def show_the_deleted_again(events: list[Event], documents: list[Document]) -> None:
    documents[1] = document("b", (2, 4, 6), "")
    events += sees(6.5, BEN, "b", 6, "B", sequence=2)


def leave_a_hole(events: list[Event], documents: list[Document]) -> None:
    documents[2] = document("c", (6,), "C")
    events[:] = [
        msgspec.structs.replace(each, sequence=each.sequence and 6, revision=6) if each.revision == 5 else each
        for each in events
    ]


def stay_behind(events: list[Event], documents: list[Document]) -> None:
    for number, each in enumerate(events):
        if each.who == BEN and each.time > 2.5:
            events[number] = msgspec.structs.replace(each, time=each.time + 20)


def never_answer(events: list[Event], documents: list[Document]) -> None:
    events.append(event(7, ANN, "post", "tried", client_id="draft-d", hash="D"))
    events.append(event(8, ANN, "post", "unknown", client_id="draft-d", reason="lost"))


def refuse_a_good_cursor(events: list[Event], documents: list[Document]) -> None:
    events.append(event(7, BEN, "connect", "failed", reason="unknown_cursor"))


def deny_a_message(events: list[Event], documents: list[Document]) -> None:
    events.append(event(7, ANN, "edit", "tried", client_id="edit2", id="c", hash="C2"))
    events.append(event(7, ANN, "edit", "failed", client_id="edit2", id="c", reason="not_found"))


def turn_ones_words_round(events: list[Event], documents: list[Document]) -> None:
    change(events, lambda each: each.client_id == "draft-a" and each.outcome == "tried", time=1.99)
    change(events, lambda each: each.client_id == "draft-b" and each.outcome == "tried", time=0.5)
    change(events, lambda each: each.client_id == "draft-b" and each.outcome == "ok", time=0.6)


@pytest.mark.parametrize(
    ("damage", "promise"),
    [
        (lose_the_acknowledged, "I1 durable"),
        (give_it_another_sequence, "I1 durable"),
        (lose_the_edit, "I1 durable"),
        (lose_the_deletion, "I1 durable"),
        (double_a_document, "I2 exactly once"),
        (double_what_was_said, "I2 exactly once"),
        (invent, "I3 no invention"),
        (store_the_refused, "I3 no invention"),
        (drop_a_line, "I4 convergence"),
        (drop_a_line, "I5 no gap, no double"),
        (swap_two_lines, "I5 no gap, no double"),
        (show_it_twice, "I5 no gap, no double"),
        (go_past_what_was_still_to_come, "I5 no gap, no double"),
        (show_what_is_not_kept, "I6 no dirty read"),
        (show_two_texts, "I6 no dirty read"),
        (show_the_deleted_again, "I6 no dirty read"),
        (leave_a_hole, "dense revisions"),
        (stay_behind, "nobody behind"),
        (never_answer, "a clear outcome"),
        (refuse_a_good_cursor, "no wrong refusal"),
        (deny_a_message, "no wrong refusal"),
        (turn_ones_words_round, "own order"),
    ],
)
def test_a_broken_promise_is_noticed(damage: Damage, promise: str) -> None:
    events, documents = good()
    damage(events, documents)
    found = check(events, documents)
    assert promise in {violation.promise for violation in found}
    assert all(violation.sentence and violation.history for violation in found)


@pytest.mark.parametrize("outcomes", [["unknown"], ["unknown", "unknown"], []])
def test_an_abandoned_post_may_be_stored_once_or_never(outcomes: list[str]) -> None:
    events, documents = good()
    for number, _ in enumerate(outcomes):
        events.append(event(7 + number, ANN, "post", "tried", client_id="draft-d", hash="D"))
        reason = "dropped" if number + 1 == len(outcomes) else "lost"
        events.append(event(7.5 + number, ANN, "post", "unknown", client_id="draft-d", reason=reason))
    assert check(events, documents) == []
    if outcomes:
        documents.append(document("d", (6,), "D"))
        events += sees(9, ANN, "d", 6, "D") + sees(9, BEN, "d", 6, "D")
        assert check(events, documents) == []


def test_a_message_that_changed_twice_may_arrive_once() -> None:
    events, documents = good()
    # Ben is away for all three: he gets a and b in their latest state only.
    events = [each for each in events if not (each.who == BEN and each.time < 3)]
    assert check(events, documents) == []


def test_the_first_breach_comes_first_with_the_lines_that_show_it() -> None:
    events, documents = good()
    del documents[2]
    documents[1] = document("b", (2, 4), "B")
    first = check(events, documents)[0]
    assert first.time < 5
    assert {getattr(line, "id", "") for line in first.history} == {"b"}
