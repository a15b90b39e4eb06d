"""A neighbour on the machine, with an account of their own, who takes the place of a database that is about to start.

They read the port from the command line of the process that will listen there, which everybody may, and bind it first.
"""

import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import bson

from tests.attack.database import option
from tests.attack.site import Site

HEAD = struct.Struct("<iiii")
OP_MSG, OP_QUERY, OP_REPLY = 2013, 2004, 1


class Impostor:
    """Waits for the port to be named, takes it, and answers whoever comes as a mongod would."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.port = 0
        self.took_it = False
        self.heard: list[dict[str, Any]] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._lie_in_wait, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away."""
        self._is_over.set()
        self._thread.join()

    @property
    def secrets(self) -> list[str]:
        """In which commands a password came in the clear."""
        return [name for each in self.heard if "pwd" in each for name in list(each)[:1]]

    def _lie_in_wait(self) -> None:
        listener = None
        while listener is None and not self._is_over.is_set():
            for command in self._site.descendants().values():
                if port := option(command, "--port"):
                    self.port = int(port)
                    listener = listener or _bind(self.port)
            time.sleep(0.003)
        if listener is None:
            return
        self.took_it = True
        listener.settimeout(0.1)
        with listener:
            while not self._is_over.is_set():
                with suppress(OSError):
                    made, _ = listener.accept()
                    threading.Thread(target=self._answer, args=(made,), daemon=True).start()

    def _answer(self, made: socket.socket) -> None:
        made.settimeout(30)
        with made, made.makefile("rb") as stream, suppress(OSError, ValueError, struct.error, bson.errors.BSONError):
            while head := stream.read(HEAD.size):
                length, request, _, kind = HEAD.unpack(head)
                body = stream.read(length - HEAD.size)
                if kind == OP_MSG:
                    self.heard.append(bson.decode(body[5 : 5 + struct.unpack_from("<i", body, 5)[0]]))
                reply = bson.encode(_reply())
                if kind == OP_QUERY:
                    payload, answer = struct.pack("<iqii", 8, 0, 0, 1) + reply, OP_REPLY
                else:
                    payload, answer = struct.pack("<iB", 0, 0) + reply, OP_MSG
                made.sendall(HEAD.pack(HEAD.size + len(payload), 1, request, answer) + payload)


def _bind(port: int) -> socket.socket | None:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener


def _reply() -> dict[str, Any]:
    return {
        "ok": 1.0,
        "ismaster": True,
        "isWritablePrimary": True,
        "helloOk": True,
        "setName": "chatroom",
        "maxBsonObjectSize": 16777216,
        "maxMessageSizeBytes": 48000000,
        "maxWriteBatchSize": 100000,
        "minWireVersion": 0,
        "maxWireVersion": 17,
        "readOnly": False,
    }


def listeners(pids: set[int]) -> list[str]:
    """Where these processes listen on TCP."""
    inodes = set()
    for pid in pids:
        with suppress(OSError):
            for file in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    inodes.add(str(file.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = []
    for name in ("tcp", "tcp6"):
        for entry in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = entry.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.append(str(int(fields[1].rpartition(":")[2], 16)))
    return found
