"""Avatars: a square of the chosen picture. For users without an avatar, pages show initials.

A changed avatar is a new version, so browsers may cache each version forever.
"""

import hashlib
import io
import time
from collections.abc import Callable
from typing import BinaryIO

from chatroom.base.errors import Refused
from chatroom.base.threads import Workers
from chatroom.files import heif, pictures
from chatroom.files.child import DrawingProcesses
from chatroom.files.filetypes import PICTURES, find_type
from chatroom.people.avatars_store import AvatarStore

LISTED = 300
"""The most avatars that a page lists. The page lists the latest avatars, and shows initials for other users."""
LIST_SECONDS = 5.0


class Avatars:
    """Sets, removes and finds avatars."""

    def __init__(
        self,
        store: AvatarStore,
        drawing: Workers,
        processes: DrawingProcesses,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._drawing = drawing
        self._processes = processes
        self._listed: tuple[tuple[str, str], ...] = ()
        self._list_again_at = 0.0

    def set(self, user_id: str, file: BinaryIO) -> None:
        """Store the avatar of a user. Raises `Refused` (`invalid`, `too_large`, `busy`)."""
        type = find_type(file)
        if type in heif.TYPES:
            drawing = self._processes.draw(type, file)
            if drawing is None:
                raise Refused("invalid", "The picture cannot be read. Save it as a JPEG, and try again.")
            type, file = "image/webp", io.BytesIO(drawing.view)
        if type not in PICTURES:
            raise Refused("invalid", "Choose a picture: a JPEG, PNG, GIF, WebP, HEIC or AVIF.")
        file.seek(0)
        small, large = self._drawing.run(lambda: pictures.make_squares(file, type))
        self._store.put(user_id, hashlib.sha256(large).hexdigest()[:16], small=small, large=large)
        self._list_again_at = 0.0

    def remove(self, user_id: str) -> None:
        self._store.remove(user_id)
        self._list_again_at = 0.0

    def find(self, user_id: str, version: str, *, is_large: bool = False) -> bytes | None:
        """Return this version of a user's avatar as WebP, or None."""
        return self._store.find(user_id, version, is_large=is_large)

    def has(self, user_id: str) -> bool:
        """Return whether a user has an avatar."""
        return self._store.has(user_id)

    def listed(self) -> tuple[tuple[str, str], ...]:
        """Return pairs of a user id and an avatar version. The list may be a few seconds old."""
        now = self._clock()
        if now >= self._list_again_at:
            self._listed = tuple(sorted(self._store.newest(LISTED)))
            self._list_again_at = now + LIST_SECONDS
        return self._listed
