"""What surrounds the code runs the commands of the Makefile, and no others."""

import re

from tests.documents import read


def recipe(target: str) -> list[str]:
    """The commands of a target, as a shell gets them."""
    body = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert body is not None
    lines = [line.strip("\t@").removeprefix('[ -n "$$CI" ] || ') for line in body[1].splitlines()]
    return [line.replace("$(BIN)", ".venv/bin") for line in lines]


def test_the_workflow_runs_the_ci_script_and_nothing_else() -> None:
    assert re.findall(r"\brun: (.*)", read(".github/workflows/ci.yml")) == [".ci/run"]


def test_the_ci_script_checks_and_tests() -> None:
    check, test = read(".ci/run").splitlines()[-2:]
    assert check.endswith(" make check")
    assert test == "make test"


def test_the_hooks_run_the_commands_of_make_check() -> None:
    hooks = re.findall(r"^ *entry: (.*)$", read(".pre-commit-config.yaml"), re.MULTILINE)
    parts = re.findall(r"^check: (.*?)  ##", read("Makefile"), re.MULTILINE)[0].split()
    assert sorted(hooks) == sorted(command for part in parts for command in recipe(part))


def test_one_package_is_tested_without_a_browser_and_without_node() -> None:
    assert "test: .venv/dev.stamp $(if $(strip $(PYTEST)),,browser test-js)" in read("Makefile")
