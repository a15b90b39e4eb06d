"""The parts of this package, made once, and its collections."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Held, Message
from chatroom.base.threads import Workers
from chatroom.files import files_store, pictures
from chatroom.files.downloads import FileDownloads
from chatroom.files.files_store import FileStore
from chatroom.files.message_files import MessageFiles
from chatroom.files.sweep import FileSweep
from chatroom.files.uploads import FileUploads
from chatroom.files.usage import FileUsage
from chatroom.mongo.collections import CollectionModel
from chatroom.mongo.context import Context
from chatroom.site.background import BackgroundThread, make_chore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("files.files", files_store.INDEXES, "kept", ("files.chunks", "rooms", "users"), batch=50),
    CollectionModel("files.chunks", files_store.CHUNK_INDEXES, "kept", batch=8),
)


class FileParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the package offers; `threads` are what it does in the background while a server runs."""

    store: FileStore
    uploads: FileUploads
    downloads: FileDownloads
    of_messages: MessageFiles
    sweep: FileSweep
    drawing: Workers
    threads: Sequence[BackgroundThread]


class Below(Protocol):
    """The package below that this one works with."""

    site: SiteParts


def make(
    context: Context,
    below: Below,
    *,
    find_message: Callable[[str, str, str], Message | None],
    find_held: Callable[[str, str, str], Held | None] = lambda _room_id, _author_id, _client_id: None,
    clock: Clock = utc_now,
) -> FileParts:
    """Wire the package. A file is in use when `find_message` or `find_held` finds what it was sent with."""
    settings, drawing = context.settings, pictures.make_workers()
    store, usage = FileStore(context.database, clock=clock), FileUsage(find_message, find_held)
    sweep = FileSweep(store, usage, clock=clock)
    return FileParts(
        store=store,
        uploads=FileUploads(store, settings, drawing, usage, clock=clock),
        downloads=FileDownloads(store, usage),
        of_messages=MessageFiles(store, usage, most_files=settings.max_files_per_message, clock=clock),
        sweep=sweep,
        drawing=drawing,
        threads=(make_chore("files", sweep.run, below.site.leases),),
    )
