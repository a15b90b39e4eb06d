"""This server as a subject. Accounts and tokens are created once; rooms and histories are written to the database."""

import json
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.request import HTTPCookieProcessor, Request, build_opener

from bson import ObjectId
from pymongo import MongoClient

from bench.dialects import Ours, text
from bench.machine import ROOT, SERVER_CORE, free_port
from bench.prepare import PRODUCT_PYTHON
from bench.servers import Server
from bench.subjects import Running, Stage

PEOPLE = ("alice", "bob", "carol")
PASSWORD = "correct horse battery staple"
_SEED = "bench_seed"
_LIMITS = (
    "LOGIN_LIMIT_ACCOUNT",
    "LOGIN_LIMIT_ADDRESS",
    "REGISTER_LIMIT_ADDRESS",
    "POST_LIMIT_ACCOUNT",
    "POST_LIMIT_ADDRESS",
    "SEARCH_LIMIT_ACCOUNT",
    "MAX_CONNECTIONS",
    "MAX_CONNECTIONS_PER_USER",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "MAX_HTTP_CONNECTIONS_PER_ADDRESS",
    "MAX_HELD_BYTES",
    "MAX_HELD_BYTES_PER_ADDRESS",
    "MAX_HELD_BYTES_PER_USER",
)


@dataclass
class Room:
    """The product, started as its README says, without rate and connection limits, otherwise with default settings."""

    key: str = "ours"
    title: str = "this server"
    processes: int = 1
    cores: frozenset[int] = frozenset(SERVER_CORE)
    env: dict[str, str] = field(default_factory=dict)
    _tokens: list[str] = field(default_factory=list)

    @contextmanager
    def up(self, stage: Stage) -> Iterator[Running]:
        """Start it on a database that contains only the users."""
        with stage.fresh_database() as uri:
            tokens = seed(stage)
            with MongoClient(uri) as client:
                for collection in client[_SEED].list_collection_names():
                    client[_SEED][collection].aggregate([{"$out": {"db": _name(uri), "coll": collection}}])
            with self._serve(stage, uri, self.key) as server:
                yield Running(server, Ours(tokens, secrets.token_hex(2)), uri)

    def beside(self, stage: Stage, running: Running) -> AbstractContextManager[Server]:
        """Start another server on the database of a running one."""
        return self._serve(stage, running.mongo_uri, f"{self.key}-beside")

    @contextmanager
    def _serve(self, stage: Stage, uri: str, log: str) -> Iterator[Server]:
        port = free_port()
        with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
            env = environment(uri, _name(uri), folder)
            env |= {"PORT": str(port), "WEB_CONCURRENCY": str(self.processes)} | self.env
            path = stage.folder / f"{log}.log"
            server = Server([python(), "test_mongo.py"], port, cores=self.cores, log=path, env=env, cwd=ROOT)
            try:
                yield server
            finally:
                server.stop()


def _name(uri: str) -> str:
    return uri.rsplit("/", 1)[1].split("?", maxsplit=1)[0]


def seed(stage: Stage) -> list[str]:
    """Create the users with the product's own commands, once per stage; return their tokens."""
    if not stage.tokens:
        env = {**os.environ, **environment(stage.uri(_SEED), _SEED, str(stage.folder))}
        for name in PEOPLE:
            _flask(env, "create-user", name, "--display-name", name.title(), typed=f"{PASSWORD}\n" * 2)
            stage.tokens.append(_flask(env, "create-token", name, "--label", "bench").split()[-1])
    return stage.tokens


def newest_revision(running: Running, slug: str = "lobby") -> int:
    """Return the newest revision of a room."""
    with MongoClient[dict[str, Any]](running.mongo_uri) as client:
        rows = client.get_default_database()
        room = rows.rooms.find_one({"slug": slug})
        newest = room and rows.messages.find_one({"room": room["_id"]}, sort=[("revision", -1)])
        return newest["revision"] if newest else 0


def add_rooms(running: Running, count: int) -> list[str]:
    """Create more rooms like the lobby, with all users as members; return their slugs."""
    slugs = [f"room-{number}" for number in range(count)]
    with MongoClient[dict[str, Any]](running.mongo_uri) as client:
        rows = client.get_default_database()
        lobby = rows.rooms.find_one({"slug": "lobby"})
        assert lobby
        rows.rooms.insert_many([{**lobby, "_id": slug, "slug": slug, "title": slug} for slug in slugs])
        people = [str(user["_id"]) for user in rows.users.find({}, {"_id": 1})]
        members = [{"user": user, "room": slug, "joined_at": datetime.now(UTC)} for slug in slugs for user in people]
        rows.memberships.insert_many(members)
    return slugs


def add_history(running: Running, slug: str, count: int, token: str) -> None:
    """Post one message, and write copies of it to the database until the room has `count` messages."""
    post = Request(
        f"http://127.0.0.1:{running.port}/api/rooms/{slug}/messages",
        json.dumps({"text": text(1)}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    made = json.load(build_opener().open(post, timeout=60))
    with MongoClient[dict[str, Any]](running.mongo_uri) as client:
        messages = client.get_default_database().messages
        first = messages.find_one({"_id": ObjectId(made["id"])})
        assert first
        for start in range(2, count + 1, 10_000):
            batch = [_copy(first, revision) for revision in range(start, min(start + 10_000, count + 1))]
            messages.insert_many(batch, ordered=False)


def _copy(message: dict[str, Any], revision: int) -> dict[str, Any]:
    """Return the message as it would be at that revision."""
    before, after = text(1), text(revision)
    changed = {
        "_id": ObjectId(),
        "sequence": revision,
        "revision": revision,
        "revisions": [revision],
        "client_id": f"history-{revision}",
        "text": after,
        "html": message["html"].replace(before, after),
    }
    return message | {name: value for name, value in changed.items() if name in message}


def log_in(port: int, name: str = PEOPLE[0]) -> str:
    """Log in by the form, as a browser does; return the Cookie header of the session."""
    cookies = HTTPCookieProcessor()
    browser = build_opener(cookies)
    address = f"http://127.0.0.1:{port}/login"
    page = browser.open(address, timeout=120).read().decode()
    browser.open(Request(address, login_form(page, name)), timeout=120).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies.cookiejar)


def login_form(page: str, name: str) -> bytes:
    """Return the completed form of a log-in page."""
    from urllib.parse import urlencode

    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"', page)
    token = found and (found[1] or found[2])
    return urlencode({"csrf_token": token or "", "username": name, "password": PASSWORD}).encode()


def environment(uri: str, name: str, folder: str) -> dict[str, str]:
    """Return the environment in which the product starts."""
    return {
        "MONGO_URI": uri,
        "MONGO_DB": name,
        "SECRET_KEY": "only for the bench, and long enough",
        "IP": "127.0.0.1",
        "DATA_DIR": folder,
        "LOG_LEVEL": "WARNING",
        **dict.fromkeys(_LIMITS, "0"),
    }


def python() -> str:
    """Return the path of the product's Python."""
    return os.environ.get(PRODUCT_PYTHON, str(ROOT / ".venv/bin/python"))


def _flask(env: dict[str, str], *command: str, typed: str = "") -> str:
    done = subprocess.run(
        [python(), "-m", "flask", "--app", "test_mongo", *command],
        input=typed, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"flask {command[0]}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return done.stdout
