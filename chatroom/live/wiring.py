"""The parts of this package that are there without an event loop, and its collection."""

import msgspec

from chatroom.live.presence import presences_store
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context

COLLECTIONS = (CollectionModel("presences", presences_store.INDEXES),)


class LiveParts(msgspec.Struct, frozen=True):
    """What the package offers."""

    presences: PresenceStore


def make(context: Context) -> LiveParts:
    """Wire the package."""
    lease_seconds = context.settings.presence_lease_seconds
    return LiveParts(
        presences=PresenceStore(context.database, process=context.origin, lease_seconds=lease_seconds),
    )
