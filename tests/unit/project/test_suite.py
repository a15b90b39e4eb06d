"""The suite itself: nothing is left out of it by accident."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from tests.documents import read, section, tables
from tests.parallel import LONG_FIRST, unit_of_work

ROOT = Path(__file__).resolve().parents[3]
KEEPS_WAITING = "tests/waiting.py"


def test_every_folder_with_tests_is_collected_and_the_browsers_come_last() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    collected = settings["testpaths"]
    folders = {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in ROOT.glob("tests/*/**/test_*.py")}
    assert folders <= set(collected)
    assert collected[-1] == "tests/browser"


def test_the_docs_name_every_folder_of_tests() -> None:
    tests = [*ROOT.glob("tests/*/**/test_*.py"), *ROOT.glob("tests/*/*.test.js")]
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in tests}
    (table,) = tables(section("CONTRIBUTING.md", "Tests"))
    named = {name for row in table for name in re.findall(r"`tests/([\w/]+)`", row[0])}
    assert folders <= named
    assert all((ROOT / "tests" / name).is_dir() for name in named)
    (row,) = [line for line in read("README.md").splitlines() if line.startswith("| [`tests/`]")]
    assert folders <= set(re.findall(r"`(\w+)`", row))


def test_no_test_module_is_a_library() -> None:
    """What tests share is in modules of its own: a test that moves takes nobody else's tools along."""
    for path, module in trees():
        for node in ast.walk(module):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                names = [(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)]
                assert not [name for name in names if name.startswith("test_")], path


def test_the_application_is_not_collected() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "--ignore=test_mongo.py" in settings["addopts"]
    assert settings["filterwarnings"][0] == "error"


def test_make_test_runs_every_folder_the_long_ones_first() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert sorted(LONG_FIRST) == sorted(settings["testpaths"])
    recipe = (ROOT / "Makefile").read_text().partition("tools/run_tests.py")[2].splitlines()[0]
    assert not any(name in recipe for name in settings["testpaths"])


def test_long_tests_run_only_in_make_test_long() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert settings["addopts"].endswith("-m 'not long'")
    assert "pytest -m long" in (ROOT / "Makefile").read_text()


def test_files_stay_together_and_browser_tests_do_not() -> None:
    assert unit_of_work("tests/browser/test_look.py::test_axe[dark]") == "tests/browser/test_look.py::test_axe[dark]"
    assert unit_of_work("tests/unit/names/test_names.py::TestFold::test_one[a::b]") == "tests/unit/names/test_names.py"


class TestSecondTry:
    """tools/run_tests.py, on tests made up for it."""

    BOTH_TIMES = "def test_it():\n    assert False\n"
    FIRST_TIME = """
import pathlib

def test_it():
    mark = pathlib.Path(__file__).with_name("mark")
    is_second = mark.exists()
    mark.touch()
    assert is_second
"""

    @staticmethod
    def run(folder: Path, place: str, test: str, **environment: str) -> tuple[int, str]:
        (folder / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "run_tests.py", folder / "tools")
        (folder / place).mkdir(parents=True)
        (folder / place / "test_x.py").write_text(test)
        (folder / "pytest.ini").write_text("[pytest]")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST", "COV"))}
        ended = subprocess.run(
            [sys.executable, "tools/run_tests.py", "-q"],
            cwd=folder,
            env=inherited | environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # they take seconds to load
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout

    def test_a_test_that_passes_then_is_listed(self, tmp_path: Path) -> None:
        code, said = self.run(tmp_path, "tests/browser", self.FIRST_TIME, CI="1")
        assert code == 0
        assert "FLAKY tests/browser/test_x.py::test_it" in said.splitlines()

    def test_a_test_that_fails_again_fails_the_run(self, tmp_path: Path) -> None:
        code, said = self.run(tmp_path, "tests/browser", self.BOTH_TIMES, CI="1")
        assert code == 1
        assert "FLAKY" not in said

    def test_unit_tests_have_none(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, "tests/unit", self.FIRST_TIME, CI="1")[0] == 1

    def test_there_is_none_outside_ci(self, tmp_path: Path) -> None:
        assert self.run(tmp_path, "tests/browser", self.FIRST_TIME)[0] == 1


class TestTrue:
    """What makes a test tell another story on a busy machine stands in none of them."""

    def test_no_test_replaces_the_standard_library(self) -> None:
        found = [
            f"{name}:{call.lineno} {ast.unparse(call.args[0])}"
            for name, module in trees()
            for call in ast.walk(module)
            if isinstance(call, ast.Call) and is_method(call, "setattr") and is_standard(call.args[0], module)
        ]
        assert found == []

    def test_none_sleeps_for_a_fixed_time_without_a_reason(self) -> None:
        found = [
            f"{name}:{call.lineno}"
            for name, module in trees()
            if name != KEEPS_WAITING and not is_harness(name)
            for call in ast.walk(module)
            if isinstance(call, ast.Call)
            and (is_method(call, "wait_for_timeout") or (is_method(call, "sleep") and is_a_while(call)))
            and not has_a_reason(name, call)
        ]
        assert found == []

    def test_none_looks_for_a_port_and_hopes(self) -> None:
        found = [
            f"{name}:{call.lineno}"
            for name, module in trees()
            for call in ast.walk(module)
            if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] in {"find_port", "free_port"}
        ]
        assert found == []


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """The path and the syntax tree of each module under tests/."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())) for path in paths]


def is_method(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def is_standard(replaced: ast.expr, module: ast.Module) -> bool:
    """Whether it is `time`, `socket.socket` or "sys.path"; `outside.time` is only what the module `outside` uses."""
    if isinstance(replaced, ast.Constant):
        return str(replaced.value).split(".")[0] in sys.stdlib_module_names
    while isinstance(replaced, ast.Attribute):
        replaced = replaced.value
    imports = [node for node in ast.walk(module) if isinstance(node, ast.Import)]
    names = {alias.asname or alias.name: alias.name for node in imports for alias in node.names}
    return isinstance(replaced, ast.Name) and names.get(replaced.id, "").split(".")[0] in sys.stdlib_module_names


def is_a_while(call: ast.Call) -> bool:
    """sleep(0) only lets others have a turn."""
    return not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)


def is_harness(name: str) -> bool:
    """Fuzzers and attacks keep a pace; their tests do not."""
    return name.startswith(("tests/faults/", "tests/attack/", "tests/fuzz/")) and "/test_" not in name


def has_a_reason(name: str, call: ast.Call) -> bool:
    """Whether there is a comment on the line or on the one above."""
    lines = (ROOT / name).read_text().splitlines()
    return "#" in lines[call.lineno - 1] or lines[call.lineno - 2].strip().startswith("#")
