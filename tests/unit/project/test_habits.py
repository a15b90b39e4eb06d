"""What surrounds the code runs the commands of the Makefile, and no others."""

import re

from tests.documents import read


def recipe(target: str) -> list[str]:
    """The commands of a target, as a shell gets them."""
    body = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)
    assert body is not None
    return [line.strip("\t@").replace("$(BIN)", ".venv/bin") for line in body[1].splitlines()]


def test_the_workflow_runs_the_ci_script_and_nothing_else() -> None:
    assert re.findall(r"\brun: (.*)", read(".github/workflows/ci.yml")) == [".ci/run"]


def test_the_ci_script_checks_and_tests() -> None:
    assert read(".ci/run").splitlines()[-2:] == ["make check", "make test"]


def test_the_hooks_run_the_commands_of_make_check() -> None:
    hooks = re.findall(r"^ *entry: (.*)$", read(".pre-commit-config.yaml"), re.MULTILINE)
    assert sorted(hooks) == sorted(recipe("check") + recipe("audit"))
    assert re.search(r"^check:.* audit\b", read("Makefile"), re.MULTILINE)


def test_one_package_is_tested_without_a_browser_and_without_node() -> None:
    assert "test: .venv/dev.stamp $(if $(strip $(PYTEST)),,browser test-js)" in read("Makefile")
