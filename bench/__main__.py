"""Measure this server and alternatives to it, and write docs/benchmarks.md.

Everything runs on this machine's loopback. The first run installs the packages of the peers: Python packages into
bench/.venv, Node packages into bench/peers/node. Some peers need redis-server, prosody, nodejs and npm from Debian.
"""

from bench import prepare

if __name__ == "__main__":
    prepare.enter()

import argparse
import os
import shutil
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from bench import machine, report, servers
from bench.crowd import CrowdFailed
from bench.measures import MEASURES, Bench, Scale
from bench.pages import PageFailed
from bench.subjects import Stage

FOLDER = machine.HERE / "run-files"


def main() -> int:
    """Run the requested measures."""
    names = "\n".join(f"  {name:8} {(measure.__doc__ or '').splitlines()[0]}" for name, measure in MEASURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"measures:\n{names}\n\nQUICK=1 in the environment is --quick.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help="the measures to run (default: all but search)")
    parser.add_argument("--quick", action="store_true", help="one short repetition, smaller sizes, under 3 minutes")
    parser.add_argument(
        "--publish", action="store_true", help="write docs/benchmarks.md even for a partial or a quick run"
    )
    parser.add_argument(
        "--redraw", type=Path, metavar="JSON", help="measure nothing; write the page of a saved run again"
    )
    asked = parser.parse_args()
    if asked.redraw:
        report.load(asked.redraw).publish()
        return 0
    if unknown := [name for name in asked.measures if name not in MEASURES]:
        parser.error(f"no such measure: {', '.join(unknown)}")
    quick = asked.quick or os.environ.get("QUICK", "0") not in ("", "0")
    whole = not asked.measures and not quick
    left_out = {"search"} | ({"feeds", "rates", "sockets"} if quick else set())
    chosen = asked.measures or [name for name in MEASURES if name not in left_out]
    return _run(chosen, quick=quick, publish=whole or asked.publish)


def _run(chosen: list[str], *, quick: bool, publish: bool) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    os.sched_setaffinity(0, machine.LOAD_CORE)
    begin, busy, own = time.monotonic(), machine.busy_seconds(), machine.own_seconds()
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    command = " ".join(["python -m bench", *sys.argv[1:]]) if sys.argv[1:] else f"make bench{' QUICK=1' * quick}"
    result = report.Report(command, machine.commit(), now, quick, chosen, machine.describe())

    def say(line: str) -> None:
        print(f"{time.monotonic() - begin:6.0f} s  {line}", flush=True)

    if len(machine.CORES) < 2:
        say("WARNING: only one core: the server and the load generator disturb each other")
    say(f"starting mongod and redis{' for a quick run: small sizes, one repetition' * quick}")
    bench = Bench(Stage.set(FOLDER), Scale.quick() if quick else Scale(), say)
    result.series = bench.series
    try:
        for name in chosen:
            say(f"{name}: {(MEASURES[name].__doc__ or '').splitlines()[0]}")
            try:
                for row in MEASURES[name](bench):
                    result.rows.append(row)
                result.finished.append(name)
            except (CrowdFailed, PageFailed, servers.ServerFailed, OSError, RuntimeError) as error:
                result.failures[name] = str(error).strip().replace("\n", " ")[:500]
                say(f"  FAILED: {error}")
            result.took_seconds = time.monotonic() - begin
            result.save()
    except KeyboardInterrupt:
        say("interrupted")
        result.failures["the run"] = "interrupted"
    finally:
        servers.stop_all()
        shutil.rmtree(FOLDER / "mongod", ignore_errors=True)
    result.took_seconds = time.monotonic() - begin
    others = machine.busy_seconds() - busy - (machine.own_seconds() - own)
    result.others_share = max(0.0, others / result.took_seconds / len(machine.CORES))
    print(f"\n{report.table(result.rows)}\n")
    for warning in report.warnings(result):
        print(warning)
    if publish:
        result.publish()
        print(f"written: {report.PAGE.relative_to(machine.ROOT)}")
    else:
        print(f"saved: {result.save().relative_to(machine.ROOT)}; a full run or --publish writes docs/benchmarks.md")
    return 1 if result.missing else 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
