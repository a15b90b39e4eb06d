"""How tests are spread over the processes of a parallel run (`make test`).

A browser test goes alone to whoever is free; any other test goes with its whole file, whose fixtures are made once.
Long ones go first, so that short ones fill the end.
"""

from typing import Any

import pytest

# Folders by how long their files take.
LONG_FIRST = [
    "tests/faults",
    "tests/attack",
    "tests/browser",
    "tests/security",
    "tests/integration",
    "tests/fuzz",
    "tests/unit",
]


def unit_of_work(nodeid: str) -> str:
    """What one process runs in one go."""
    return nodeid if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def sort_long_first(items: list[pytest.Item]) -> None:
    """Order tests for a parallel run."""
    items.sort(key=lambda item: next(place for place, name in enumerate(LONG_FIRST) if item.nodeid.startswith(name)))


def make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler of pytest-xdist that keeps files together and browser tests apart."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of_work(nodeid)

    config.option.loadscopereorder = False  # it would let the files with most tests go first, and those are short
    return Scheduling(config, log)
