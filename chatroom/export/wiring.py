"""The parts of this package, made once."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chatroom.export.backup_store import BackupStore
from chatroom.export.export import Exports
from chatroom.export.own_data import OwnData
from chatroom.messages.wiring import MessageParts
from chatroom.moderation.wiring import ModerationParts
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.people.wiring import PeopleParts
from chatroom.rooms.wiring import RoomParts
from chatroom.search.wiring import SearchParts


class ExportParts(msgspec.Struct, frozen=True):
    """What the package offers."""

    exports: Exports
    own_data: OwnData
    backups: BackupStore


class Below(Protocol):
    """The packages below that this one works with."""

    people: PeopleParts
    messages: MessageParts
    rooms: RoomParts
    moderation: ModerationParts
    search: SearchParts


def make(context: Context, below: Below, *, collections: Sequence[CollectionModel]) -> ExportParts:
    """Wire the package. `collections` are those of the whole site."""
    return ExportParts(
        exports=Exports(below.messages.store),
        own_data=OwnData(below.people.sessions, below.messages.store, below.rooms, below.moderation.held, below.search),
        backups=BackupStore(context.database, collections),
    )
