"""Reduce what was measured to what is shown: percentiles, medians, spreads, ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed; nan for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 10_000) * len(ordered) // 10_000) - 1)]


@dataclass(frozen=True)
class Summary:
    """The median of repeated runs, and how far they lay apart."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        """Summarize at least one run."""
        return cls(median(values), min(values), max(values), len(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Divide run by run: each pair was measured one after the other, under the same conditions."""
    return [a / b if b else float("inf") for a, b in zip(ours, theirs, strict=False)]


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the least-squares slope: what one more x costs."""
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
