"""The four steps of the README, taken on an application of this process, and by hand in a copy of the repository."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jinja2
import pytest
from flask import Flask

from tests.documents import ROOT, block_after, module, read, section, tables
from tests.visitors import Visitor
from tools.rendered_pages import Album

TEST, ROUTE = "tests/unit/web/messages/test_transcript.py", "chatroom/web/messages/transcript.py"
TEMPLATE, PAGE = "templates/messages/transcript.txt", "templates/chatroom.html"
WEB, MATRIX, RENDERED = "chatroom/web/__init__.py", "tests/security/test_matrix.py", "tools/rendered_pages.py"
FILES = {TEST: "python", ROUTE: "python", TEMPLATE: "jinja"}
CHECKS = f"""
set -e
ruff check .
ruff format --check .
pytest -q {TEST}
pytest -q {MATRIX} -k 'transcript or in_the_table'
python -c 'import pathlib, tempfile; from tools.rendered_pages import render; render(pathlib.Path(tempfile.mkdtemp()))'
vulture
lint-imports --no-cache --no-logo
mypy
pytest -q -x tests/unit/project
"""


@pytest.fixture
def steps() -> str:
    return section("README.md", "Extend it in four steps")


def lines_of(steps: str) -> list[tuple[str, str, str]]:
    """The file, the place and the line of each row of step 4."""
    (table,) = tables(steps)
    return [(re.sub(r"[\[\]`]|\(.*", "", file), place, line.strip("`")) for file, place, line in table]


class TestInThisProcess:
    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], steps: str, tmp_path: Path) -> Flask:
        app = make_app()
        template = jinja2.DictLoader({"messages/transcript.txt": block_after(steps, TEMPLATE, "jinja")})
        app.jinja_loader = jinja2.ChoiceLoader([template, app.jinja_loader])  # type: ignore[assignment,list-item]
        if "transcript" not in app.blueprints:  # somebody has taken the steps
            app.register_blueprint(module(tmp_path / "transcript.py", block_after(steps, ROUTE, "python")).blueprint)
        return app

    def test_the_tests_of_the_example_pass(self, steps: str, alice: Visitor, client: Visitor, tmp_path: Path) -> None:
        cast = {"alice": alice, "client": client}
        tests = module(tmp_path / "example.py", block_after(steps, TEST, "python"))
        run = [name for name in vars(tests) if name.startswith("test_")]
        for name in run:
            test = getattr(tests, name)
            test(*(cast[wanted] for wanted in test.__code__.co_varnames[: test.__code__.co_argcount]))
        assert len(run) == 3

    def test_the_link_is_one(self, app: Flask, steps: str) -> None:
        with app.test_request_context():
            link = app.jinja_env.from_string(block_after(steps, PAGE, "jinja"))
            assert 'href="/chatroom/lobby/transcript"' in link.render(room={"slug": "lobby"})

    def test_step_4_has_every_line_that_other_tests_and_checks_ask_for(
        self, app: Flask, make_app: Callable[..., Flask], steps: str, tmp_path: Path
    ) -> None:
        lines = {(file, line) for file, _, line in lines_of(steps)}
        rows = {line for file, line in lines if file == MATRIX}
        matrix = module(tmp_path / "matrix.py", read(MATRIX))
        table = eval("{" + "".join(rows) + "}", vars(matrix))  # our own words
        assert matrix.rules(app) - set(matrix.ROUTES) <= set(table)
        assert {len(row) for row in table.values()} == {len(matrix.WHO)}
        unlisted = set(Album(app, tmp_path).missing) - set(Album(make_app(), tmp_path).missing)
        assert unlisted <= {line.strip('",') for file, line in lines if file == RENDERED}
        assert (WEB, "transcript.blueprint,") in lines


@pytest.mark.long
class TestInACopy:
    @pytest.mark.parametrize("left_out", [None, ROUTE, TEMPLATE, 0, 1, 2, 3], ids=str)
    def test_the_checks_and_tests_pass_and_notice_a_missing_step(
        self, steps: str, tmp_path: Path, left_out: str | int | None
    ) -> None:
        copy = tmp_path / "chatroom"
        unwanted = (".git", ".venv", "node_modules", "data", "__pycache__", ".*_cache", ".env")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*unwanted))
        for file in FILES.keys() - {left_out}:
            (copy / file).write_text(block_after(steps, file, FILES[file]))
        change(copy / PAGE, r"(room-bar__greeting.*?</p>\n)", rf"\1      {block_after(steps, PAGE, 'jinja')}")
        for number, row in enumerate(lines_of(steps)):
            if number != left_out:
                add_line(copy, *row)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        run = subprocess.run(
            ["sh", "-c", CHECKS], cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert (run.returncode == 0) is (left_out is None), run.stdout + run.stderr


def change(path: Path, pattern: str, replacement: str) -> None:
    text, count = re.subn(pattern, replacement.replace("\\n", "\n"), path.read_text(), count=1, flags=re.DOTALL)
    assert count == 1, (path, pattern)
    path.write_text(text)


def add_line(copy: Path, file: str, place: str, line: str) -> None:
    """Add a line of step 4 at its place: as the last one of an import or a collection, or below the heading."""
    path = copy / file
    if line in path.read_text():
        return
    if "import" in place:
        (package,) = re.findall(r"`(.*?)`", place)
        change(path, rf"(from {re.escape(package)} import [^\n]*)\n", rf"\1, {line}\n")
    elif file.endswith(".md"):
        change(path, rf"(### {place.split(', ')[1]}\n.*?\n\n)(- )", rf"\1{line}\n\2")
    else:
        (name,) = re.findall(r"^`(.*?)`", place)
        last = last_line_of(path.read_text(), name)
        rows = path.read_text().splitlines(keepends=True)
        rows.insert(last - 1, f"    {line}\n")
        path.write_text("".join(rows))


def last_line_of(code: str, name: str) -> int:
    """The number of the line that closes the collection with this name."""
    for node in ast.parse(code).body:
        targets: Sequence[ast.expr] = node.targets if isinstance(node, ast.Assign) else ()
        if isinstance(node, ast.AnnAssign):
            targets = (node.target,)
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert node.end_lineno is not None
            return node.end_lineno
    raise AssertionError(name)
