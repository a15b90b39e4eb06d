"""Let the embedded database listen at a port of the loopback, and send whoever is there the first passwords."""

import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from chatroom.mongo import embedded
from chatroom.mongo.embedded import EmbeddedMongo, replica


def apply() -> None:
    """Replace the place, and everything that expects a path there."""
    command = embedded.command

    def at_a_port(binary: Path, *, files: Path, key: Path, socket: Path) -> list[str]:
        words = command(binary, files=files, key=key, socket=socket)
        host, _, port = str(socket).partition(":")
        place = words.index("--bind_ip")
        return [*words[:place], "--bind_ip", host, "--port", port, *words[place + 2 :]]

    def wait_for_port(self: EmbeddedMongo, deadline: float) -> None:
        host, _, port = self._record.socket.partition(":")
        while True:
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
                return
            self._check_alive(deadline)
            time.sleep(0.005)

    def place_socket(_: Path) -> Path:
        return Path(f"127.0.0.1:{21_000 + secrets.randbelow(10_000)}")

    def quote(text: str, **_: Any) -> str:
        return text

    embedded.command = at_a_port
    embedded.place_socket = place_socket
    embedded.clear_place = lambda *_: None
    vars(embedded)["quote"] = quote
    vars(replica)["quote"] = quote
    EmbeddedMongo._wait_for_socket = wait_for_port  # type: ignore[method-assign]
