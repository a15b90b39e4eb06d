"""Browsers of three engines: each is started when a test first needs it, and ended before the next engine starts."""

import importlib.util
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.cast import Server, skip

if TYPE_CHECKING:
    from tests.browser.engines.cast import Visitor

ENGINES = ["chromium", "firefox", "webkit"]

if importlib.util.find_spec("selenium") is None:
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.long)


class Seats:
    """The browsers of one engine, which people of one test after another use."""

    def __init__(self, engine: str, folder: Path, stack: ExitStack) -> None:
        self._engine = engine
        self._folder = folder
        self._stack = stack
        self._drivers: dict[Any, Any] = {}

    def take(self, look: Any, number: int) -> Any:
        """The browser with this look and number."""
        from tests.browser.engines.browsers import start

        if (look, number) not in self._drivers:
            folder = self._folder / str(len(self._drivers))
            folder.mkdir()
            self._drivers[look, number] = self._stack.enter_context(start(self._engine, look, folder))
        return self._drivers[look, number]


@pytest.fixture(scope="session", params=ENGINES)
def seats(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seats]:
    from tests.browser.engines.browsers import find_missing

    if missing := find_missing(request.param):
        skip(f"{request.param} is missing (Debian: apt-get install {missing})")
    with ExitStack() as stack:
        yield Seats(request.param, tmp_path_factory.mktemp(request.param), stack)


_numbers = itertools.count(1)


@pytest.fixture
def visitor(seats: Seats, server: Server) -> Callable[..., "Visitor"]:
    """Make a person: `visitor("Alice")` is registered and in the room; `look` as in `Look`."""
    from tests.browser.engines.browsers import Look
    from tests.browser.engines.cast import Visitor

    taken: dict[Look, int] = {}

    def make(name: str, *, is_registered: bool = True, **look: Any) -> Visitor:
        wanted = Look(**look)
        taken[wanted] = taken.get(wanted, 0) + 1
        driver = seats.take(wanted, taken[wanted])
        name = f"{name} {os.getpid()}{next(_numbers):03}"
        somebody = Visitor(driver, server.url, name, has_scripts=wanted.has_scripts)
        somebody.start_afresh()
        return somebody.register().enter() if is_registered else somebody

    return make
