"""Prepare a started mongod: its one-node replica set, its accounts, and the version of its data files.

Each completed step is recorded. After an interrupted start, the next start makes only the remaining steps.
The app's account can read and write only the databases for which it was created.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.mongod import REPLICA_SET
from chatroom.mongo.embedded.record import APP, ROOT, Record, write_record

log = logging.getLogger(__name__)

Client = MongoClient[dict[str, Any]]

_ANSWER_MILLISECONDS = 60_000
_REACH_MILLISECONDS = 10_000
_POLL_SECONDS = 0.005
_FIRST_TO_CONFIRM = 7
"""The first major version that requires `confirm: true` for an upgrade; earlier versions refuse the parameter."""
_NOT_YET = {94, 109}  # NotYetInitialized, ConfigurationInProgress


def prepare(folder: DataFolder, record: Record, check: Callable[[], None]) -> None:
    """Initiate the replica set, or configure its new socket; then wait until mongod accepts writes.

    This calls `check` during the wait. An error that `check` raises ends the wait.
    """
    is_new, has_moved = not record.databases, record.configured != record.socket
    with _connect(record.socket, record.root_password if has_moved and not is_new else None) as client:
        if is_new:  # without accounts, mongod allows all clients on this machine
            client.admin.command("replSetInitiate", _configuration(record.socket))
        elif has_moved:
            _repeat(lambda: _reconfigure(client, record.socket), check)
        _repeat(lambda: client.admin.command("hello").get("isWritablePrimary"), check)
        if is_new:
            client.admin.command("createUser", ROOT, pwd=record.root_password, roles=["root"])
    if has_moved:
        record.configured = record.socket
        write_record(folder, record)


def add_database(folder: DataFolder, record: Record, database: str) -> None:
    """Create an account for the app in a database, unless the database has an account."""
    if database not in record.databases:
        roles = [{"role": "readWrite", "db": database}]
        with _connect(record.socket, record.root_password) as client:
            client[database].command("createUser", APP, pwd=record.password, roles=roles)
        record.databases.append(database)
        write_record(folder, record)


def carry_over(folder: DataFolder, record: Record, binary: str) -> None:
    """Upgrade the data files to the version of this mongod, which has started successfully."""
    if record.binary == binary:
        return
    try:
        with _connect(record.socket, record.root_password) as client:
            record.compatibility = _upgrade(client)
    except OperationFailure as error:
        log.warning("the data files cannot be upgraded to this version of MongoDB: %s", error)
    else:
        record.binary = binary
        write_record(folder, record)


@contextmanager
def _connect(path: str, root_password: str | None) -> Iterator[Client]:
    """Open a client, as root if there is a password. No call waits longer than a minute."""
    client: Client = MongoClient(
        f"mongodb://{quote(path, safe='')}",
        directConnection=True,
        username=ROOT if root_password else None,
        password=root_password,
        serverSelectionTimeoutMS=_REACH_MILLISECONDS,
        socketTimeoutMS=_ANSWER_MILLISECONDS,
    )
    with client:
        yield client


def _reconfigure(client: Client, path: str) -> bool:
    """Configure the new socket. If mongod cannot do this yet, return False; then call this function again."""
    try:
        client.admin.command("replSetReconfig", _configuration(path), force=True)
    except OperationFailure as error:
        # mongod first asks the old socket whether it is the same node. This takes 30 s if nobody answers there.
        if error.code not in _NOT_YET:
            raise
        return False
    return True


def _upgrade(client: Client) -> str:
    """Upgrade the data files to mongod's version, and return the version. Earlier releases cannot read such files."""
    version = ".".join(map(str, client.server_info()["versionArray"][:2]))
    files = client.admin.command("getParameter", 1, featureCompatibilityVersion=1)["featureCompatibilityVersion"]
    if files != {"version": version}:
        confirmed: dict[str, Any] = {"confirm": True} if int(version.split(".")[0]) >= _FIRST_TO_CONFIRM else {}
        client.admin.command("setFeatureCompatibilityVersion", version, **confirmed)
        log.info("the data files were upgraded from MongoDB %s to %s", files["version"], version)
    return version


def _repeat(attempt: Callable[[], object], check: Callable[[], None]) -> None:
    while True:
        with suppress(AutoReconnect):  # mongod closes all connections when its state changes
            if attempt():
                return
        check()
        time.sleep(_POLL_SECONDS)


def _configuration(path: str) -> dict[str, Any]:
    return {"_id": REPLICA_SET, "version": 1, "members": [{"_id": 0, "host": path}]}
