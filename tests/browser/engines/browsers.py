"""The three engines as Debian has them, each with the same choices, and driven by Selenium.

Every person has a browser process of their own, because a WebDriver session has one set of cookies.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.browser.engines.marionette import Marionette
from tests.waiting import PATIENCE_SECONDS, wait_until


@dataclass(frozen=True)
class Look:
    """How a person reads: the size of the page, the colours, and whether scripts run."""

    width: int = 1100
    height: int = 800
    is_dark: bool = False
    has_scripts: bool = True


@contextmanager
def chromium(look: Look, folder: Path) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("headless=new", "no-sandbox", "disable-gpu", f"user-data-dir={folder}"):
        options.add_argument(f"--{argument}")
    mouse = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
    options.add_argument(f"--blink-settings=preferredColorScheme={0 if look.is_dark else 1},{mouse}")
    if not look.has_scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    with webdriver.Chrome(options, ChromeService(shutil.which("chromedriver"))) as driver:
        size = {"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield driver


@contextmanager
def firefox(look: Look, folder: Path) -> Iterator[WebDriver]:
    preferences = {
        "marionette.port": 0,  # chosen by the kernel, and written into the profile
        "ui.primaryPointerCapabilities": 6,  # a mouse: without a screen, Firefox has none
        "ui.allPointerCapabilities": 6,
        "javascript.enabled": look.has_scripts,
        "layout.css.prefers-color-scheme.content-override": 0 if look.is_dark else 1,
        "app.normandy.enabled": False,
        "app.update.disabledForTesting": True,
        "browser.shell.checkDefaultBrowser": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "services.settings.server": "data:,",
        "toolkit.telemetry.enabled": False,
    }
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
    (folder / "user.js").write_text("".join(lines))
    command = [
        "firefox-esr",
        "--headless",
        "--marionette",
        "--remote-allow-system-access",
        "--no-remote",
        "--profile",
        str(folder),
    ]
    with _process(command, folder):
        chosen = folder / "MarionetteActivePort"
        port = wait_until(lambda: chosen.is_file() and chosen.read_text(), "Firefox does not listen")
        connection = Marionette(int(port), PATIENCE_SECONDS)
        try:
            options, files = webdriver.FirefoxOptions(), UselessFileDetector()
            driver = webdriver.Remote(connection, file_detector=files, options=options)  # type: ignore[arg-type]
            connection.resize(look.width, look.height)
            yield driver
        finally:
            connection.close()


@contextmanager
def webkit(look: Look, folder: Path) -> Iterator[WebDriver]:
    options = webdriver.WebKitGTKOptions()
    (options.binary_location,) = map(str, Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    for argument in ("automation", "javascript-can-open-windows-automatically=true"):
        options.add_argument(f"--{argument}")
    if not look.has_scripts:
        options.add_argument("--enable-javascript=false")
    with _display(folder) as display:
        environment = {**os.environ, "DISPLAY": display, "HOME": str(folder)}
        if look.is_dark:
            environment["GTK_THEME"] = "Adwaita:dark"
        service = WebKitService(str(shutil.which("WebKitWebDriver")), env=environment)
        service.start()
        try:
            connection = RemoteConnection(client_config=ClientConfig(service.service_url))
            with webdriver.Remote(connection, file_detector=UselessFileDetector(), options=options) as driver:
                if look.has_scripts:
                    _lay_out(driver, look)
                yield driver
        finally:
            service.stop()


def _lay_out(driver: WebDriver, look: Look) -> None:
    """Change to a window without a toolbar, which may be as narrow as a phone, and give it the focus."""
    first = driver.current_window_handle
    driver.execute_script(f"window.open('about:blank', '_blank', 'width={look.width},height={look.height}')")
    second = wait_until(lambda: set(driver.window_handles) - {first}).pop()
    driver.close()
    driver.switch_to.window(second)
    driver.minimize_window()  # there is no window manager, and a window that comes back gets the focus
    driver.set_window_rect(0, 0, look.width, look.height)


PROGRAMS = {
    "chromium": {"chromium": "chromium", "chromedriver": "chromium-driver"},
    "firefox": {"firefox-esr": "firefox-esr"},
    "webkit": {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"},
}


def find_missing(engine: str) -> str:
    """The Debian packages that an engine lacks here."""
    return " ".join(package for program, package in PROGRAMS[engine].items() if not shutil.which(program))


def start(engine: str, look: Look, folder: Path) -> AbstractContextManager[WebDriver]:
    """A running browser of an engine, whose files are in the folder."""
    return {"chromium": chromium, "firefox": firefox, "webkit": webkit}[engine](look, folder)


@contextmanager
def _display(folder: Path) -> Iterator[str]:
    """A screen for the engine that does not run without one."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with _process(command, folder) as process:
        assert process.stdout is not None
        yield f":{process.stdout.readline().decode().strip()}"


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "errors.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)
