"""A program for `DrawingProcesses` that does what a decoder must not do."""

import os
import signal
import socket
import sys
from collections.abc import Callable

import msgspec

from chatroom.files import renderer
from chatroom.files.renderer import Drawing


def attempt(action: Callable[[], object]) -> str:
    try:
        action()
    except OSError:
        return "refused"
    return "possible"


def main(fault: str) -> None:
    renderer._confine(needs_threads=False)
    signal.alarm(0)  # an attacker would switch it off
    if fault == "hang":
        signal.pause()
    if fault == "crash":
        os.abort()
    if fault == "flood":
        while True:
            os.write(1, bytes(100_000))
    if fault == "lie":
        os.write(1, b"no picture")
    if fault == "memory":
        bytearray(2 * renderer.MEMORY_BYTES)
    if fault == "look":
        found = {
            "file": attempt(lambda: os.open("/etc/hostname", os.O_RDONLY)),
            "socket": attempt(socket.socket),
            "write": attempt(lambda: os.write(0, b"x")),
            "SECRET_KEY": str("SECRET_KEY" in os.environ),
        }
        view = ", ".join(f"{name}: {answer}" for name, answer in found.items()).encode()
        content = sys.stdin.buffer.read()
        os.write(1, msgspec.msgpack.encode(Drawing(width=1, height=1, thumbnail=content, view=view)))


if __name__ == "__main__":
    main(sys.argv[1])
