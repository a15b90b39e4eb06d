"""Lock the versions that `make run` and `make test` install, with the hashes of their files, and print the changes.

The input is requirements*.txt, whose version ranges are loose. A lock covers all Python versions and systems that are
named here; where they differ, it has markers.
"""

import re
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
TESTS = "\n# the tests\n"
"""The line of requirements.txt after which the packages are only for tests."""
BUILD = "setuptools\n"
"""The build tools of the one package that has no wheel; pip would fetch them without a hash."""
WHEELS = ("--only-binary=:all:", "--no-binary=http-ece")
"""The same options as in the Makefile."""

Versions = dict[str, set[str]]


def main() -> int:
    """Update the three files, and print the changes in each."""
    runs = (ROOT / "requirements.txt").read_text()
    tests = (ROOT / "requirements-dev.txt").read_text().replace("-r requirements.txt", runs)
    everything = _lock(tests)
    _prove(everything)
    running = _lock(runs.partition(TESTS)[0], known=everything)
    _write("requirements-dev.lock", everything, "requirements.txt and requirements-dev.txt")
    _write("requirements.lock", running, "requirements.txt, without the tests")
    _write("requirements-build.lock", _lock(BUILD), "tools/lock.py")
    return 0


def versions(lock: str) -> Versions:
    """The versions of each package in a lock; a package with markers may have several."""
    found: Versions = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def differences(old: Versions, new: Versions) -> list[str]:
    """A line for each package that was added, removed or has another version."""
    lines = []
    for name in sorted(old.keys() | new.keys()):
        before, after = (" and ".join(sorted(which.get(name, ()))) for which in (old, new))
        if not before:
            lines.append(f"  added    {name} {after}")
        elif not after:
            lines.append(f"  removed  {name} {before}")
        elif before != after:
            lines.append(f"  changed  {name} {before} → {after}")
    return lines


def _lock(wanted: str, known: str = "") -> str:
    """The newest compatible versions, or those in `known`, with the hashes of all their files."""
    with tempfile.TemporaryDirectory() as folder:
        source, lock = Path(folder, "wanted"), Path(folder, "lock")
        source.write_text(wanted)
        lock.write_text(known)
        options = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
        _compile(source, lock, *options, "--python-version", PYTHONS[0])
        return lock.read_text().replace(f"-r {source}", "asked for")


def _prove(lock: str) -> None:
    """Fail unless every system has a file to install."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "lock")
        source.write_text(lock)
        for python, system in product(PYTHONS, SYSTEMS):
            options = ["--no-deps", "--python-version", python, "--python-platform", system]
            _compile(source, Path(folder, "tried"), *options)


def _compile(source: Path, made: Path, *options: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--no-config", "--no-header", "--quiet"]
    subprocess.run([*command, *WHEELS, *options, source, "-o", made], stdout=subprocess.DEVNULL, check=True)


def _write(name: str, lock: str, sources: str) -> None:
    path = ROOT / name
    old = path.read_text() if path.exists() else ""
    path.write_text(f"# Made by `make lock` from {sources}: change those.\n{lock}")
    lines = differences(versions(old), versions(lock))
    sys.stdout.write("\n".join([f"{name}: {len(lines) or 'nothing'} changed", *lines]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
