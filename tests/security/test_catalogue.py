"""Every attack in docs/threat-model.md has a test that bears its id, a fault, a reason, or an admission."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.documents import ROOT, read, section, tables
from tests.faults.schedule import KINDS

PAGE = "docs/threat-model.md"
GROUPS = {
    "A": 14,
    "S": 8,
    "C": 7,
    "I": 12,
    "X": 6,
    "W": 10,
    "L": 21,
    "U": 11,
    "D": 12,
    "F": 15,
    "O": 13,
    "P": 16,
    "M": 19,
    "B": 13,
}
"""How many attacks there are of each kind; none may be dropped without a word."""
ROWS = [row for table in tables(section(PAGE, "The attacks")) for row in table]


def test_no_attack_is_missing() -> None:
    assert [row[0] for row in ROWS] == [
        f"{group}{n:02}" for group, count in GROUPS.items() for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_test_named_in_the_threat_model_exists(row: list[str]) -> None:
    id, _, shown = row
    for part in shown.split("<br>"):
        if part.startswith("`make faults`: "):
            kinds = part.removeprefix("`make faults`: ").split(", ")
            assert set(kinds) <= {kind for lane in KINDS.values() for kind in lane}
        elif part.startswith(("cannot happen: ", "**not tested yet**: ")):
            assert len(part) > 60, "a reason has more words"
        else:
            place = part.strip("`")
            assert id in words_about(place), f"{place} does not say that it is about {id}"


def test_untested_attacks_are_listed_again() -> None:
    admitted = section(PAGE, "What is not tested yet, or not promised")
    for id, _, shown in ROWS:
        if shown.startswith("**not tested yet**"):
            assert id in admitted


def test_a_test_that_is_not_there_is_noticed() -> None:
    with pytest.raises(LookupError):
        words_about("security/test_catalogue.py::test_that_was_never_written")
    assert "A01" not in words_about("security/test_catalogue.py::test_no_attack_is_missing")


def words_about(place: str) -> set[str]:
    """The ids in a test's name and docstring, its class's and its module's."""
    path, *names = place.split("::")
    node: ast.AST = parsed(ROOT / "tests" / path)
    texts = [ast.get_docstring(node) or ""]  # type: ignore[arg-type]
    for name in names:
        found = [each for each in node.body if getattr(each, "name", None) == name]  # type: ignore[attr-defined]
        if not found:
            raise LookupError(f"there is no {place}")
        node = found[0]
        texts += [ast.get_docstring(node) or "", name.replace("_", " ").upper()]  # type: ignore[arg-type]
    return set(re.findall(r"\b[A-Z]\d\d\b", " ".join(texts)))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_the_security_page_links_to_the_threat_model() -> None:
    assert "docs/threat-model.md" in read("SECURITY.md")
