"""Sum a run up: what was done, what was done to it, what people noticed, and the verdict."""

import statistics
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from tests.faults.checker import Violation
from tests.faults.history import Document, Event
from tests.faults.probe import Look, Probe

LIVEZ_SECONDS = 1.0
PAGE_SECONDS = 10.0
GAP_SECONDS = 1.0
STOP_SECONDS = 11.0
BESIDE_SECONDS = 0.5
ENOUGH = 50
MOST_THREADS = 80
MOST_MORE_MEGABYTES = 80.0
MOST_MORE_FILES = 60


class Summary(msgspec.Struct, kw_only=True):
    """The figures of a run; everything ending in `seconds` is in seconds."""

    seed: int
    seconds: float
    clients: int
    tries: dict[str, int]
    acknowledged: int
    refused: int
    unknown: int
    dropped: int
    messages: int
    revisions: int
    sights: int
    connections: int
    faults: dict[str, int]
    left_out: dict[str, str]
    unavailable_seconds: float
    longest_unavailable_seconds: float
    answer_seconds: dict[str, float]
    beside_frozen_p95_seconds: float | None
    """How long others' writes took while some clients were frozen and nothing else was wrong."""
    behind_seconds: float
    handshakes_refused: int
    slowest_refusal_seconds: float
    pages: int
    pages_503: int
    slowest_page_seconds: float
    slowest_503_seconds: float
    slowest_livez_seconds: float
    slowest_stop_seconds: float
    looks_forgiven: int
    resources: dict[str, dict[str, list[float]]]
    complaints: list[str]
    """What is no breach of a promise about messages, and still not as it must be."""
    promises_broken: dict[str, int]
    verdict: str

    @property
    def is_good(self) -> bool:
        """Whether nothing was broken."""
        return self.verdict == "good"


def summarize(
    seed: int,
    events: Sequence[Event],
    documents: Sequence[Document],
    violations: Sequence[Violation],
    probe: Probe,
    *,
    left_out: dict[str, str],
    handshakes: Sequence[tuple[float, int]],
    stops: Sequence[tuple[int | None, float]],
) -> Summary:
    """Count everything."""
    tries = [event for event in events if event.outcome == "tried" and event.kind != "fault"]
    gaps = _gaps(events)
    pages = [look for look in probe.looks if look.path != "/livez"]
    refused = [seconds for seconds, status in handshakes if status not in {0, 101}]
    unavailable = [look for look in pages if look.status == 503]
    resources = _resources(probe)
    complaints = [*_complaints(probe.looks), *_growth(resources)]
    complaints += [f"SIGTERM: exit {code} after {took} s" for code, took in stops if code != 0 or took > STOP_SECONDS]
    beside = _beside_frozen(events)
    if beside is not None and beside > BESIDE_SECONDS:
        complaints.append(f"while some clients were frozen, others waited for {beside} s (p95)")
    return Summary(
        seed=seed,
        seconds=round(max((event.time for event in events), default=0), 1),
        clients=len({event.who for event in events if event.kind == "cursor" and not event.who.startswith("fresh")}),
        tries=dict(Counter(event.kind for event in tries)),
        acknowledged=sum(event.outcome == "ok" and bool(event.client_id) for event in events),
        refused=sum(event.outcome == "failed" and bool(event.client_id) for event in events),
        unknown=sum(event.outcome == "unknown" for event in events),
        dropped=sum(event.reason == "dropped" for event in events),
        messages=len(documents),
        revisions=max((document.revision for document in documents), default=0),
        sights=sum(event.kind == "see" for event in events),
        connections=sum(event.kind == "connect" and event.outcome == "ok" for event in events),
        faults=dict(Counter(event.reason for event in events if event.kind == "fault" and event.outcome == "tried")),
        left_out=left_out,
        unavailable_seconds=round(sum(gaps), 1),
        longest_unavailable_seconds=round(max(gaps, default=0.0), 1),
        answer_seconds=_answers(events),
        beside_frozen_p95_seconds=beside,
        behind_seconds=_behind(events),
        handshakes_refused=len(refused),
        slowest_refusal_seconds=round(max(refused, default=0.0), 1),
        pages=len(pages),
        pages_503=len(unavailable),
        slowest_page_seconds=_slowest(pages),
        slowest_503_seconds=_slowest(unavailable),
        slowest_livez_seconds=_slowest([look for look in probe.looks if look.path == "/livez"]),
        slowest_stop_seconds=max((took for _, took in stops), default=0.0),
        looks_forgiven=probe.forgiven,
        resources=resources,
        complaints=complaints,
        promises_broken=dict(Counter(violation.promise for violation in violations)),
        verdict="broken" if violations else "complaints" if complaints else "good",
    )


def write(summary: Summary, violations: Sequence[Violation], folder: Path) -> Path:
    """Write the summary, and what was broken, as JSON."""
    path = folder / "summary.json"
    told = {"summary": summary, "violations": violations[:20]}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))
    return path


def tell(summary: Summary, violations: Sequence[Violation]) -> str:
    """The summary in words."""
    faults = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.faults.items()))
    lines = [
        f"seed            {summary.seed}",
        f"time            {summary.seconds:.0f} s, {summary.clients} clients, {summary.connections} connections",
        f"operations      {sum(summary.tries.values())} tries ({_counts(summary.tries)}): {summary.acknowledged} "
        f"acknowledged, {summary.refused} refused, {summary.unknown} unknown, {summary.dropped} given up",
        f"stored          {summary.messages} messages, {summary.revisions} revisions, shown {summary.sights} times",
        f"faults          {sum(summary.faults.values())}: {faults}",
        *(f"left out        {kind}: {why}" for kind, why in summary.left_out.items()),
        f"unavailable     {summary.unavailable_seconds} s in all, {summary.longest_unavailable_seconds} s at most",
        f"answers         {_counts(summary.answer_seconds)} (seconds from the first try to the answer)",
        f"isolation       {summary.beside_frozen_p95_seconds} s (p95) for writes while some clients were frozen",
        f"behind          {summary.behind_seconds} s after the faults ended, at most",
        f"pages           {summary.pages}, {summary.pages_503} of them 503 (slowest {summary.slowest_503_seconds} s), "
        f"slowest {summary.slowest_page_seconds} s; /livez {summary.slowest_livez_seconds} s; "
        f"{summary.looks_forgiven} looks not counted",
        f"stops           {summary.slowest_stop_seconds} s at most from SIGTERM to the end",
        f"handshakes      {summary.handshakes_refused} refused, after {summary.slowest_refusal_seconds} s at most",
    ]
    for name, held in summary.resources.items():
        kinds = ", ".join(
            f"{kind} {values[0]:.0f} -> {values[1]:.0f} (most {values[2]:.0f})" for kind, values in held.items()
        )
        lines.append(f"{name:<15} {kinds}")
    lines += [f"complaint       {complaint}" for complaint in summary.complaints]
    if violations:
        first = violations[0]
        lines += [
            f"broken          {_counts(summary.promises_broken)}",
            f"first           {first.promise}, at {first.time:.2f} s: {first.sentence}",
            *(f"  {_line(line)}" for line in first.history),
        ]
    lines.append(f"verdict         {summary.verdict}")
    return "\n".join(lines)


def _line(line: Event | Document) -> str:
    return msgspec.json.encode(line).decode()


def _counts(values: dict[str, int] | dict[str, float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _gaps(events: Sequence[Event]) -> list[float]:
    """How long nothing was acknowledged to anybody, where that was more than a moment."""
    moments = sorted(event.time for event in events if event.outcome == "ok" and event.client_id)
    healed = max((event.time for event in events if event.kind == "healed"), default=float("inf"))
    return [after - before for before, after in pairwise(moments) if after - before > GAP_SECONDS and before <= healed]


def _answers(events: Sequence[Event]) -> dict[str, float]:
    """From the first try of something to the word that it is stored."""
    began: dict[tuple[str, str], float] = {}
    took: list[float] = []
    for event in events:
        key = (event.who, event.client_id)
        if event.kind == "fault":
            continue
        if event.outcome == "tried":
            began.setdefault(key, event.time)
        elif event.outcome == "ok" and key in began:
            took.append(event.time - began[key])
    if len(took) < 2:
        return {}
    hundredths = statistics.quantiles(took, n=100)
    late = sum(seconds > 5 for seconds in took)
    return {
        "p50": round(hundredths[49], 3),
        "p99": round(hundredths[98], 2),
        "most": round(max(took), 1),
        "over 5 s": late,
    }


def _beside_frozen(events: Sequence[Event]) -> float | None:
    """The 95th percentile of the answers to what was tried while clients were frozen, and no other fault was on.

    A fault of the database is over when something that was tried after it was stored: until then a primary is elected.
    """
    on: dict[str, str] = {}
    began: dict[tuple[str, str], float] = {}
    tried_since: set[tuple[str, str]] = set()
    is_recovering = False
    took: list[float] = []
    for event in events:
        key = (event.who, event.client_id)
        if event.kind == "fault":
            on[event.id] = event.reason if event.outcome == "tried" else ""
            began.clear()
            if event.id == "database":
                is_recovering = True
                tried_since.clear()
        elif event.outcome == "tried" and event.client_id:
            if is_recovering:
                tried_since.add(key)
            elif on.get("app") == "freeze clients" and not on.get("database"):
                began.setdefault(key, event.time)
        elif event.outcome == "ok":
            if key in began:
                took.append(event.time - began[key])
            elif key in tried_since and not on.get("database"):
                is_recovering = False
    return round(statistics.quantiles(took, n=20)[18], 3) if len(took) >= ENOUGH else None


def _behind(events: Sequence[Event]) -> float:
    """How long after the faults the last client had everything that was acknowledged by then."""
    healed = max((event.time for event in events if event.kind == "healed"), default=None)
    if healed is None:
        return 0.0
    ok = [event.revision for event in events if event.outcome == "ok" and event.client_id and event.time <= healed]
    wanted = max(ok, default=0)
    reached: dict[str, float] = {}
    for event in events:
        if event.kind == "cursor" and event.revision >= wanted and not event.who.startswith("fresh"):
            reached.setdefault(event.who, event.time)
    return round(max((moment - healed for moment in reached.values()), default=0.0), 1)


def _slowest(looks: Sequence[Look]) -> float:
    return round(max((look.seconds for look in looks), default=0.0), 2)


def _complaints(looks: Sequence[Look]) -> list[str]:
    found = []
    for look in looks:
        where = f"{look.path} of app {look.app} at {look.at:.1f} s"
        within, statuses = (LIVEZ_SECONDS, {200}) if look.path == "/livez" else (PAGE_SECONDS, {200, 503})
        if look.seconds > within or look.status not in statuses:
            found.append(f"{where}: {look.status} after {look.seconds:.1f} s")
        elif look.status == 503 and not look.has_retry_after:
            found.append(f"{where}: 503 without Retry-After")
    return found


def _resources(probe: Probe) -> dict[str, dict[str, list[float]]]:
    """Of each process that lives to the end: at its start, at its end, and the most."""
    last = {name: pid for name, pid in probe.resources}  # noqa: C416  the keys are pairs
    told = {}
    for name, pid in last.items():
        held = probe.resources[name, pid]
        told[name] = {
            kind: [round(float(getattr(each, kind)), 1) for each in (held[0], held[-1])]
            + [round(max(float(getattr(each, kind)) for each in held), 1)]
            for kind in ("megabytes", "threads", "files")
        }
    return told


def _growth(resources: dict[str, dict[str, list[float]]]) -> list[str]:
    found = []
    for name, held in resources.items():
        if held["threads"][1] > MOST_THREADS:
            found.append(f"{name} ends with {held['threads'][1]:.0f} threads")
        if held["megabytes"][1] - held["megabytes"][0] > MOST_MORE_MEGABYTES:
            found.append(f"{name} grew by {held['megabytes'][1] - held['megabytes'][0]:.0f} MB")
        if held["files"][1] - held["files"][0] > MOST_MORE_FILES:
            found.append(f"{name} ends with {held['files'][1]:.0f} files, and began with {held['files'][0]:.0f}")
    return found
