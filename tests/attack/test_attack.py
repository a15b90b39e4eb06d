"""The attacks from outside in their short form, and holes put back, which they have to find.

`python -m tests.attack` makes them for longer, and `--url` those that can be made on a site that runs.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack import report
from tests.attack.attack import ATTACKS, Attack
from tests.attack.run import Grounds

pytestmark = pytest.mark.integration

HOLES = {
    "guessable_slugs": "direct-takeover",
    "endless_trailers": "trailers",
    "waiting_threads": "pictures",
    "patient_writers": "stalled-readers",
    "database_at_a_port": "database-impostor",
}
"""Which attack has to find the hole that a mutation puts back."""
BRIEFLY = {"guessable_slugs"}
TIMES = 2


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    with Grounds(tmp_path_factory.mktemp("attack")) as grounds:
        yield grounds


@pytest.mark.parametrize(
    "attack",
    [pytest.param(each, id=each.id, marks=[] if each.is_brief else [pytest.mark.long]) for each in ATTACKS.values()],
)
def test_the_room_survives_the_attack(grounds: Grounds, attack: Attack) -> None:
    result = grounds.do(attack)
    assert not result.is_bad, report.line(result)


def test_every_high_finding_has_its_control() -> None:
    high = {each.id for each in ATTACKS.values() if each.severity == "high"}
    assert high - {"portraits"} == set(HOLES.values())  # portraits are pictures by another door


@pytest.mark.parametrize(
    "hole", [pytest.param(hole, marks=[] if hole in BRIEFLY else [pytest.mark.long]) for hole in HOLES]
)
def test_a_hole_that_is_put_back_is_found(tmp_path: Path, hole: str) -> None:
    for time in range(TIMES):
        with Grounds(tmp_path / str(time), mutation=hole) as grounds:
            result = grounds.do(ATTACKS[HOLES[hole]])
        if result.verdict == "OPENED":
            return
    pytest.fail(report.line(result))


def test_its_output_has_counts_and_a_verdict() -> None:
    attack = ATTACKS["trailers"]
    lines = [
        report.line(report.Result(attack, 1.0, report.Outcome(5, [], "+1 MB"))),
        report.line(report.Result(attack, 1.0, report.Outcome(5, ["one", "two", "three", "four", "five"]))),
        report.line(report.Result(attack, 0.0, reason="it needs a server of its own")),
    ]
    assert "held" in lines[0]
    assert "5 tries" in lines[0]
    assert "+1 MB" in lines[0]
    assert lines[1].splitlines()[1:] == ["    one", "    two", "    three", "    2 more"]
    assert "not tried" in lines[2]
