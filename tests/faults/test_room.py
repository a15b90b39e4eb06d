"""The room under attack by real processes, in brief and in its short form, and runs that must fail.

F01, F02, F06, F07, F12, D01, D03, D04, D06; `python -m tests.faults` does the rest, and for longer.
"""

import asyncio
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.faults import checker, history, report
from tests.faults.controls import PROMISES, control
from tests.faults.history import HARNESS, Document, Event
from tests.faults.replica import ReplicaSet
from tests.faults.run import Options, Result, brief_form, run, short_form, stage

pytestmark = pytest.mark.integration

LEAST_ANSWERS = 60
BEHIND_SECONDS = 60.0
"""Beside other tests everybody is slow; `make faults` asks for less."""
TIMES = 3
"""So often a mutation may go unnoticed, less one: what brings it to light is a matter of milliseconds."""


class Ground:
    """A replica set and the event loop that its proxies live on, for one run after the other."""

    def __init__(self, runner: asyncio.Runner, replica: ReplicaSet, folder: Path) -> None:
        self._runner = runner
        self._replica = replica
        self._folder = folder
        self._runs = 0

    def run(self, options: Options) -> Result:
        self._runs += 1
        return self._runner.run(run(self._replica, self._folder / f"run{self._runs}", options))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("faults")
    with asyncio.Runner() as runner:
        standing = stage(folder / "replica")
        replica = runner.run(standing.__aenter__())
        try:
            yield Ground(runner, replica, folder)
        finally:
            runner.run(standing.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def attacked(ground: Ground) -> Result:
    return ground.run(patient(brief_form(secrets.randbelow(10**6))))


@pytest.fixture(scope="module")
def evidence(attacked: Result) -> tuple[list[Event], list[Document]]:
    return history.read_events(attacked.folder), history.read_documents(attacked.folder / "dump.jsonl")


def test_the_invariants_hold_under_attack(attacked: Result) -> None:
    check_promises(attacked, faults=4)


@pytest.mark.long
def test_the_invariants_hold_under_a_longer_attack(ground: Ground) -> None:
    check_promises(ground.run(patient(short_form(secrets.randbelow(10**6)))), faults=8)


def patient(options: Options) -> Options:
    return msgspec.structs.replace(options, least_answers=LEAST_ANSWERS, behind_seconds=BEHIND_SECONDS)


def check_promises(attacked: Result, faults: int) -> None:
    summary = attacked.summary
    assert not attacked.violations, report.tell(summary, attacked.violations)
    assert sum(summary.faults.values()) == faults
    assert summary.acknowledged >= LEAST_ANSWERS
    assert summary.unknown > 0


def judge(events: list[Event], documents: list[Document]) -> list[checker.Violation]:
    return checker.check(events, documents, behind_seconds=BEHIND_SECONDS)


def sights(events: list[Event]) -> list[int]:
    return [number for number, event in enumerate(events) if event.kind == "see"]


@pytest.mark.parametrize("seed", range(3))
def test_a_dropped_line_is_noticed(evidence: tuple[list[Event], list[Document]], seed: int) -> None:
    events, documents = evidence
    # What was changed later may rightly have been skipped: only the latest state must have come.
    latest = {document.id: document.revision for document in documents}
    rng = random.Random(seed)
    place = rng.choice([number for number in sights(events) if events[number].revision == latest[events[number].id]])
    assert judge(events[:place] + events[place + 1 :], documents)


@pytest.mark.parametrize("seed", range(3))
def test_a_doubled_document_is_noticed(evidence: tuple[list[Event], list[Document]], seed: int) -> None:
    events, documents = evidence
    newest = max(document.revision for document in documents) + 1
    double = msgspec.structs.replace(
        random.Random(seed).choice(documents), id="f" * 24, sequence=newest, revision=newest, revisions=(newest,)
    )
    promises = {violation.promise for violation in judge(events, [*documents, double])}
    assert "I2 exactly once" in promises


@pytest.mark.parametrize("seed", range(3))
def test_two_swapped_lines_are_noticed(evidence: tuple[list[Event], list[Document]], seed: int) -> None:
    events, documents = evidence
    rng = random.Random(seed)
    who = rng.choice([event.who for event in events if event.kind == "see" and event.who != HARNESS])
    places = [number for number in sights(events) if events[number].who == who]
    first = rng.randrange(len(places) - 1)
    one, other = places[first], places[first + 1]
    swapped = list(events)
    swapped[one] = msgspec.structs.replace(events[other], time=events[one].time)
    swapped[other] = msgspec.structs.replace(events[one], time=events[other].time)
    promises = {violation.promise for violation in judge(swapped, documents)}
    assert "I5 no gap, no double" in promises


BRIEFLY = {"renaming_client"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in BRIEFLY else [pytest.mark.long]) for name in PROMISES]
)
def test_a_broken_room_is_noticed(ground: Ground, name: str) -> None:
    for seed in range(TIMES):
        result = ground.run(control(name, seed))
        if PROMISES[name] in result.summary.promises_broken:
            return
    pytest.fail(f"{name} went unnoticed in {TIMES} runs: {report.tell(result.summary, result.violations)}")
