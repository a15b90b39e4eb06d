"""A real server on a real mongod, and people with real browsers in front of it."""

import asyncio
import importlib.util
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.cast import WAIT_MS, Person, Server, skip

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

if importlib.util.find_spec("playwright") is None:
    # Their modules could not even be imported; test_prerequisites.py says so.
    collect_ignore = [
        path.name for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_prerequisites"
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests share."""
    running = Server(tmp_path_factory.mktemp("room") / "data")
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test, to be mistreated."""
    running = Server(tmp_path / "data")
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all people; each has windows and cookies of their own."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        skip("Playwright is missing: pip install -r requirements-dev.txt")
    if not CHROMIUM:
        skip("there is no Chromium (Debian: apt-get install chromium)")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        browser.event_loop = loop
        yield browser
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture
def event_loop(chromium: Any) -> Iterator[None]:
    """Playwright's event loop is this thread's running one while a browser test runs, and no longer.

    Playwright leaves it running between its calls; the other tests of the same worker begin loops of their own.
    """
    asyncio._set_running_loop(chromium.event_loop)
    yield
    asyncio._set_running_loop(None)


_numbers = itertools.count(1)


@pytest.fixture
def person(chromium: Any, event_loop: None, server: Server) -> Iterator[Callable[..., Person]]:
    """Make a person: `person("Alice")` is registered and in the room; options are those of a browser context."""
    contexts = []

    def make(name: str, *, at: Server | None = None, is_registered: bool = True, **options: Any) -> Person:
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        context = chromium.new_context(**options)
        contexts.append(context)
        # Every test has people of its own: one server serves them all.
        somebody = Person(context, (at or server).url, f"{name} {os.getpid()}{next(_numbers):03}")
        if is_registered:
            somebody.register()
            if options.get("java_script_enabled", True):
                somebody.await_state("Live")
        return somebody

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def anything() -> Callable[[str], str]:
    """Make a text that no other test uses."""
    return lambda text: f"{text} {os.getpid()}x{next(_numbers)}"
