"""Percentiles, spreads, ratios and the table: pure, and what the promises are judged by."""

import math
from pathlib import Path

import pytest

from bench.figures import Summary, percentile, ratios, slope
from bench.report import Report, Row, load, number, page, table


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = list(range(1, 101))
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7.0
    assert percentile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert math.isnan(percentile([], 0.5))


def test_a_summary_is_the_median_and_the_extent() -> None:
    assert Summary.of([3.0, 1.0, 2.0]) == Summary(2.0, 1.0, 3.0, 3)


def test_ratios_are_of_neighbouring_runs() -> None:
    assert ratios([10.0, 20.0], [5.0, 4.0]) == [2.0, 5.0]
    assert ratios([1.0], [0.0]) == [math.inf]


def test_the_slope_is_what_one_more_costs() -> None:
    assert slope([0, 10, 20], [100, 150, 200]) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("row", "is_kept"),
    [
        (Row("P1", "more", "x/s", [30.0], "peer", [1.0], at_least=30), True),
        (Row("P1", "more", "x/s", [29.0], "peer", [1.0], at_least=30), False),
        (Row("P3", "latency", "ms", [2.0], "peer", [2.0], at_most=1), True),
        (Row("P6", "memory", "kB", [26.0], at_most=25), False),
        (Row("P4", "rate", "x/s", [9.0, 11.0, 12.0], at_least=10), True),
        (Row("P9", "told only", "s", [1.0]), None),
    ],
)
def test_a_promise_is_on_the_ratio_or_else_on_the_value(row: Row, is_kept: bool | None) -> None:
    assert row.is_kept is is_kept


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234567.8, "1,234,568"), (123.4, "123"), (12.34, "12.3"), (0.1234, "0.123"), (math.nan, "none")],
)
def test_a_figure_has_the_digits_that_it_deserves(value: float, shown: str) -> None:
    assert number(value) == shown


def report(**changed: object) -> Report:
    fields = {
        "command": "make bench", "commit": "abc", "began_at": "2026-11-21T00:00:00Z", "is_quick": False,
        "asked": ["P1"], "machine": {"cores": "2"}, "finished": ["P1"],
        "rows": [Row("P1", "deliveries", "a second", [60.0, 90.0], "peer", [2.0, 2.0], at_least=40)],
    }  # fmt: skip
    return Report(**(fields | changed))  # type: ignore[arg-type]


def test_the_table_shows_what_was_promised_and_what_came() -> None:
    line = table(report().rows).splitlines()[-1]
    assert "**75** (60 to 90) a second" in line
    assert "37.5 ×" in line
    assert "≥ 40 ×" in line
    assert "**not kept**" in line


def test_the_page_lists_promises_that_were_not_kept() -> None:
    assert "Promises that were not kept" in page(report(), [])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"finished": []}, "Incomplete:** P1"),
        ({"is_quick": True}, "Quick run"),
        ({"failures": {"P1": "no server"}}, "P1 failed:** no server"),
    ],
)
def test_an_incomplete_run_is_reported(changed: dict[str, object], said: str) -> None:
    assert said in page(report(**changed), [])
    assert said not in page(report(), [])


def test_a_saved_run_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.report.RESULTS", tmp_path)
    saved = report()
    assert load(saved.save()) == saved
