"""The project's Markdown, for the tests that compare it with the code."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


@cache
def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def pages() -> list[str]:
    """Every Markdown file of the project."""
    found = [*ROOT.glob("*.md"), *(ROOT / "bench").glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def present_pages() -> list[str]:
    """The pages about the present: without the decisions and the changes."""
    return [page for page in pages() if page != "CHANGELOG.md" and "decisions" not in page]


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one of the same or a higher level; ignore backticks in titles."""
    lines = read(page).splitlines()
    is_code = False
    heads = []
    for number, line in enumerate(lines):
        is_code ^= line.startswith("```")
        if not is_code and (head := re.match(r"(#+) (.*)", line)):
            heads.append((number, len(head[1]), head[2].replace("`", "")))
    for place, (number, level, name) in enumerate(heads):
        if name == title:
            end = next((below for below, depth, _ in heads[place + 1 :] if depth <= level), len(lines))
            return "\n".join(lines[number + 1 : end])
    raise AssertionError(f"{page} has no section {title!r}")


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text, as rows of cells without the head."""
    found: list[list[list[str]]] = []
    previous = ""
    for line in text.splitlines():
        if line.startswith("|---"):
            found.append([])
        elif line.startswith("|") and previous.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        previous = line
    return found


def first_cells(table: list[list[str]]) -> set[str]:
    return {row[0].strip("`") for row in table}


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def block_after(text: str, words: str, language: str) -> str:
    """The first block of code after these words."""
    found = re.search(rf"```{language}\n(.*?)```", text[text.index(words) :], re.DOTALL)
    assert found is not None
    return found[1]


def module(path: Path, code: str) -> ModuleType:
    """Write a module, and import it."""
    path.write_text(code)
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def is_defined(path: Path, name: str) -> bool:
    """Whether a file has a class, function or method of that name; a test may be named without its class."""
    if not path.is_file():
        return False
    if path.suffix == ".js":
        text = path.read_text(encoding="utf-8")
        owner, _, member = name.partition(".")
        has_member = not member or re.search(rf"^  (?:async |get |set )?#?{member}\b", text, re.MULTILINE)
        return bool(has_member and re.search(rf"\b(?:class|function|const) {owner}\b", text))
    names = set(defined(tree(path).body))
    return name in names or any(each.endswith(f".{name}") and name.startswith("test_") for each in names)


def defined(body: list[ast.stmt], owner: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield owner + node.name
            if isinstance(node, ast.ClassDef):
                yield from defined(node.body, f"{owner}{node.name}.")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def calls_in(folder: str, within: str) -> list[tuple[str, ast.Call]]:
    found = [node for path in sorted((ROOT / folder).rglob(within)) for node in ast.walk(tree(path))]
    return [(ast.unparse(node.func), node) for node in found if isinstance(node, ast.Call)]


def calls(folder: str, name: str, within: str = "*.py") -> list[ast.Call]:
    """Every call of a function in the code, as `name` or `something.name`."""
    return [call for full, call in calls_in(folder, within) if full == name or full.endswith(f".{name}")]
