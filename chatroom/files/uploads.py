"""Store uploaded files for future messages, within the limits on space.

The camera's metadata is removed from pictures and videos.
"""

import mimetypes
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import msgspec

from chatroom.base.clock import Clock, utc_now
from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.base.models import File, Room
from chatroom.base.threads import Workers
from chatroom.files import films, heif, pictures
from chatroom.files.child import DrawingProcesses
from chatroom.files.files_store import PIECE_BYTES, FileStore, KeptFile, make_file_id
from chatroom.files.filetypes import PICTURE_ENDINGS, PICTURES, UNKNOWN, find_type
from chatroom.files.message_files import CHECK_EVERY, UNUSED_FOR, FileUsage
from chatroom.files.renderer import NO_DRAWING, OPENERS, Drawing
from chatroom.names import NAMELESS, FileName, clean_file_name

MEMORY_BYTES = 1_000_000
"""The maximum number of bytes of an upload in memory. A larger upload is on disk."""
MESSAGES_IN_PREPARATION = 2
"""A user's files without a message may fill this many messages."""
LEAST_PART = 10
"""A user's files without a message take at most a tenth of the whole space."""


class FileUploads:
    """Checks files, prepares them, and stores them."""

    def __init__(
        self,
        store: FileStore,
        settings: Settings,
        drawing: Workers,
        processes: DrawingProcesses,
        usage: FileUsage,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._most_bytes = settings.max_file_bytes
        self._most_total = settings.max_total_file_bytes
        self.share = _share(settings)
        self._drawing = drawing
        self._processes = processes
        self._usage = usage
        self._clock = clock

    def take(self, user_id: str, room: Room, name: str, stream: BinaryIO) -> File:
        """Store a file for a later message; raise `Refused` (`empty`, `too_large`, `full`, `invalid`, `busy`)."""
        with SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
            size = self._take_in(stream, cast("BinaryIO", spool))
            if not size and not name:
                raise Refused("empty", "Nothing was sent: neither a name nor a byte.")
            type = find_type(cast("BinaryIO", spool), clean_file_name(name))
            spool.seek(0)
            file = File(id=make_file_id(), name=_name_of(name, type), type=type, size=size)
            if type in PICTURES:
                return self._keep_picture(user_id, room, file, cast("BinaryIO", spool))
            _strip(type, cast("BinaryIO", spool))
            drawing = self._processes.draw(type, cast("BinaryIO", spool)) if type in OPENERS else None
            file, drawing = _describe(file, drawing or NO_DRAWING)
            spool.seek(0)
            pieces = iter(lambda: spool.read(PIECE_BYTES), b"")
            self._keep(user_id, room, file, pieces, thumbnail=drawing.thumbnail, view=drawing.view)
            return file

    def _take_in(self, stream: BinaryIO, spool: BinaryIO) -> int:
        size = 0
        while piece := stream.read(PIECE_BYTES):
            size += len(piece)
            self._check_size(size, "The file is too large")
            spool.write(piece)
        return size

    def _keep_picture(self, user_id: str, room: Room, file: File, spool: BinaryIO) -> File:
        picture = self._drawing.run(lambda: pictures.prepare(spool, file.type))
        content = picture.content
        self._check_size(len(content), f"The picture has {in_megabytes(len(content))} without its metadata")
        file = msgspec.structs.replace(
            file,
            size=len(content),
            width=picture.width,
            height=picture.height,
            is_animated=picture.is_animated,
            has_view=bool(picture.view),
        )
        pieces = (content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))
        self._keep(user_id, room, file, pieces, thumbnail=picture.thumbnail, view=picture.view)
        return file

    def _check_size(self, size: int, problem: str) -> None:
        if 0 < self._most_bytes < size:
            raise Refused("too_large", f"{problem}: at most {in_megabytes(self._most_bytes)} are allowed.")

    def _keep(
        self,
        user_id: str,
        room: Room,
        file: File,
        pieces: Iterator[bytes],
        *,
        thumbnail: bytes = b"",
        view: bytes = b"",
    ) -> None:
        now = self._clock()
        self._store.add(
            file,
            pieces,
            room_id=room.id,
            owner_id=user_id,
            thumbnail=thumbnail,
            view=view,
            check_at=now + UNUSED_FOR,
            check=partial(self._check_space, user_id, now),
        )

    def _check_space(self, user_id: str, now: datetime) -> None:
        """Raise `Refused` (`full`) if the files of the site, or this user's unused files, take too much space."""
        if 0 < self._most_total < self._store.total_bytes():
            raise Refused("full", "There is no space left for files. The operator of the site can add some.")
        recent = self._store.recent(user_id, now, now + UNUSED_FOR)
        if 0 < self.share < _bytes_of(recent):
            used = {kept.file.id for kept in recent if self._usage.is_used(kept)}
            self._store.check_at(list(used), now + CHECK_EVERY)  # they are not checked again before then
            if self.share < _bytes_of(kept for kept in recent if kept.file.id not in used):
                allowed = f"at most {in_megabytes(self.share)} are allowed"
                advice = "Post them, or wait: they are removed a day after the upload."
                raise Refused("full", f"Too many of your uploads are not part of a message: {allowed}. {advice}")


def in_megabytes(size: int) -> str:
    """Format a number of bytes with its unit."""
    return f"{size / 1_000_000:g} MB" if size >= 100_000 else f"{size:,} bytes"


def _name_of(name: str, type: str) -> FileName:
    cleaned = clean_file_name(name, PICTURE_ENDINGS.get(type))
    is_nameless = cleaned == NAMELESS and type != UNKNOWN
    return clean_file_name(f"{cleaned}{mimetypes.guess_extension(type) or ''}") if is_nameless else cleaned


def _strip(type: str, spool: BinaryIO) -> None:
    if type in heif.TYPES:
        heif.strip(spool)
    elif type in films.TYPES:
        films.strip(spool)


def _describe(file: File, drawing: Drawing) -> tuple[File, Drawing]:
    """Return the file with what its drawing tells, and the drawing if it is used."""
    if drawing.pages:
        return msgspec.structs.replace(file, pages=drawing.pages), drawing
    if drawing.view:
        return msgspec.structs.replace(file, width=drawing.width, height=drawing.height, has_view=True), drawing
    return file, NO_DRAWING


def _share(settings: Settings) -> int:
    """Return the limit, in bytes, on one user's files that are not part of a message; 0 means no limit."""
    messages = MESSAGES_IN_PREPARATION * settings.max_file_bytes * settings.most_files
    total = settings.max_total_file_bytes
    part = max(total // LEAST_PART, settings.max_file_bytes) if total else 0
    return min(filter(None, (messages, part)), default=0)


def _bytes_of(files: Iterable[KeptFile]) -> int:
    return sum(kept.file.size for kept in files)
