"""Write the results of a run: the tables and plots of docs/benchmarks.md, and everything as JSON.

The page of an incomplete run says so at its top.
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
    """One line of the table: the runs of this server, the runs of its peer, and the promise.

    The promise (`at_least`, `at_most`) is about the ratio if there is a peer, else about the value.
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
        """Divide our runs by theirs, one by one."""
        return Summary.of(ratios(self.ours, self.theirs)) if self.theirs else None

    @property
    def is_kept(self) -> bool | None:
        """Return whether the median keeps the promise; None without a promise."""
        value = (self.ratio or Summary.of(self.ours)).median
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


@dataclass
class Report:
    """The results of a run, so far."""

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
    others_share: float = 0.0  # of the machine's CPU, used by other programs during the run

    @property
    def missing(self) -> list[str]:
        """Return the requested measures that did not finish."""
        return [name for name in self.asked if name not in self.finished]

    def save(self) -> Path:
        """Write everything as JSON; `published.json` is the newest complete run."""
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
    """Format a figure with three significant digits, or with all its integer digits."""
    if value != value:
        return "none"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def spread(values: Sequence[float]) -> str:
    """Format the median, and the range of several runs."""
    summary = Summary.of(values)
    if summary.runs == 1:
        return number(summary.median)
    return f"**{number(summary.median)}** ({number(summary.low)} to {number(summary.high)})"


def table(rows: Sequence[Row]) -> str:
    """Format rows as a Markdown table."""
    lines = [
        "| id | measure | this server | compared with | its result | ratio | promise | |",
        "|---|---|---|---|---|---|---|---|",
    ]
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
    """Return the page of a run."""
    promised = [row for row in report.rows if row.measure.startswith("P")]
    everybody = [row for row in report.rows if row.measure == "all"]
    feed_rows = [row for row in report.rows if row.measure == "feeds"]
    load_rows = [row for row in report.rows if row.measure == "load"]
    lost = [row for row in promised if row.is_kept is False]
    parts = [
        "# Benchmarks",
        "<!-- `make bench` writes this page: do not edit it. -->",
        *warnings(report),
        f"Measured {report.began_at} at commit `{report.commit}` by `{report.command}`, "
        f"in {report.took_seconds / 60:.0f} minutes.",
        _HOW,
        "## Promises\n\nEach figure is the median of the runs, with the lowest and the highest run in brackets. "
        "Neighbouring runs are divided for the ratio, and the median of these quotients is shown.\n\n"
        + table(promised),
    ]
    if lost:
        parts.append("**Promises that were not kept:**\n\n" + "\n".join(f"- {row.measure}: {row.what}" for row in lost))
    if feed_rows:
        parts.append("## From one process to another\n\n" + table(feed_rows))
    if everybody:
        everybody.sort(key=lambda row: -Summary.of(row.ours).median)
        lines = [f"| {row.what} | {spread(row.ours)} |" for row in everybody]
        parts.append("## All servers\n\n| server | deliveries/s |\n|---|---|\n" + "\n".join(lines))
    parts += [f"![{_PLOTS[path.stem.removeprefix('bench-')][0]}](images/{path.name})" for path in drawn]
    if load_rows:
        lines = [f"| {row.what} | {spread(row.ours)} |" for row in load_rows]
        parts.append(_LOAD_ALONE + "\n".join(lines))
    machine = "\n".join(f"| {name} | {value} |" for name, value in report.machine.items())
    parts.append("## Machine and versions\n\n| item | value |\n|---|---|\n" + machine)
    return "\n\n".join(parts) + "\n"


def draw(series: Mapping[str, Mapping[str, Mapping[str, list[float]]]], folder: Path) -> list[Path]:
    """Draw the plots that have points; return their files."""
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
            wide = 2.5 if subject == "this server" else 1.2
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
    """Return the warnings that a reader needs before the figures."""
    warnings = []
    if report.is_quick:
        warnings.append(
            "> **Quick run:** one short repetition, some sizes smaller than promised. `make bench` does a full run."
        )
    if report.others_share > QUIET_SHARE:
        warnings.append(
            f"> **Busy machine:** other programs used {report.others_share:.0%} of the CPU during the run, "
            "so throughput is lower and latency higher than on a quiet machine."
        )
    if report.missing:
        warnings.append(f"> **Incomplete:** {', '.join(report.missing)} did not finish.")
    warnings += [f"> **{name} failed:** {why}" for name, why in report.failures.items()]
    return warnings


_LOAD_ALONE = """\
## The load generator is not the bottleneck

A firehose is a server that does nothing but send the same frame again and again. It shows how many messages the load
generator can receive.

| source | deliveries/s |
|---|---|
"""
_HOW = """\
A *delivery* is one message that reaches one socket. A message is *in flight* from its post until the average socket
has received it. Latency is measured on every socket. It begins at the moment at which the load generator should send
the message.

Each server runs on one core. The load generator, mongod and redis share the other core. Only in P10, two server
processes use both cores. Each server stores a message before it sends the message to the sockets. It waits until a
majority of the nodes has the message in the journal. All servers use the same mongod (a replica set of one node). There
are two exceptions: servers marked *no store* store nothing, and Prosody writes its own archive and does not wait until
this is on disk. The configuration of the other servers is the one that their own documentation recommends for
production (`bench/peers/`).

The runs of the servers alternate. Each run starts its server anew, with an empty database. After every run with a fixed
number of messages in flight, the data that two sockets received are decoded. If messages were lost, duplicated or out
of order, the table says so. Texts are 52 characters long; the words of each text are different. A frame of this server
carries all messages since the previous frame; a frame of the other servers carries one message. This server compresses
its longer frames, because browsers request that. Of the other servers, only uvicorn would compress frames by default;
here its compression is off, because uvicorn is faster without it. Each point in a plot is one shorter run, except the
points at 200 sockets."""
