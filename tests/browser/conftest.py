"""A real server on a real mongod, and people with real browsers."""

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
# Debian's headless Chromium, if it is installed: a new context takes a seventh of the time. It has no notifications.
HEADLESS = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or CHROMIUM
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

if importlib.util.find_spec("playwright") is None:
    # Their modules cannot be imported; test_prerequisites.py reports it.
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
    """A server for one test, which may break it."""
    running = Server(tmp_path / "data")
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


class Browsers:
    """One browser of each kind for all people; each person has separate windows and cookies."""

    def __init__(self, playwright: Any) -> None:
        self._playwright = playwright
        self._launched: dict[str, Any] = {}

    def new_context(self, **options: Any) -> Any:
        """A context in the headless Chromium, or in the full Chromium if notifications are needed."""
        is_whole = "notifications" in options.get("permissions", [])
        return self.launched(str(CHROMIUM if is_whole else HEADLESS)).new_context(**options)

    def launched(self, path: str) -> Any:
        if path not in self._launched:
            self._launched[path] = self._playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        return self._launched[path]

    def close(self) -> None:
        for browser in self._launched.values():
            browser.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[tuple[Browsers, asyncio.AbstractEventLoop]]:
    """Playwright, whose event loop stays running in this thread between its calls."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        skip("Playwright is missing: pip install -r requirements-dev.txt")
    if not CHROMIUM:
        skip("there is no Chromium (Debian: apt-get install chromium)")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browsers, loop = Browsers(playwright), asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield browsers, loop
        asyncio._set_running_loop(loop)
        browsers.close()


@pytest.fixture
def browsers(playwright: tuple[Browsers, asyncio.AbstractEventLoop]) -> Iterator[Browsers]:
    """The browsers. While a browser test runs, Playwright's event loop is the loop of this thread."""
    asyncio._set_running_loop(playwright[1])
    yield playwright[0]
    asyncio._set_running_loop(None)


# Where it matters that pages go through the service worker. Elsewhere it only takes a quarter of each page's time.
WITH_SERVICE_WORKER = {
    "test_account",
    "test_connection",
    "test_files",
    "test_notifications",
    "test_talking",
}

_numbers = itertools.count(1)


@pytest.fixture
def person(request: pytest.FixtureRequest, browsers: Browsers, server: Server) -> Iterator[Callable[..., Person]]:
    """Make a person: `person("Alice")` is registered and in the room; options are those of a browser context."""
    contexts = []
    workers = "allow" if request.path.stem in WITH_SERVICE_WORKER else "block"

    def make(name: str, *, at: Server | None = None, is_registered: bool = True, **options: Any) -> Person:
        usual = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "service_workers": workers}
        options = {**usual, **options}
        context = browsers.new_context(**options)
        contexts.append(context)
        # Every test has its own people, so one server is enough for all tests.
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
