"""The measured servers: how each is started for production, and which dialect it uses."""

import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

from pymongo import MongoClient

from bench import database
from bench.crowd import Crowd
from bench.dialects import XMPP, Dialect, Plain, SocketIO
from bench.machine import HERE, LOAD_CORE, SERVER_CORE, free_port
from bench.servers import Server

PEERS = HERE / "peers"
_runs = itertools.count(1)


@dataclass
class Stage:
    """The parts that all subjects share in a run: the database server, redis, a folder."""

    folder: Path
    mongod: Server
    redis: Server | None = None
    tokens: list[str] = field(default_factory=list)
    is_standalone: bool = False

    @classmethod
    def set(cls, folder: Path) -> "Stage":
        """Start mongod and redis on the load generator's core."""
        folder.mkdir(parents=True, exist_ok=True)
        mongod = database.start(folder / "mongod")
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        redis = (
            Server(command, port, cores=LOAD_CORE, log=folder / "redis.log", cwd=folder)
            if which("redis-server")
            else None
        )
        return cls(folder, mongod, redis)

    @classmethod
    def standalone(cls, folder: Path) -> "Stage":
        """Start a mongod outside a replica set, which therefore has no change streams."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, database.start(folder / "mongod", is_standalone=True), is_standalone=True)

    def uri(self, name: str) -> str:
        """Return the address of a database."""
        return database.uri(self.mongod, name, is_standalone=self.is_standalone)

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """Yield the address of an empty database, and drop it afterwards."""
        name = f"bench_{next(_runs)}"
        try:
            yield self.uri(name)
        finally:
            with MongoClient(self.uri(name)) as client:
                client.drop_database(name)


@dataclass
class Running:
    """A running subject."""

    server: Server
    dialect: Dialect
    mongo_uri: str

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self.server.port

    def crowd(self) -> Crowd:
        """Return an empty crowd that uses its dialect."""
        return Crowd(self.dialect, self.port, cpu=self.server.cpu_seconds)


@dataclass(frozen=True)
class Subject:
    """A server to measure."""

    key: str
    title: str
    command: Callable[[int], list[str]]
    dialect: Callable[[], Dialect]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path = PEERS

    @contextmanager
    def up(self, stage: Stage) -> Iterator[Running]:
        """Start it on an empty database, and stop it at the end."""
        port = free_port()
        with stage.fresh_database() as uri, tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            env = {"PORT": str(port), "MONGO_URI": uri, "FOLDER": folder, **self.env}
            if stage.redis:
                env["REDIS_URL"] = f"redis://127.0.0.1:{stage.redis.port}"
            log = stage.folder / f"{self.key}.log"
            server = Server(self.command(port), port, cores=SERVER_CORE, log=log, env=env, cwd=self.cwd)
            try:
                yield Running(server, self.dialect(), uri)
            finally:
                server.stop()


def _gunicorn(*options: str) -> Callable[[int], list[str]]:
    def command(port: int) -> list[str]:
        listen = ["-b", f"127.0.0.1:{port}", "--backlog", "4096", "--log-level", "warning"]
        return [sys.executable, "-m", "gunicorn", "-w", "1", *listen, *options]

    return command


def _uvicorn(application: str) -> Callable[[int], list[str]]:
    def command(port: int) -> list[str]:
        quiet = ["--log-level", "warning", "--no-access-log", "--ws-per-message-deflate", "false"]
        quiet += ["--lifespan", "off", "--ws", "websockets-sansio"]  # its fastest; this server uses it too
        return [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--backlog", "4096", *quiet]

    return command


def _node(port: int) -> list[str]:
    return ["node", "socketio.js"]


_FLASK = "flask_socketio_chat:app"
_PRODUCTION = {"NODE_ENV": "production"}
# The faster of its two Redis layers; uvicorn is at least as fast as daphne.
_LAYER = {"CHANNEL_LAYER": "channels_redis.pubsub.RedisPubSubChannelLayer"}

PEER_SUBJECTS = {
    subject.key: subject
    for subject in (
        Subject("node", "Node Socket.IO + mongodb", _node, SocketIO, _PRODUCTION, PEERS / "node"),
        Subject(
            "node-bare", "Node Socket.IO, no store", _node, SocketIO, {**_PRODUCTION, "STORE": "0"}, PEERS / "node"
        ),
        Subject(
            "flask-gevent",
            "Flask-SocketIO (gevent) + pymongo",
            _gunicorn(
                "-k", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "--worker-connections", "20000", _FLASK
            ),
            SocketIO,
            {"ASYNC_MODE": "gevent"},
        ),
        Subject(
            "flask-threads",
            "Flask-SocketIO (threads) + pymongo",
            _gunicorn("--threads", "1100", _FLASK),
            SocketIO,
            {"ASYNC_MODE": "threading"},
        ),
        Subject(
            "channels", "Django Channels + Redis + pymongo", _uvicorn("channels_chat.asgi:application"), Plain, _LAYER
        ),
        Subject(
            "prosody",
            "Prosody, MUC with its archive",
            lambda port: ["prosody", "-F", "--config", "prosody.cfg.lua"],
            XMPP,
        ),
        Subject("asgi", "bare ASGI broadcast, no store", _uvicorn("asgi_broadcast:application"), Plain),
        Subject(
            "picows", "picows (Cython) broadcast, no store", lambda port: [sys.executable, "picows_broadcast.py"], Plain
        ),
    )
}
