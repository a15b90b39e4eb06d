"""Write down what was measured: the table and the plots of docs/benchmarks.md, and everything as JSON.

A run that did not do all it was asked to says so at the top.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.figures import Summary, ratios
from bench.machine import ROOT

RESULTS = Path(__file__).resolve().parent / "results"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "benchmarks.md"
QUIET_SHARE = 0.05
_PLOTS = {
    "sockets": ("Deliveries/s against sockets, 8 messages in flight", "sockets", "deliveries/s"),
    "rates": ("Median latency against rate, 200 sockets", "messages/s into the room", "ms"),
    "memory": ("Memory of the server against sockets", "sockets", "MB"),
}


@dataclass
class Row:
    """One line of the table: this room's runs, those of what it is held against, and what was promised.

    The promise (`at_least`, `at_most`) is on the ratio where there is something to compare with, else on the value.
    """

    measure: str
    what: str
    unit: str
    ours: list[float]
    peer: str = ""
    theirs: list[float] = field(default_factory=list)
    at_least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> Summary | None:
        """Ours by theirs, run by run."""
        return Summary.of(ratios(self.ours, self.theirs)) if self.theirs else None

    @property
    def is_kept(self) -> bool | None:
        """Whether the median keeps the promise; None where nothing was promised."""
        value = (self.ratio or Summary.of(self.ours)).median
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


@dataclass
class Report:
    """A run of the bench, as far as it has come."""

    command: str
    commit: str
    began_at: str
    is_quick: bool
    asked: list[str]
    machine: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    series: Mapping[str, Mapping[str, Mapping[str, list[float]]]] = field(default_factory=dict)
    took_seconds: float = 0.0
    others_share: float = 0.0  # of the machine's CPU, that programs other than the bench's took meanwhile

    @property
    def missing(self) -> list[str]:
        """What was asked for and is not there."""
        return [name for name in self.asked if name not in self.finished]

    def save(self) -> Path:
        """Write everything as JSON; the newest whole run is `published.json`."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.began_at.replace(':', '')}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        return path

    def publish(self) -> None:
        """Write the page and its plots."""
        self.save().replace(RESULTS / "published.json")
        drawn = draw(self.series, IMAGES)
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(self, drawn))


def load(path: Path) -> Report:
    """Read a saved run."""
    saved = json.loads(path.read_text())
    saved["rows"] = [Row(**row) for row in saved["rows"]]
    return Report(**saved)


def number(value: float) -> str:
    """Write a figure with the digits that it deserves."""
    if value != value:
        return "none"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def spread(values: Sequence[float]) -> str:
    """Write the median, and the runs' extent where there are several."""
    summary = Summary.of(values)
    if summary.runs == 1:
        return number(summary.median)
    return f"**{number(summary.median)}** ({number(summary.low)} to {number(summary.high)})"


def table(rows: Sequence[Row]) -> str:
    """Write rows as a Markdown table."""
    lines = ["| | measure | this room | against | there | ratio | promised | |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        ratio = row.ratio
        kept = {True: "kept", False: "**not kept**", None: ""}[row.is_kept]
        cells = [
            row.measure,
            row.what,
            f"{spread(row.ours)} {row.unit}",
            row.peer,
            spread(row.theirs) if row.theirs else "",
            f"{number(ratio.median)} \N{MULTIPLICATION SIGN}" if ratio else "",
            _promise(row),
            kept,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def page(report: Report, drawn: Sequence[Path]) -> str:
    """Write the page of a run."""
    promised = [row for row in report.rows if row.measure.startswith("P")]
    everybody = [row for row in report.rows if row.measure == "all"]
    feed_rows = [row for row in report.rows if row.measure == "feeds"]
    load_rows = [row for row in report.rows if row.measure == "load"]
    lost = [row for row in promised if row.is_kept is False]
    parts = [
        "# Benchmarks",
        "<!-- Made by `make bench`; not to be edited by hand. -->",
        *warnings(report),
        f"Measured {report.began_at} at commit `{report.commit}` by `{report.command}`, "
        f"in {report.took_seconds / 60:.0f} minutes.",
        _HOW,
        "## What was promised\n\nMedians, and the extent of the runs in brackets; ratios are of neighbouring runs.\n\n"
        + table(promised),
    ]
    if lost:
        parts.append("**What this room loses:**\n\n" + "\n".join(f"- {row.measure}: {row.what}" for row in lost))
    if feed_rows:
        parts.append("## From one process to another\n\n" + table(feed_rows))
    if everybody:
        everybody.sort(key=lambda row: -Summary.of(row.ours).median)
        lines = [f"| {row.what} | {spread(row.ours)} |" for row in everybody]
        parts.append("## Everybody\n\n| | deliveries/s |\n|---|---|\n" + "\n".join(lines))
    parts += [f"![{_PLOTS[path.stem.removeprefix('bench-')][0]}](images/{path.name})" for path in drawn]
    if load_rows:
        lines = [f"| {row.what} | {spread(row.ours)} |" for row in load_rows]
        parts.append("## The load is not the bottleneck\n\n| | deliveries/s |\n|---|---|\n" + "\n".join(lines))
    machine = "\n".join(f"| {name} | {value} |" for name, value in report.machine.items())
    parts.append("## Machine and versions\n\n| | |\n|---|---|\n" + machine)
    return "\n\n".join(parts) + "\n"


def draw(series: Mapping[str, Mapping[str, Mapping[str, list[float]]]], folder: Path) -> list[Path]:
    """Draw the plots for which there are points; return their files."""
    if not any(name in _PLOTS for name in series):
        return []
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (title, across, up) in _PLOTS.items():
        if name not in series:
            continue
        figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
        for subject, points in series[name].items():
            xs = sorted((x for x in points if points[x]), key=float)
            middle = [Summary.of(points[x]) for x in xs]
            errors = [[s.median - s.low for s in middle], [s.high - s.median for s in middle]]
            wide = 2.5 if subject == "this room" else 1.2
            axes.errorbar(
                [float(x) for x in xs],
                [s.median for s in middle],
                errors,
                marker="o",
                markersize=4,
                capsize=3,
                lw=wide,
                label=subject,
            )
        axes.set(title=title, xlabel=across, ylabel=up, xscale="log", yscale="linear" if name == "memory" else "log")
        axes.grid(alpha=0.3, which="both")
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
        drawn.append(folder / f"bench-{name}.png")
        figure.savefig(drawn[-1], dpi=120)
        pyplot.close(figure)
    return drawn


def _promise(row: Row) -> str:
    sign = " \N{MULTIPLICATION SIGN}" if row.theirs else f" {row.unit}"
    if row.at_least is not None:
        return f"≥ {number(row.at_least)}{sign}"
    return f"≤ {number(row.at_most)}{sign}" if row.at_most is not None else ""


def warnings(report: Report) -> list[str]:
    """Say what a reader must know before the figures."""
    warnings = []
    if report.is_quick:
        warnings.append(
            "> **A quick run:** one repetition, short, some sizes smaller than promised. `make bench` is the real one."
        )
    if report.others_share > QUIET_SHARE:
        warnings.append(
            f"> **A busy machine:** other programs took {report.others_share:.0%} of its CPU meanwhile; "
            "figures are lower, and latencies higher, than they would be alone."
        )
    if report.missing:
        warnings.append(f"> **Incomplete:** {', '.join(report.missing)} did not finish.")
    warnings += [f"> **{name} failed:** {why}" for name, why in report.failures.items()]
    return warnings


_HOW = """\
A *delivery* is one message reaching one socket. Every server has a core of its own; the load, mongod and redis share
the other one, for everybody alike (P10 alone lets two server processes have both). All but those marked *no store*
store each message with majority and journal before anybody is sent it, in the same mongod (a replica set of one);
Prosody alone keeps its own archive, which it does not sync. The peers are set up for production as their own
documentation says (`bench/peers/`).
Runs alternate between subjects, each on a freshly started server and an empty database. In every saturated run the
streams of two sockets are decoded afterwards: a message lost, doubled or out of order would stand in the table. Texts
are 52 characters long, other words in each. This room compresses its longer frames, as browsers ask it to; none of
the others does so by itself but uvicorn's, which is quicker without, and is not asked. *In flight* are messages
posted that the average socket has not received yet. This room's frames carry as many messages as have come together
meanwhile, the others' one each. Latency counts from the moment a message was due, on every socket. The points of the
plots, but those at 200 sockets, are single, shorter runs."""
