"""Databases for tests: the in-memory fake, and a real mongod as a replica set or alone."""

import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pymongo

from chatroom.base.config import Settings
from chatroom.base.models import Author
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.writer import Writer
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.mongo.embedded.mongod import find_binaries, make_runnable
from chatroom.rooms.wiring import RoomParts
from chatroom.services import COLLECTIONS
from chatroom.site.acts import Acts, FollowUp
from chatroom.site.acts_store import ActStore
from chatroom.site.audit_store import Act, AuditStore, Subject
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.ports import Port
from tests.waiting import PATIENCE_SECONDS, wait_until

PATIENT = {"store_timeout_seconds": PATIENCE_SECONDS}
"""Long enough for a busy machine: a pause of some seconds must not look like a database that does not answer."""


def in_memory(**settings: Any) -> Database:
    """A new mongomock with all indexes."""
    database = Database.connect(Settings(mongo_uri="mongomock://", **PATIENT | settings))
    database.ensure_indexes(COLLECTIONS)
    return database


def make_rooms(
    database: Database,
    writer: Writer,
    notices: Notices,
    acts: Acts | None = None,
    settings: Settings | None = None,
    **given: Any,
) -> RoomParts:
    """Make the parts of the package `rooms` on a database."""
    context = Context(settings or Settings(mongo_uri="mongomock://"), database, "", "here")
    site: Any = SimpleNamespace(context=context, notices=notices, acts=acts or make_acts(database, notices))
    messages: Any = SimpleNamespace(writer=writer, store=MessageStore(database, origin="here"))
    return RoomParts(site, messages, **given)


def make_acts(
    database: Database,
    notices: Notices | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    follow_ups: Mapping[str, FollowUp] | None = None,
) -> Acts:
    """Make the `Acts` of a database."""
    tell = (notices or Notices(NoticeStore(database))).tell
    return Acts(ActStore(database), AuditStore(database), tell, follow_ups=follow_ups, clock=clock)


def record(
    database: Database,
    actor: Author,
    act: str,
    subject: Subject,
    reason: str = "",
    *,
    details: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Add an entry to the audit log, without the act."""
    room = subject if subject.kind == "room" else None
    done = Act(
        at=at or datetime.now(UTC),
        actor=actor,
        act=act,
        subject=subject,
        reason=reason,
        details=details or {},
        room=room,
    )
    AuditStore(database).add(ActStore(database).new_id(), done)


@contextmanager
def replica_set(folder: Path) -> Iterator[EmbeddedMongo]:
    """The bundled mongod as a replica set of one node. It removes no expired documents."""
    with EmbeddedMongo.launch(folder) as mongo:
        mongo.wait_until_ready()
        with pymongo.MongoClient[dict[str, Any]](mongo.root_uri) as client:
            client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
        yield mongo


def new_database(uri: str, **settings: Any) -> Database:
    """A new database with its indexes, on a server where `uri` has all rights."""
    name = f"test_{secrets.token_hex(4)}"
    database = Database.connect(Settings(mongo_uri=uri, secret_key="x" * 32, mongo_db=name, **PATIENT | settings))
    database.ensure_indexes(COLLECTIONS)
    return database


@contextmanager
def standalone(folder: Path, *more: str, port: Port | None = None) -> Iterator[str]:
    """The bundled mongod without a replica set (unless `more` options set one); yields its URI."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given, port = port, port or Port()
    binary = make_runnable(find_binaries()[0], folder)
    options = ["--dbpath", str(folder), "--port", str(port.number), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    mongod = subprocess.Popen(
        [str(binary), *options, "--wiredTigerCacheSizeGB", "0.25", "--quiet", *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        uri = f"mongodb://127.0.0.1:{port.number}/?directConnection=true"
        _wait_until_it_answers(uri)
        yield uri
    finally:
        mongod.kill()
        mongod.wait()
        if given is None:
            port.release()


def _wait_until_it_answers(uri: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=200) as client:

        def answers() -> bool:
            try:
                client.admin.command("ping")
            except pymongo.errors.PyMongoError:
                return False
            return True

        wait_until(answers, f"no mongod answers at {uri}")
