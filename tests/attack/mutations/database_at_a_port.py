"""Let the embedded database listen at a port of the loopback, and send whoever is there the first passwords."""

import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatroom.mongo.embedded import record, setup, supervisor
from chatroom.mongo.embedded.supervisor import Supervisor


def apply() -> None:
    """Replace the place, and everything that expects a path there."""
    command = supervisor.command

    def at_a_port(binary: Path, *, files: Path, key: Path, socket: Path) -> list[str]:
        words = command(binary, files=files, key=key, socket=socket)
        host, _, port = str(socket).partition(":")
        place = words.index("--bind_ip")
        return [*words[:place], "--bind_ip", host, "--port", port, *words[place + 2 :]]

    def wait_for_port(self: Supervisor, deadline: float) -> None:
        host, _, port = str(self._place).partition(":")
        while True:
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                return
            self.check_alive(deadline)
            time.sleep(0.005)

    def place_socket(_: Path) -> Path:
        return Path(f"127.0.0.1:{21_000 + secrets.randbelow(10_000)}")

    def quote(text: str, **_: Any) -> str:
        return text

    supervisor.command = at_a_port
    supervisor.place_socket = place_socket
    supervisor.clear_place = lambda *_: None
    vars(record)["quote"] = quote
    vars(setup)["quote"] = quote
    Supervisor.wait_for_socket = wait_for_port  # type: ignore[method-assign]
