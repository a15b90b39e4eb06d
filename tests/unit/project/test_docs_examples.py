"""The examples of the documentation are run as they stand."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from flask import Flask

from chatroom.app import ASGI
from chatroom.base.config import Settings
from chatroom.people.accounts import Registration
from chatroom.services import Services
from tests.documents import blocks, pages, section
from tests.pictures import make_photo
from tests.visitors import PASSWORD, Visitor
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.mark.parametrize("page", pages())
def test_python_compiles(page: str) -> None:
    for number, block in enumerate(blocks(page, "python")):
        compile(block, f"{page}, block {number}", "exec")


@pytest.mark.parametrize("page", pages())
def test_shell_parses(page: str) -> None:
    for block in blocks(page, "sh"):
        # What stands for something of the reader's own, as `<this repository>`, is no redirection.
        text = re.sub(r"<[\w ]+>", "something", block)
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_by_hand_against_mongomock() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", section("README.md", "Test against mongomock"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)  # our own words
    names["services"].close()


class TestTalking:
    """The protocol's examples, against a server in this process, on mongomock."""

    @pytest.fixture
    def environment(self, app: Flask, alice: Visitor, services: Services) -> Iterator[dict[str, str]]:
        # Somebody of its own: alice is here as soon as she reads the page.
        user = services.people.accounts.create(Registration(username="echo", display_name="Echo", password=PASSWORD))
        token = services.people.sessions.create_token(user, label="an example")
        config = uvicorn.Config(ASGI(app), ws="websockets-sansio", log_config=None, lifespan="on")
        server = uvicorn.Server(config)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                wait_until(lambda: server.started)
                yield {"CHATROOM": f"http://127.0.0.1:{listener.getsockname()[1]}", "TOKEN": token}
            finally:
                server.should_exit = True
                thread.join(PATIENCE_SECONDS)
                assert not thread.is_alive()

    def test_two_commands_and_an_upload(self, environment: dict[str, str], alice: Visitor, tmp_path: Path) -> None:
        if shutil.which("curl") is None:
            return  # what the shell makes of it is tested above
        photo = make_photo(size=(1500, 1000), quality=95)
        assert len(photo) > Settings().max_request_bytes, "it is no large upload"
        (tmp_path / "photo.jpg").write_bytes(photo)

        def run(title: str) -> str:
            (example,) = re.findall(r"```sh\n(.*?)```", section("docs/protocol.md", title), re.DOTALL)
            commands = "\n".join(line for line in example.splitlines() if not line.startswith("export "))
            return subprocess.run(
                ["sh", "-euc", commands],
                cwd=tmp_path,
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=PATIENCE_SECONDS,
            ).stdout

        for _ in range(2):
            assert '"client_id":"backup-2026-11-21"' in run("Plain HTTP in two commands")
        assert '"type":"image/jpeg"' in run("Files")
        assert alice.get("/chatroom").text.count("The backup is done.") == 1

    def test_an_echo_bot_in_fifteen_lines(self, environment: dict[str, str], alice: Visitor, tmp_path: Path) -> None:
        (example,) = re.findall(r"```python\n(.*?)```", section("README.md", "An echo bot in fifteen lines"), re.DOTALL)
        assert len(example.splitlines()) <= 15
        (tmp_path / "bot.py").write_text(example)
        bot = subprocess.Popen([sys.executable, "bot.py"], cwd=tmp_path, env=os.environ | environment)
        try:
            wait_until(lambda: "Echo" in people(alice))
            alice.say("echo good evening")
            wait_until(lambda: ">good evening<" in alice.get("/chatroom").text)
        finally:
            bot.kill()
            bot.wait()

    def test_a_bot_in_fifty_lines(self, environment: dict[str, str], alice: Visitor, tmp_path: Path) -> None:
        (example,) = blocks("docs/protocol.md", "python")
        lines = [line for line in example.splitlines() if line.strip()]
        assert len(lines) <= 60
        (tmp_path / "bot.py").write_text(example)
        bot = subprocess.Popen([sys.executable, "bot.py"], cwd=tmp_path, env=os.environ | environment)
        try:
            wait_until(lambda: "Echo" in people(alice))
            alice.say("echo good evening")
            wait_until(lambda: ">good evening<" in alice.get("/chatroom").text)
        finally:
            bot.kill()
            bot.wait()


def people(visitor: Visitor) -> str:
    """The list of those who are here, as the page shows it."""
    return visitor.get("/chatroom").text.partition("data-people-list")[2]
