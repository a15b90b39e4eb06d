"""Three mongods as a replica set, each on a disk of its own that can be filled, and behind a proxy that can fail.

The set is configured with the proxies' ports, so that its own traffic and the app's both pass through them.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from chatroom.mongo.embedded.mongod import find_binaries, make_runnable
from tests.faults.process import Process
from tests.faults.proxy import Proxy
from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS

NAME = "faults"
NODES = 3
DISK_MEGABYTES = 320
ELECTION_MILLISECONDS = 1000
# Small, so that a full disk is noticed when the next one is begun: what is begun has its whole space already.
_JOURNAL = "log=(enabled=true,path=journal,compressor=snappy,prealloc=false,file_max=1MB)"
_PARAMETERS = {
    "diagnosticDataCollectionEnabled": "false",
    "shutdownTimeoutMillisForSignaledShutdown": "1000",
}

Client = MongoClient[dict[str, Any]]


class Disk:
    """The folder of a node: a small file system of its own where that can be mounted, else a plain folder."""

    def __init__(self, folder: Path, megabytes: int = DISK_MEGABYTES) -> None:
        self.folder = folder
        self.why_not = ""
        folder.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "chatroom-faults", str(folder)]
        try:
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
            self.why_not = done.stderr.strip() or ("" if done.returncode == 0 else "mount failed")
        except OSError as error:
            self.why_not = str(error)

    def fill(self) -> None:
        """Leave no byte free."""
        with contextlib.suppress(OSError), (self.folder / "ballast").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        with contextlib.suppress(OSError), (self.folder / "ballast").open("ab", buffering=0) as file:
            while True:
                file.write(bytes(512))

    def free(self) -> None:
        """Make room again."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount."""
        if not self.why_not:
            subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)


class Node:
    """One mongod with its disk and its proxy."""

    def __init__(self, number: int, folder: Path, binary: Path) -> None:
        self.number = number
        self._port = Port()
        self.port = self._port.number
        self.disk = Disk(folder / f"disk{number}")
        files = self.disk.folder / "files"
        files.mkdir(mode=0o700)
        self.process = Process(f"mongod{number}", _command(binary, files, self.port), folder / f"mongod{number}.out")
        # The app names itself when it connects; whoever does not is another node.
        self.proxy = Proxy(self.port, classify=lambda first: "app" if b"chatroom" in first else "node")

    @contextlib.contextmanager
    def client(self, seconds: float = 2.0) -> Iterator[Client]:
        """A client of this node alone, past its proxy."""
        milliseconds = int(seconds * 1000)
        client: Client = MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=milliseconds, appname="harness"
        )
        with client, pymongo.timeout(seconds):
            yield client

    async def close(self) -> None:
        """Kill it if it still runs, and give everything back."""
        self.process.close()
        await self.proxy.stop()
        self.disk.close()
        self._port.release()

    def is_primary(self) -> bool:
        """Whether it takes writes now."""
        if not self.process.is_running or self.process.is_frozen:
            return False
        try:
            with self.client() as client:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False


class ReplicaSet:
    """The three. What blocks is called in threads; processes are started from the main one."""

    def __init__(self, folder: Path) -> None:
        binary = make_runnable(find_binaries()[0], folder)
        self.nodes = [Node(number, folder, binary) for number in range(NODES)]
        hosts = ",".join(f"127.0.0.1:{node.proxy.port}" for node in self.nodes)
        self.uri = f"mongodb://{hosts}/?replicaSet={NAME}"

    async def start(self) -> None:
        """Start the nodes, make them a set, and wait for a primary."""
        for node in self.nodes:
            await node.proxy.start()
            node.process.start()
        await asyncio.to_thread(self._initiate)
        await self.primary()

    async def primary(self, seconds: float = PATIENCE_SECONDS) -> Node:
        """Wait for a primary."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for node in self.nodes:
                if await asyncio.to_thread(node.is_primary):
                    return node
            await asyncio.sleep(0.1)
        raise TimeoutError(f"no primary within {seconds:g} s")

    async def secondaries(self) -> list[Node]:
        """The others."""
        primary = await self.primary()
        return [node for node in self.nodes if node is not primary]

    async def heal(self) -> None:
        """Undo everything that was done to a node."""
        for node in self.nodes:
            node.proxy.heal()
            node.disk.free()
            node.process.thaw()
            if not node.process.is_running:
                node.process.start()

    async def wait_until_whole(self, seconds: float) -> None:
        """Wait until every node is a member in good health."""
        await self._wait(lambda: all(self._state(node) in {1, 2} for node in self.nodes), seconds)

    async def stop(self) -> None:
        """Kill the nodes, and give everything back."""
        for node in self.nodes:
            await node.close()

    def dump(self, database: str) -> list[dict[str, Any]]:
        """Every message that a majority has, and that the three nodes agree on, read past the app."""
        with pymongo.timeout(PATIENCE_SECONDS), MongoClient[dict[str, Any]](self.uri, appname="harness") as client:
            concern = pymongo.read_concern.ReadConcern("linearizable")
            # Nothing is read before this primary has proven that it is one.
            client.get_database(database).get_collection("messages", read_concern=concern).find_one({"_id": 0})
            concern = pymongo.read_concern.ReadConcern("majority")
            return list(client.get_database(database).get_collection("messages", read_concern=concern).find())

    def _initiate(self) -> None:
        members = [{"_id": node.number, "host": f"127.0.0.1:{node.proxy.port}", "priority": 1} for node in self.nodes]
        settings = {"electionTimeoutMillis": ELECTION_MILLISECONDS}
        for node in self.nodes:  # each asks the others whether they agree
            with node.client(PATIENCE_SECONDS) as client:
                client.admin.command("ping")
        with self.nodes[0].client(PATIENCE_SECONDS) as client:
            client.admin.command(
                "replSetInitiate", {"_id": NAME, "version": 1, "members": members, "settings": settings}
            )

    def _state(self, node: Node) -> int:
        try:
            with node.client(1.0) as client:
                return int(client.admin.command("replSetGetStatus")["myState"])
        except PyMongoError:
            return -1

    async def _wait(self, is_true: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(is_true):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the replica set is not whole after {seconds:g} s")
            await asyncio.sleep(0.1)


def _command(binary: Path, files: Path, port: int) -> list[str]:
    options = {
        "--dbpath": str(files),
        "--port": str(port),
        "--bind_ip": "127.0.0.1",
        "--replSet": NAME,
        "--networkMessageCompressors": "disabled",
        "--wiredTigerCacheSizeGB": "0.25",
        "--oplogSize": "64",
        "--wiredTigerEngineConfigString": _JOURNAL,
        "--slowms": "1000000000",
        "--syncdelay": "5",
    }
    words = [word for option in options.items() for word in option]
    parameters = [word for name, value in _PARAMETERS.items() for word in ("--setParameter", f"{name}={value}")]
    return [str(binary), "--nounixsocket", "--noscripting", "--quiet", *words, *parameters]


def remove(folder: Path) -> None:
    """Remove a folder of an earlier replica set."""
    shutil.rmtree(folder, ignore_errors=True)


def environment() -> dict[str, str]:
    """The environment without what would lead an app elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MONGO", "SECRET", "CHATROOM"))}
