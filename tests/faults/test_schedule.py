"""The plan of a run: the same for the same seed, every kind before one comes again."""

import re
from itertools import islice
from pathlib import Path

import pytest

from tests.faults.faults import FAULTS
from tests.faults.schedule import BRIEF, KINDS, SHORT, Lane, plan, short_plan


@pytest.mark.parametrize("lane", KINDS)
def test_a_seed_repeats_its_plan(lane: Lane) -> None:
    assert list(islice(plan(7, lane), 50)) == list(islice(plan(7, lane), 50))
    assert list(islice(plan(7, lane), 50)) != list(islice(plan(8, lane), 50))
    assert list(short_plan(7, lane)) == list(short_plan(7, lane))


@pytest.mark.parametrize("lane", KINDS)
def test_every_kind_of_fault_occurs_before_one_repeats(lane: Lane) -> None:
    count = len(KINDS[lane])
    kinds = [planned.kind for planned in islice(plan(3, lane), 2 * count)]
    assert set(kinds[:count]) == set(kinds[count:]) == set(KINDS[lane])


def test_excluded_faults_do_not_occur() -> None:
    assert not list(plan(1, "database", only=frozenset({"drip"})))
    kinds = {planned.kind for planned in islice(plan(1, "app", leave_out=frozenset({"drip"})), 60)}
    assert kinds == set(KINDS["app"]) - {"drip"}


def test_every_kind_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(
        re.findall(r"^\| `([a-z' ]+)` \|", page, re.MULTILINE)
    )


def test_every_planned_kind_can_be_done() -> None:
    planned = {kind for kinds in KINDS.values() for kind in kinds}
    assert planned <= set(FAULTS)
    assert {kind for form in (SHORT, BRIEF) for kinds in form.values() for kind, _ in kinds} <= planned
