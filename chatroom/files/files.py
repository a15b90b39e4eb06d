"""The files of messages: take them in, give them to a message, serve them to members, and remove them.

A file belongs to whoever uploaded it until their message has it; one that no message has is removed after a day.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import msgspec

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Draft, File, Held, Message, Room
from chatroom.base.threads import Workers
from chatroom.files import films, pictures
from chatroom.files.files_store import PIECE_BYTES, FileStore, KeptFile, make_file_id
from chatroom.files.filetypes import HEAD_BYTES, PICTURES, find_type
from chatroom.files.space import FileSpace, in_megabytes
from chatroom.names import clean_file_name

log = logging.getLogger(__name__)

UNUSED_FOR = timedelta(hours=24)
CHECK_EVERY = timedelta(days=7)
CHECK_TIME = timedelta(minutes=10)
"""For one look at one file; then another process may try."""
CHANGE_TIME = timedelta(minutes=1)
"""For the change that takes a file out of its message."""
MEMORY_BYTES = 1_000_000
"""Of a file on its way to the store; the rest is on the disk."""
CLAIM_TRIES = 3


class Files:
    """Everything that is done with files."""

    def __init__(
        self,
        store: FileStore,
        settings: Settings,
        drawing: Workers,
        *,
        find_message: Callable[[str, str, str], Message | None],
        find_held: Callable[[str, str, str], Held | None] = lambda _room_id, _author_id, _client_id: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._find_message = find_message
        self._find_held = find_held
        self._most_bytes = settings.max_file_bytes
        self._most_files = settings.max_files_per_message
        self._space = FileSpace(store, settings, is_used=self._is_used)
        self._clock = clock
        self._drawing = drawing

    def upload(self, user_id: str, room: Room, name: str, stream: BinaryIO) -> File:
        """Keep a file for a message that is still to come; it may be `empty`, `too_large`, `full` or `invalid`."""
        with SpooledTemporaryFile(max_size=MEMORY_BYTES) as spool:
            size = self._take_in(stream, cast("BinaryIO", spool))
            spool.seek(0)
            type = find_type(spool.read(HEAD_BYTES))
            spool.seek(0)
            file = File(id=make_file_id(), name=clean_file_name(name, PICTURES.get(type)), type=type, size=size)
            if type in PICTURES:
                return self._keep_picture(user_id, room, file, cast("BinaryIO", spool))
            if type in films.TYPES:
                films.strip(cast("BinaryIO", spool))
            self._keep(user_id, room, file, iter(lambda: spool.read(PIECE_BYTES), b""))
            return file

    def attach(self, room: Room, draft: Draft, file_ids: Sequence[str]) -> Draft:
        """Give a draft its files: its author's own, of this room, and of no other message; again does no harm."""
        if not file_ids:
            return draft
        if len(file_ids) > self._most_files > 0 or len(set(file_ids)) != len(file_ids):
            raise Refused("too_many_files", f"A message has at most {self._most_files} files, and each of them once.")
        for _ in range(CLAIM_TRIES):
            found = self._store.find_all(file_ids)
            kept = [found[file_id] for file_id in file_ids if _is_own(found.get(file_id), room, draft)]
            if len(kept) < len(file_ids):
                return self._answer_without(room, draft)
            if all(self._claim(each, draft) for each in kept):
                return msgspec.structs.replace(draft, files=tuple(each.file for each in kept))
        raise Refused("busy", "The files are being used elsewhere. Please try again.", retry_after=1.0)

    def get(self, file_id: str) -> KeptFile:
        """A file, for whoever was found to be allowed to see it; or the answer that everybody else gets, too."""
        kept = self._store.find(file_id)
        if kept is None:
            raise no_such_file()
        return kept

    def is_unused(self, kept: KeptFile) -> bool:
        """Whether no message has it: then it is its owner's alone."""
        return not self._has_message(kept)

    def read(self, kept: KeptFile, start: int, stop: int) -> Iterator[bytes]:
        """Its bytes from `start` to before `stop`, piece by piece."""
        return self._store.read(kept.file.id, start, stop)

    def thumbnail(self, kept: KeptFile) -> bytes:
        """The small copy of a picture, a WebP; empty for what is none."""
        return self._store.thumbnail(kept.file.id)

    def expect_removal(self, message: Message) -> None:
        """Have the files looked at after the change that takes them from their message, whatever becomes of it."""
        self._store.check_at([file.id for file in message.files], self._clock() + CHANGE_TIME)

    def remove(self, message: Message | Held) -> None:
        """Hide the files that a message had from everybody at once; the next sweep takes them off the disk."""
        try:
            self._store.hide_all([file.id for file in message.files], self._clock())
        except Unavailable:
            log.warning("the files of a deleted message are still there; the sweep will see to them")

    def sweep(self, most: int = 100) -> int:
        """Remove files that no message has (any more), `most` of them at once; several processes share the work."""
        removed = 0
        for _ in range(most):
            kept = self._store.take_due(self._clock() + CHECK_TIME)
            if kept is None:
                break
            if kept.is_whole and self._is_used(kept):
                self._store.check_at([kept.file.id], self._clock() + CHECK_EVERY)
            elif not kept.is_whole or self._store.hide(kept):
                self._store.remove(kept.file.id)
                removed += 1
        return removed

    def _take_in(self, stream: BinaryIO, spool: BinaryIO) -> int:
        size = 0
        while piece := stream.read(PIECE_BYTES):
            size += len(piece)
            self._check_size(size, "The file is too large")
            spool.write(piece)
        if not size:
            raise Refused("empty", "The file is empty.")
        return size

    def _keep_picture(self, user_id: str, room: Room, file: File, spool: BinaryIO) -> File:
        picture = self._drawing.run(lambda: pictures.prepare(spool, file.type))
        content = picture.content
        self._check_size(len(content), f"The picture takes {in_megabytes(len(content))} once its metadata is removed")
        file = msgspec.structs.replace(file, size=len(content), width=picture.width, height=picture.height)
        pieces = (content[start : start + PIECE_BYTES] for start in range(0, len(content), PIECE_BYTES))
        self._keep(user_id, room, file, pieces, picture.thumbnail)
        return file

    def _check_size(self, size: int, problem: str) -> None:
        if 0 < self._most_bytes < size:
            raise Refused("too_large", f"{problem}: at most {in_megabytes(self._most_bytes)} are allowed.")

    def _keep(self, user_id: str, room: Room, file: File, pieces: Iterator[bytes], thumbnail: bytes = b"") -> None:
        now = self._clock()
        self._store.add(
            file,
            pieces,
            room_id=room.id,
            owner_id=user_id,
            thumbnail=thumbnail,
            check_at=now + UNUSED_FOR,
            check=partial(self._space.check, user_id, now=now, unused_for=UNUSED_FOR, again=now + CHECK_EVERY),
        )

    def _claim(self, kept: KeptFile, draft: Draft) -> bool:
        # A draft that was refused gives its files back without saying so: the next one of its author may have them.
        if kept.client_id not in {"", draft.client_id} and self._is_used(kept):
            raise Refused("invalid", f"Another message has the file {kept.file.name} already. Please attach it again.")
        return self._store.claim(kept, draft.client_id, self._clock() + UNUSED_FOR)

    def _answer_without(self, room: Room, draft: Draft) -> Draft:
        """A draft that is stored already needs no files: it is answered with its message."""
        if self._find_message(room.id, draft.author.id, draft.client_id) is None:
            raise Refused("not_found", "A file of this message is not there any more. Please attach it again.")
        return draft

    def _is_used(self, kept: KeptFile) -> bool:
        return self._has_message(kept) or self._is_held(kept)

    def _is_held(self, kept: KeptFile) -> bool:
        held = self._find_held(kept.room_id, kept.owner_id, kept.client_id) if kept.client_id else None
        return held is not None and not held.is_done and any(file.id == kept.file.id for file in held.files)

    def _has_message(self, kept: KeptFile) -> bool:
        message = self._find_message(kept.room_id, kept.owner_id, kept.client_id)
        return message is not None and any(file.id == kept.file.id for file in message.files)


def no_such_file() -> Refused:
    """The one answer, whether there is no file, or it is somebody else's business."""
    return Refused("not_found", "There is no such file, or you may not see it.")


def _is_own(kept: KeptFile | None, room: Room, draft: Draft) -> bool:
    return kept is not None and kept.room_id == room.id and kept.owner_id == draft.author.id
