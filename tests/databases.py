"""Databases for tests: the in-memory fake, and a real mongod as a replica set or alone."""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from chatroom.audit import Audit
from chatroom.config import Settings
from chatroom.embedded import EmbeddedMongo
from chatroom.embedded.mongod import find_binary, make_runnable
from chatroom.messages import Messages
from chatroom.notices import Notices
from chatroom.rooms import Rooms
from chatroom.services import INDEXES
from chatroom.store.audit import AuditStore
from chatroom.store.database import Database
from chatroom.store.listings import ListingStore
from chatroom.store.members import MemberStore
from chatroom.store.rooms import RoomStore


def in_memory(**settings: Any) -> Database:
    """A new mongomock, with the indexes that the room and its engine use."""
    database = Database.connect(Settings(mongo_uri="mongomock://", **settings))
    database.ensure_indexes(INDEXES)
    return database


def make_rooms(
    database: Database, messages: Messages, notices: Notices, audit: Audit | None = None, **settings: Any
) -> Rooms:
    """The rooms of a database."""
    stores = RoomStore(database), MemberStore(database), ListingStore(database)
    return Rooms(*stores, messages, notices, audit=audit or Audit(AuditStore(database)), **settings)


@contextmanager
def replica_set(folder: Path) -> Iterator[EmbeddedMongo]:
    """The bundled mongod as a replica set of one node."""
    with EmbeddedMongo.launch(folder) as mongo:
        mongo.wait_until_ready()
        yield mongo


def new_database(uri: str, **settings: Any) -> Database:
    """A database of its own on a server where `uri` may do everything, with its indexes."""
    name = f"test_{secrets.token_hex(4)}"
    database = Database.connect(Settings(mongo_uri=uri, secret_key="x" * 32, mongo_db=name, **settings))
    database.ensure_indexes(INDEXES)
    return database


@contextmanager
def standalone(folder: Path, *more: str) -> Iterator[str]:
    """The bundled mongod as it comes, without a replica set unless `more` options say so; yields its URI."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = make_runnable(find_binary(), folder)
    options = ["--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    mongod = subprocess.Popen(
        [str(binary), *options, "--wiredTigerCacheSizeGB", "0.25", "--quiet", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        _wait_until_it_answers(uri)
        yield uri
    finally:
        mongod.kill()
        mongod.wait()


def _wait_until_it_answers(uri: str) -> None:
    give_up_at = time.monotonic() + 30
    with pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=200) as client:
        while True:
            try:
                client.admin.command("ping")
                return
            except pymongo.errors.PyMongoError:
                if time.monotonic() > give_up_at:
                    raise
