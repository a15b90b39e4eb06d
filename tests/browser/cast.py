"""Who and what the browser tests are about: a server that can be killed, and people with browsers."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest

from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a quiet evening indoors"
WAIT_MS = int(PATIENCE_SECONDS * 1000)


def skip(reason: str) -> NoReturn:
    """Skip, except in CI, where nothing is skipped."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI nothing is skipped")
    pytest.skip(reason)


class Server:
    """The room as a process of its own, which can be killed and started again on the same data."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._port = Port()
        self.url = f"http://127.0.0.1:{self._port.number}"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MONGO", "SECRET"))}
        environment |= {
            "IP": "127.0.0.1",
            "PORT": str(self._port.number),
            "DATA_DIR": str(self.folder),
            "BCRYPT_ROUNDS": "4",
            "REGISTER_LIMIT_ADDRESS": "0",
            "LOGIN_LIMIT_ADDRESS": "0",
            "POST_LIMIT_ACCOUNT": "0",
            "POST_LIMIT_ADDRESS": "0",
            **self._settings,
        }
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "test_mongo.py"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self._await_answer()

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)

    @contextmanager
    def stopped_database(self) -> Iterator[None]:
        """Let the database stand still, as on a machine that is out of breath."""
        folder = str(self.folder).encode()
        (pid,) = (
            int(process.parent.name)
            for process in Path("/proc").glob("[0-9]*/cmdline")
            if (words := _read(process).split(b"\0"))[0].endswith(b"mongod") and any(folder in word for word in words)
        )
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        self._port.release()
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _await_answer(self) -> None:
        wait_until(lambda: self._answers() or not self._is_running, "the server does not answer")
        log = (self.folder.parent / f"{self.folder.name}.log").read_text(errors="replace")
        assert self._is_running, f"the server did not start:\n{log[-4000:]}"

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/login", timeout=PATIENCE_SECONDS).status_code == 200
        except httpx.TransportError:
            return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it ended meanwhile
        return b""


class Person:
    """Somebody with a browser, and what they can do in the words of the page."""

    def __init__(self, context: Any, url: str, name: str) -> None:
        self.context = context
        self.url = url
        self.name = name
        self.username = "".join(c for c in name.lower() if c.isascii() and c.isalnum())
        self.page = self.open_tab()

    def open_tab(self) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        return page

    def register(self) -> "Person":
        """Make the account with plain requests, and go to the room; the form itself has a test of its own."""
        form = self.context.request.get(f"{self.url}/register").text()
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', form)
        assert token
        fields = {"username": self.username, "display_name": self.name, "csrf_token": token[1], "next": ""}
        fields |= {"password": PASSWORD, "password_again": PASSWORD}
        answer = self.context.request.post(f"{self.url}/register", form=fields, max_redirects=0)
        assert answer.status == 303, answer.text()
        self.page.goto(f"{self.url}/chatroom")
        self._hide_first_steps()
        return self

    def register_by_form(self) -> "Person":
        self.page.goto(f"{self.url}/register")
        self.page.get_by_label("User name").fill(self.username)
        self.page.get_by_label("Display name").fill(self.name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_label("Password again").fill(PASSWORD)
        self.page.get_by_role("button", name="Register").click()
        self.page.wait_for_url("**/chatroom**")
        self._hide_first_steps()
        return self

    def _hide_first_steps(self) -> None:
        """Make the room the same for everybody: whoever is the first on a server administers it."""
        if (steps := self.page.locator(".first-steps__hide button")).count():
            steps.click()
            self.page.locator(".first-steps").wait_for(state="detached")

    def log_in(self, password: str = PASSWORD) -> "Person":
        if "/login" not in self.page.url:
            self.page.goto(f"{self.url}/login")
        self.page.get_by_label("User name").fill(self.username)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Log in").click()
        self.page.wait_for_url(re.compile(r"^[^?]*/chatroom"))  # and not /login?next=/chatroom
        return self

    def log_out(self) -> None:
        """Log out by the menu behind the own picture."""
        self.page.get_by_role("button", name="Your account").click()
        self.page.get_by_role("button", name="Log out").click()

    def enter(self) -> "Person":
        """Go to the room, and wait until it is live."""
        self.page.goto(f"{self.url}/chatroom")
        return self.await_state("Live")

    def await_state(self, text: str, timeout: float = WAIT_MS) -> "Person":
        self.page.locator("[data-state-text]", has_text=re.compile(f"^{text}")).wait_for(timeout=timeout)
        return self

    def write(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)

    def say(self, text: str) -> None:
        self.write(text)
        self.page.get_by_label("Message", exact=True).press("Enter")

    def sees(self, text: str, timeout: float = WAIT_MS) -> None:
        """Wait until a stored message with this text is there."""
        self.message(text).wait_for(timeout=timeout)

    def message(self, text: str) -> Any:
        return self.page.locator("[data-messages] [data-message]", has_text=text)

    def texts(self, containing: str) -> list[str]:
        """The texts of the messages in their order."""
        texts = self.page.locator("[data-messages] [data-body]").all_inner_texts()
        return [text.strip() for text in texts if containing in text]

    def post(self, *texts: str) -> None:
        """Post without the page, as a script would."""
        token = self.page.locator("meta[name=csrf-token]").get_attribute("content")
        for text in texts:
            answer = self.context.request.post(
                f"{self.url}/api/rooms/lobby/messages", data={"text": text}, headers={"X-CSRFToken": token}
            )
            assert answer.status == 201, answer.text()
