"""Distribute the tests over the processes of a parallel run (`make test`).

A browser test runs alone in any free process. Other tests run with their whole file, so its fixtures are made once.
Long tests run first, so that short ones fill the end.
"""

from typing import Any

import pytest

# Folders, ordered by the duration of their files.
LONG_FIRST = [
    "tests/faults",
    "tests/attack",
    "tests/browser",
    "tests/security",
    "tests/integration",
    "tests/fuzz",
    "tests/recipes",
    "tests/unit",
]


def unit_of_work(nodeid: str) -> str:
    """Return the unit that one process runs together."""
    return nodeid if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def sort_long_first(items: list[pytest.Item]) -> None:
    """Order tests for a parallel run."""
    items.sort(key=lambda item: next(place for place, name in enumerate(LONG_FIRST) if item.nodeid.startswith(name)))


def make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Make a scheduler of pytest-xdist that keeps files together and separates browser tests."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of_work(nodeid)

    config.option.loadscopereorder = False  # otherwise the files with most tests would run first, and those are short
    return Scheduling(config, log)
