"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence

import msgspec

from chatroom.base.models import Held, Message
from chatroom.base.threads import Workers
from chatroom.files import files_store, pictures
from chatroom.files.files import Files
from chatroom.files.files_store import FileStore
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.site.background import BackgroundThread, make_chore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("files.files", files_store.INDEXES, "kept", ("files.chunks", "rooms", "users"), batch=50),
    CollectionModel("files.chunks", files_store.CHUNK_INDEXES, "kept", batch=8),
)


class FileParts(msgspec.Struct, frozen=True):
    """What the package offers; `threads` are what it does in the background while a server runs."""

    files: Files
    drawing: Workers
    threads: Sequence[BackgroundThread]


def make(
    context: Context,
    site: SiteParts,
    *,
    find_message: Callable[[str, str, str], Message | None],
    find_held: Callable[[str, str, str], Held | None],
) -> FileParts:
    """Wire the package. A file is in use when `find_message` or `find_held` finds what it was sent with."""
    drawing = pictures.make_workers()
    store = FileStore(context.database)
    files = Files(store, context.settings, drawing, find_message=find_message, find_held=find_held)
    return FileParts(files=files, drawing=drawing, threads=(make_chore("files", files.sweep, site.leases),))
