"""Read files of messages, for people who were found to have access."""

from collections.abc import Iterator

from chatroom.base.errors import Refused
from chatroom.files.files_store import FileStore, KeptFile
from chatroom.files.usage import FileUsage


class FileDownloads:
    """Find files, and read them."""

    def __init__(self, store: FileStore, usage: FileUsage) -> None:
        self._store = store
        self._usage = usage

    def get(self, file_id: str) -> KeptFile:
        """A file, for a person who was found to have access; else the same refusal as for everybody."""
        kept = self._store.find(file_id)
        if kept is None:
            raise no_such_file()
        return kept

    def is_unused(self, kept: KeptFile) -> bool:
        """Whether no message has it: then it is its owner's alone."""
        return not self._usage.has_message(kept)

    def read(self, kept: KeptFile, start: int, stop: int) -> Iterator[bytes]:
        """Its bytes from `start` to before `stop`, piece by piece."""
        return self._store.read(kept.file.id, start, stop)

    def thumbnail(self, kept: KeptFile) -> bytes:
        """The small copy of a picture, a WebP; empty for what is none."""
        return self._store.thumbnail(kept.file.id)


def no_such_file() -> Refused:
    """The one answer, whether there is no file, or it is somebody else's business."""
    return Refused("not_found", "There is no such file, or you may not see it.")
