"""Run .ci/run several times, each time from a fresh clone of HEAD, and print the result of each run.

`--quiet 3 --busy 3` makes three runs without other load, and three while two processes keep two cores busy. The exit
code is 1 if a run failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUSY_PROCESSES = 2
SHOWN_OF_A_FAILURE = 60


def main() -> int:
    """Do the runs one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", type=int, default=3, help="runs with the machine to itself")
    parser.add_argument("--busy", type=int, default=3, help=f"runs beside {BUSY_PROCESSES} busy processes")
    asked = parser.parse_args()
    runs = [0] * asked.quiet + [BUSY_PROCESSES] * asked.busy
    return max([_run(number, busy) for number, busy in enumerate(runs, 1)], default=0)


def _run(number: int, busy: int) -> int:
    with tempfile.TemporaryDirectory() as folder, _busy(busy):
        clone, log = Path(folder) / "clone", Path(folder) / "log"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        began = time.monotonic()
        with log.open("wb") as output:
            environment = os.environ | {"CI": "true"}
            ended = subprocess.run(
                ["bash", ".ci/run"],
                cwd=clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        lines = log.read_text(errors="replace").splitlines()
        result = "green" if ended.returncode == 0 else f"red ({ended.returncode})"
        _say(f"run {number}, {busy} busy processes: {result} after {minutes}:{seconds:02}")
        for line in [line for line in lines if line.startswith("FLAKY ") or " passed" in line]:
            _say(f"  {line}")
        if ended.returncode:
            _say("\n".join(lines[-SHOWN_OF_A_FAILURE:]))
        return int(ended.returncode != 0)


@contextmanager
def _busy(count: int) -> Iterator[None]:
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
