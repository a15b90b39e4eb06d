"""The parts of this package, made once, and its collections."""

from collections.abc import Callable

import msgspec

from chatroom.base.models import Held, Message
from chatroom.base.threads import Workers
from chatroom.files import files_store, pictures
from chatroom.files.files import Files
from chatroom.files.files_store import FileStore
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context

COLLECTIONS = (
    CollectionModel("files.files", files_store.INDEXES, "kept", ("files.chunks", "rooms", "users"), batch=50),
    CollectionModel("files.chunks", files_store.CHUNK_INDEXES, "kept", batch=8),
)


class FileParts(msgspec.Struct, frozen=True):
    """What the package offers."""

    files: Files
    drawing: Workers


def make(
    context: Context,
    *,
    find_message: Callable[[str, str, str], Message | None],
    find_held: Callable[[str, str, str], Held | None],
) -> FileParts:
    """Wire the package. A file is in use when `find_message` or `find_held` finds what it was sent with."""
    drawing = pictures.make_workers()
    store = FileStore(context.database)
    return FileParts(
        files=Files(store, context.settings, drawing, find_message=find_message, find_held=find_held),
        drawing=drawing,
    )
