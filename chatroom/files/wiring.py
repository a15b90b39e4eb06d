"""The wiring of this package: its parts and its collections."""

from collections.abc import Callable

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Held, Message
from chatroom.files import files_store, pictures
from chatroom.files.child import DrawingProcesses
from chatroom.files.files_store import FileStore
from chatroom.files.message_files import FileUsage, MessageFiles
from chatroom.files.uploads import FileUploads
from chatroom.mongo.collections import CollectionModel
from chatroom.site.background import make_chore
from chatroom.site.wiring import SiteParts

COLLECTIONS = (
    CollectionModel("files.files", files_store.INDEXES, "kept", ("files.chunks", "rooms", "users"), batch=50),
    CollectionModel("files.chunks", files_store.CHUNK_INDEXES, "kept", batch=8),
)


class FileParts:
    """The parts of this package; `threads` has this package's background threads, which only a server starts."""

    def __init__(
        self,
        site: SiteParts,
        *,
        find_message: Callable[[str, str, str], Message | None],
        find_held: Callable[[str, str, str], Held | None],
        clock: Clock = utc_now,
    ) -> None:
        """Create the parts; a file is in use if `find_message` or `find_held` finds the message that contains it."""
        settings = site.context.settings
        self.drawing = pictures.make_workers()
        self.processes = DrawingProcesses()
        self.store = FileStore(site.context.database, clock=clock)
        self.usage = FileUsage(self.store, find_message, find_held, clock)
        self.uploads = FileUploads(self.store, settings, self.drawing, self.processes, self.usage, clock=clock)
        self.of_messages = MessageFiles(self.store, self.usage, most_files=settings.most_files, clock=clock)
        self.threads = (make_chore("files", self.usage.sweep, site.leases),)
