"""Statistics over measured values: percentiles, medians, ranges, ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed; nan without values."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 10_000) * len(ordered) // 10_000) - 1)]


@dataclass(frozen=True)
class Summary:
    """The median and the range of repeated runs."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Summarize at least one run."""
        return cls(median(values), min(values), max(values), len(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide run by run: the two runs of a pair followed each other, under the same conditions."""
    return [a / b if b else float("inf") for a, b in zip(ours, theirs, strict=False)]


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the least-squares slope: the cost of one more x."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
