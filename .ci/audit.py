"""Look for known vulnerabilities in the locked packages, and report if the data cannot be reached.

A vulnerability fails the check. An unreachable network does not, and is never reported as "no vulnerabilities".
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Run pip-audit and print its result in one sentence."""
    command = [str(Path(sys.executable).with_name("pip-audit")), "--format=json", "--progress-spinner=off"]
    locks = [f"--requirement={lock}" for lock in sorted(ROOT.glob("requirements*.lock"))]
    answer = subprocess.run([*command, "--disable-pip", *locks], capture_output=True, text=True, check=False)
    try:
        packages = json.loads(answer.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _say(f"pip-audit: nothing was checked, no data ({_last_line(answer.stderr)})")
    holes = [f"{package['name']} {hole['id']}" for package in packages for hole in package.get("vulns", [])]
    checked = sum("skip_reason" not in package for package in packages)
    if holes:
        return _say(f"pip-audit: known holes in {', '.join(holes)}", failed=True)
    if not checked:
        return _say(f"pip-audit: nothing was checked, no data on any of {len(packages)} packages")
    return _say(f"pip-audit: no known holes in {checked} of {len(packages)} packages")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1][:200]


def _say(text: str, *, failed: bool = False) -> int:
    sys.stdout.write(text + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
