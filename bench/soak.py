"""O08, the soak: an hour of ordinary load, in which nothing may grow. `python -m bench.soak --minutes 60`

200 clients, 50 messages a second, one process. Each minute prints one line with the server's memory, threads and files.
The last line has the growth of memory after the warm-up, the lost messages, and the gaps in the log.
"""

from bench import prepare

if __name__ == "__main__":
    prepare.enter("bench.soak")

import argparse
import itertools
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil
from pymongo import MongoClient

from bench import machine, servers
from bench.crowd import Crowd
from bench.room import Room
from bench.subjects import Running, Stage

CLIENTS = 200
PER_SECOND = 50
WARM_UP_MINUTES = 20
MOST_MEGABYTES_AN_HOUR = 1.0


@dataclass
class Sample:
    """The state of the server at the end of a minute."""

    minute: int
    megabytes: float
    threads: int
    files: int
    p50: float
    p99: float
    lost: int


def main() -> int:
    """Post, sample, and judge; return 1 if something grew or was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    minutes: int = parser.parse_args().minutes
    stage = Stage.set(machine.HERE / "run-files-soak")
    try:
        with Room().up(stage) as running, running.crowd() as crowd:
            crowd.connect(CLIENTS)
            samples = [_minute(running, crowd, minute) for minute in range(1, minutes + 1)]
            missing = _holes(running)
    finally:
        servers.stop_all()
    return _judge(samples, missing)


def _minute(running: Running, crowd: Crowd, minute: int) -> Sample:
    began = time.monotonic()
    done = crowd.pace(PER_SECOND, 59)
    late = statistics.quantiles(done.latencies, n=100)
    process = psutil.Process(running.server.pid)
    family = [process, *process.children(recursive=True)]
    sample = Sample(
        minute=minute,
        megabytes=running.server.memory() / 1e6,
        threads=sum(one.num_threads() for one in family),
        files=sum(one.num_fds() for one in family),
        p50=late[49] * 1000,
        p99=late[98] * 1000,
        lost=done.lost,
    )
    print(
        f"{minute:4} min  {sample.megabytes:7.2f} MB  {sample.threads} threads  {sample.files} files  "
        f"p50 {sample.p50:.1f} ms  p99 {sample.p99:.1f} ms  lost {sample.lost}",
        flush=True,
    )
    time.sleep(max(0.0, began + 60 - time.monotonic()))
    return sample


def _holes(running: Running) -> int:
    """Return the number of missing or duplicate revisions in the lobby."""
    with MongoClient[dict[str, Any]](running.mongo_uri) as client:
        rows = client.get_default_database().messages.find({}, {"_id": 0, "revision": 1}).sort("revision", 1)
        expected = itertools.count(1)
        return sum(row["revision"] != number for row, number in zip(rows, expected, strict=False))


def _judge(samples: list[Sample], holes: int) -> int:
    after = [sample for sample in samples if sample.minute > min(WARM_UP_MINUTES, len(samples) // 2)]
    hours = [sample.minute / 60 for sample in after]
    slope = statistics.linear_regression(hours, [sample.megabytes for sample in after]).slope if len(after) > 1 else 0.0
    lost = sum(sample.lost for sample in samples)
    posted = len(samples) * PER_SECOND * 59
    print(
        f"\n{len(samples)} minutes, {posted:,} messages to {CLIENTS} clients each: memory {slope:+.2f} MB an hour "
        f"after the warm-up, threads {_range(after, 'threads')}, files {_range(after, 'files')}, "
        f"p99 {max(sample.p99 for sample in samples):.0f} ms in the worst minute, {lost} lost, "
        f"{holes} gaps in the log"
    )
    is_flat = len({sample.threads for sample in after}) <= 2 and slope < MOST_MEGABYTES_AN_HOUR
    print("verdict: good" if is_flat and not lost and not holes else "verdict: BAD")
    return 0 if is_flat and not lost and not holes else 1


def _range(samples: list[Sample], name: str) -> str:
    values = [getattr(sample, name) for sample in samples]
    return f"{min(values)} to {max(values)}"


if __name__ == "__main__":
    sys.exit(main())
