"""Prepare a started mongod: its replica set, its accounts, and the version of its data files.

Completed steps are recorded, so that an interrupted start continues with the rest.
"""

import logging
from collections.abc import Callable

from pymongo.errors import OperationFailure

from chatroom.mongo.embedded import replica
from chatroom.mongo.embedded.folder import DataFolder
from chatroom.mongo.embedded.record import Record, write_record

log = logging.getLogger(__name__)


def prepare(folder: DataFolder, record: Record, check: Callable[[], None]) -> None:
    """Make the replica set at a first start, tell it a new socket, and wait until it takes writes."""
    is_new, has_moved = not record.databases, record.configured != record.socket
    with replica.connect(record.socket, record.root_password if has_moved and not is_new else None) as client:
        if is_new:
            replica.initiate(client, record.socket)
        elif has_moved:
            replica.move(client, record.socket, check)
        replica.wait_for_primary(client, check)
        if is_new:
            replica.add_root(client, record.root_password)
    if has_moved:
        record.configured = record.socket
        write_record(folder, record)


def add_database(folder: DataFolder, record: Record, database: str) -> None:
    """Give the app's user an account for a database, once."""
    if database not in record.databases:
        with replica.connect(record.socket, record.root_password) as client:
            replica.add_app(client, database, record.password)
        record.databases.append(database)
        write_record(folder, record)


def carry_over(folder: DataFolder, record: Record, binary: str) -> None:
    """After a start that went well with another mongod: the data files follow it."""
    if record.binary == binary:
        return
    try:
        with replica.connect(record.socket, record.root_password) as client:
            record.compatibility = replica.carry_over(client)
    except OperationFailure as error:
        log.warning("the data files cannot be upgraded to this version of MongoDB: %s", error)
    else:
        record.binary = binary
        write_record(folder, record)
