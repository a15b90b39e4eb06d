"""What is installed is locked: versions and hashes for everything that the lists ask for, and nothing else."""

import ast
import re
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lock import TESTS, differences, versions

ROOT = Path(__file__).resolve().parents[3]
RUNS, _, CHECKS = (ROOT / "requirements.txt").read_text().partition(TESTS)
LISTS = {
    "requirements.lock": RUNS,
    "requirements-dev.lock": RUNS + CHECKS + (ROOT / "requirements-dev.txt").read_text(),
    "requirements-build.lock": "setuptools",
}
WITHOUT_DEV = r"tests/(browser/|fuzz/__main__|integration/test_programs|security/test_api_contract)"
"""The modules that `pytest` leaves out if the packages of requirements-dev.txt are not installed."""
each_lock = pytest.mark.parametrize("name", LISTS)


class Locked(msgspec.Struct):
    """One version in a lock, and who needs it."""

    requirement: Requirement
    hashes: int
    needed_by: list[str]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)


def locked(text: str) -> list[Locked]:
    """The entries of a lock, as uv writes them."""
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    return [
        Locked(
            requirement=Requirement(entry.partition("\\")[0]),
            hashes=len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)),
            needed_by=re.findall(r"[\w.-][\w. -]*", entry.partition("# via")[2]),
        )
        for entry in entries
    ]


def asked_for(text: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def read(name: str) -> str:
    return (ROOT / name).read_text()


@each_lock
def test_every_entry_has_its_hashes(name: str) -> None:
    """O07."""
    entries = locked(read(name))
    assert len(entries) == len(re.findall(r"^\S+==", read(name), re.MULTILINE))
    assert [entry.name for entry in entries if not entry.hashes] == []


@each_lock
def test_every_requirement_is_satisfied(name: str) -> None:
    entries = locked(read(name))
    for wanted in asked_for(LISTS[name]):
        found = [entry for entry in entries if entry.name == canonicalize_name(wanted.name)]
        fitting = [entry for entry in found if wanted.specifier.contains(str(entry.requirement.specifier)[2:])]
        assert fitting, wanted
        assert wanted.marker or fitting == found, wanted


@each_lock
def test_nothing_is_in_it_that_no_one_needs(name: str) -> None:
    entries = locked(read(name))
    wanted = {canonicalize_name(each.name) for each in asked_for(LISTS[name])}
    reached: set[str] = set()
    new = {entry.name for entry in entries if "asked for" in entry.needed_by and entry.name in wanted}
    while new - reached:
        reached |= new
        new = {entry.name for entry in entries if reached & set(entry.needed_by)}
    assert {entry.name for entry in entries} - reached == set()


@each_lock
def test_it_names_no_place(name: str) -> None:
    assert re.findall(r"://|[\w.]/\w|--(?!hash=)[\w-]+", read(name).partition("\n")[2]) == []


def test_a_running_site_has_no_tests_and_the_same_versions_as_they() -> None:
    running, everything = (versions(read(name)) for name in ("requirements.lock", "requirements-dev.lock"))
    assert not running.keys() & {canonicalize_name(each.name) for each in asked_for(CHECKS)}
    assert running == {name: which for name, which in everything.items() if name in running}


def test_pytest_needs_only_requirements_txt() -> None:
    installed, new = set[str](), {canonicalize_name(each.name) for each in asked_for(RUNS + CHECKS)}
    while new - installed:
        installed |= new
        new = {canonicalize_name(each.name) for name in new for each in needs(name)} - installed
    known = packages_distributions()
    for path in (ROOT / "tests").rglob("*.py"):
        if not re.match(WITHOUT_DEV, str(path.relative_to(ROOT))):
            for package in imports(path) & known.keys():
                assert {canonicalize_name(name) for name in known[package]} & installed, (path, package)


def needs(name: str) -> list[Requirement]:
    """What a package needs on this machine, without its extras. A package for another system is not installed here."""
    try:
        wanted = [Requirement(text) for text in requires(name) or ()]
    except PackageNotFoundError:
        return []
    return [each for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]


def imports(path: Path) -> set[str]:
    """The packages that a module imports when it is loaded."""
    found = set[str]()
    for step in ast.parse(path.read_text()).body:
        if isinstance(step, ast.Import):
            found |= {each.name.partition(".")[0] for each in step.names}
        elif isinstance(step, ast.ImportFrom):
            found.add((step.module or "").partition(".")[0])
    return found


def test_make_installs_only_locked_packages() -> None:
    """O07."""
    recipes = read("Makefile").partition("\nINSTALL :=")[2]
    assert recipes.count("pip install") == 1
    assert "--require-hashes" in recipes.partition("\n")[0]
    assert re.findall(r"--requirement (\S+)", recipes) == [
        "requirements-build.lock",
        "requirements.lock",
        "requirements-dev.lock",
    ]
    assert read("Makefile").count("pip install") == 1


def test_changes_are_printed() -> None:
    old = "flask==3.1.2 \\\ngone==1 \\\nsame==1.0 ; python_full_version < '3.12' \\\n"
    new = "flask==3.1.3 \\\nnew==2.0.post1 \\\nsame==1.0 \\\n"
    assert differences(versions(old), versions(new)) == [
        "  changed  flask 3.1.2 → 3.1.3",
        "  removed  gone 1",
        "  added    new 2.0.post1",
    ]
