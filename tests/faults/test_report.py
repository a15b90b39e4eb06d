"""I8: how long writes took beside frozen clients, and beside nothing else."""

from collections.abc import Iterator

from tests.faults.history import HARNESS, Event
from tests.faults.report import BESIDE_SECONDS, ENOUGH, _beside_frozen


def fault(time: float, lane: str, kind: str, outcome: str) -> Event:
    return Event(time=time, who=HARNESS, kind="fault", id=lane, reason=kind, outcome=outcome)


def writes(begin: float, seconds: float, count: int = ENOUGH) -> Iterator[Event]:
    """So many writes that were tried at one moment, and stored so much later."""
    names = [f"{begin}-{n}" for n in range(count)]
    for time, outcome in ((begin, "tried"), (begin + seconds, "ok")):
        for name in names:
            yield Event(time=time, who="alice", kind="post", client_id=name, outcome=outcome)


def test_writes_that_wait_for_frozen_clients_are_noticed() -> None:
    events = [fault(0, "app", "freeze clients", "tried"), *writes(1, 2), fault(5, "app", "freeze clients", "ok")]
    found = _beside_frozen(events)
    assert found is not None
    assert found > BESIDE_SECONDS


def test_delays_during_an_election_are_not_counted() -> None:
    events = [
        fault(0, "database", "freeze the primary", "tried"),
        fault(1, "app", "freeze clients", "tried"),
        *writes(2, 4.0),
        fault(6, "database", "freeze the primary", "ok"),
        *writes(7, 3.0),
        *writes(11, 0.1),
    ]
    assert _beside_frozen(events) == 0.1


def test_once_it_has_stored_something_everything_counts_again() -> None:
    events = [
        fault(0, "app", "freeze clients", "tried"),
        fault(1, "database", "step down", "tried"),
        fault(2, "database", "step down", "ok"),
        *writes(3, 3.0, 1),
        *writes(7, 2.0),
    ]
    assert _beside_frozen(events) == 2.0


def test_too_few_are_no_figure() -> None:
    assert _beside_frozen([fault(0, "app", "freeze clients", "tried"), *writes(1, 2, ENOUGH - 1)]) is None
