"""`python -m tests.faults`: attack a running room with real processes, and check its history.

python -m tests.faults                       ten minutes
python -m tests.faults --minutes 30 --seed 7
python -m tests.faults --short               what `make test-long` runs
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults import report
from tests.faults.run import Options, Result, run, short_form, stage
from tests.faults.schedule import KINDS


def main() -> int:
    """Run; 0 when nothing was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long faults are made (10)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the plan; printed")
    parser.add_argument("--short", action="store_true", help="a few faults of each family, in half a minute")
    parser.add_argument("--keep", action="store_true", help="keep the logs, also when nothing was broken")
    parser.add_argument("--only", default="", help="only these kinds of faults, separated by commas")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="chatroom-faults-"))
    print(f"seed            {asked.seed}\nlogs            {folder}", flush=True)
    only = frozenset(kind.strip() for kind in asked.only.split(",") if kind.strip())
    if unknown := only - {kind for lane in KINDS.values() for kind in lane}:
        parser.error(f"there is no fault called {', '.join(unknown)}")
    options = Options(seed=asked.seed, seconds=asked.minutes * 60, only=only)
    if asked.short:
        options = short_form(asked.seed)
    result = asyncio.run(attack(folder, options))
    print(report.tell(result.summary, result.violations))
    if asked.keep or not result.summary.is_good:
        print(f"kept            {result.folder}")
    else:
        shutil.rmtree(folder)
    return 0 if result.summary.is_good else 1


async def attack(folder: Path, options: Options) -> Result:
    """A run with a replica set of its own."""
    async with stage(folder / "replica") as replica:
        return await run(replica, folder / "run", options)


if __name__ == "__main__":
    sys.exit(main())
