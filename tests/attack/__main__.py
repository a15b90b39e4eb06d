"""`python -m tests.attack`: attack a real server from outside, and say what held.

python -m tests.attack                               every attack, on servers of its own
python -m tests.attack --only trailers,direct-takeover
python -m tests.attack --short                       what `make test` runs
python -m tests.attack --url https://chat.example.org  what can be tried on a site that runs: yours
python -m tests.attack --list
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.attack import report
from tests.attack.attack import SEVERITIES
from tests.attack.run import ATTACKS, Grounds, run


def main() -> int:
    """Run; 0 when nothing was opened."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="", help="attack the site at this address, which has to be yours")
    parser.add_argument("--only", default="", help="only these attacks, or those of a severity, separated by commas")
    parser.add_argument("--short", action="store_true", help="fewer and shorter tries")
    parser.add_argument("--list", action="store_true", help="say which attacks there are")
    parser.add_argument("--mutation", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    only = {name.strip() for name in asked.only.split(",") if name.strip()}
    if unknown := only - ATTACKS.keys() - set(SEVERITIES):
        parser.error(f"there is no attack called {', '.join(sorted(unknown))}")
    chosen = [each for each in ATTACKS.values() if not only or {each.id, each.severity} & only]
    if asked.list:
        print("\n".join(f"{each.id:<22} {each.severity:<6} {each.title}" for each in chosen))
        return 0
    results = []
    with tempfile.TemporaryDirectory(prefix="chatroom-attack-", ignore_cleanup_errors=True) as folder:
        grounds = Grounds(Path(folder), url=asked.url, is_long=not asked.short, mutation=asked.mutation)
        with grounds:
            for result in run(grounds, chosen):
                print(report.line(result), flush=True)
                results.append(result)
    print(report.total(results))
    return int(any(result.is_bad for result in results))


if __name__ == "__main__":
    sys.exit(main())
