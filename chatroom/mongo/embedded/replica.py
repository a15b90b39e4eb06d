"""Create mongod's one-node replica set and its accounts, and update the set when its socket moves.

The app's account can read and write only the databases that it was created for.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from chatroom.mongo.embedded.mongod import REPLICA_SET

APP, ROOT = "chatroom", "root"

log = logging.getLogger(__name__)

Client = MongoClient[dict[str, Any]]

_ANSWER_MILLISECONDS = 60_000
_REACH_MILLISECONDS = 10_000
_POLL_SECONDS = 0.005
FIRST_TO_ASK = 7
"""The first major version that wants to be told that there is no way back; earlier ones do not know the word."""
_NOT_YET = {94, 109}  # NotYetInitialized, ConfigurationInProgress


@contextmanager
def connect(path: str, root_password: str | None = None) -> Iterator[Client]:
    """Open a client, as root where a password is given; nothing that it does waits for more than a minute."""
    user = ROOT if root_password else None
    client: Client = MongoClient(
        f"mongodb://{quote(path, safe='')}",
        directConnection=True,
        username=user,
        password=root_password,
        serverSelectionTimeoutMS=_REACH_MILLISECONDS,
        socketTimeoutMS=_ANSWER_MILLISECONDS,
    )
    with client:
        yield client


def initiate(client: Client, path: str) -> None:
    """Make the replica set; without an account, as mongod allows on this machine while it has none."""
    client.admin.command("replSetInitiate", _configuration(path))


def move(client: Client, path: str, check: Callable[[], None]) -> None:
    """Update the socket in the replica set: with a wrong one it elects no primary."""

    def reconfigure() -> bool:
        try:
            client.admin.command("replSetReconfig", _configuration(path), force=True)
        except OperationFailure as error:
            # First it asks whoever has the old place whether that is itself: for 30 s, if they say nothing.
            if error.code not in _NOT_YET:
                raise
            return False
        return True

    _repeat(reconfigure, check)


def wait_for_primary(client: Client, check: Callable[[], None]) -> None:
    """Wait until the node takes writes; `check` ends the wait by raising."""
    _repeat(lambda: client.admin.command("hello").get("isWritablePrimary"), check)


def add_root(client: Client, password: str) -> None:
    """Make the first account; the next ones need it."""
    client.admin.command("createUser", ROOT, pwd=password, roles=["root"])


def add_app(client: Client, database: str, password: str) -> None:
    """Make the app's account for one database."""
    roles = [{"role": "readWrite", "db": database}]
    client[database].command("createUser", APP, pwd=password, roles=roles)


def carry_over(client: Client) -> str:
    """Make the data files those of this version of mongod, and return it; earlier ones cannot read them then."""
    version = ".".join(map(str, client.server_info()["versionArray"][:2]))
    files = client.admin.command("getParameter", 1, featureCompatibilityVersion=1)["featureCompatibilityVersion"]
    if files == {"version": version}:
        return version
    confirmed: dict[str, Any] = {"confirm": True} if int(version.split(".")[0]) >= FIRST_TO_ASK else {}
    client.admin.command("setFeatureCompatibilityVersion", version, **confirmed)
    log.info("the data files were upgraded from MongoDB %s to %s", files["version"], version)
    return version


def _repeat(attempt: Callable[[], object], check: Callable[[], None]) -> None:
    while True:
        with suppress(AutoReconnect):  # it hangs up on everybody when its state changes
            if attempt():
                return
        check()
        time.sleep(_POLL_SECONDS)


def _configuration(path: str) -> dict[str, Any]:
    return {"_id": REPLICA_SET, "version": 1, "members": [{"_id": 0, "host": path}]}
