"""The suite itself: nothing is left out of it by accident."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_folder_with_tests_is_collected_and_the_browsers_come_last() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    collected = settings["testpaths"]
    folders = {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in ROOT.glob("tests/*/**/test_*.py")}
    assert folders <= set(collected)
    assert collected[-1] == "tests/browser"


def test_the_application_is_not_collected() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "--ignore=test_mongo.py" in settings["addopts"]
    assert settings["filterwarnings"][0] == "error"


def test_make_test_runs_every_folder() -> None:
    """The unit tests in two processes, and all others after them in one."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    makefile = (ROOT / "Makefile").read_text()
    (serial,) = (line.split(":=")[1].split() for line in makefile.splitlines() if line.startswith("SERIAL_TESTS"))
    assert ["tests/unit", *serial] == settings["testpaths"]
    assert "pytest tests/unit -n 2 --dist loadfile" in makefile
