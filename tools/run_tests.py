"""Run the tests in parallel, and in CI give a failed test with real processes a second try, alone.

A test that passes on its second try does not fail the run. The last lines list it as FLAKY: a test that is listed twice
is a defect of the product or of the test. Unit tests get no second try, nor does a run with many failures. Arguments
are passed to pytest.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
MOST_TRIED_AGAIN = 5
TESTS_FAILED = 1  # pytest's exit code


def main() -> int:
    """Return pytest's exit code; after a second try, the exit code of that."""
    LAST_FAILED.unlink(missing_ok=True)
    code = _pytest(*sys.argv[1:])
    failed = _failed()
    if code != TESTS_FAILED or not os.environ.get("CI") or not _may_be_flaky(failed):
        return code
    _say(f"\nSecond try, alone: {', '.join(failed)}")
    code = _pytest("-p", "no:xdist", "-m", "", *failed)
    still = _failed()
    for name in failed:
        if name not in still:
            _say(f"FLAKY {name}")
    return code


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode


def _failed() -> list[str]:
    return sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.exists() else []


def _may_be_flaky(failed: list[str]) -> bool:
    return 0 < len(failed) <= MOST_TRIED_AGAIN and not any(name.startswith("tests/unit/") for name in failed)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
