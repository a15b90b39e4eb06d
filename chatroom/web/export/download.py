"""Send a download in pieces. Stop if the user loses the right to the file, or reads too slowly.

The event loop sends the pieces, so no thread waits for a slow reader.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Self

from flask import Response, request
from flask.ctx import RequestContext
from flask.globals import request_ctx

from chatroom.base.errors import Unavailable
from chatroom.web.files.files import disposition, give_body
from chatroom.web.kit.login import current_user
from chatroom.web.kit.services import services

PATIENCE_SECONDS = 60.0
LEAST_RATE = 8192
"""The minimum rate of a reader after the first minute, in bytes per second."""
CHECK_SECONDS = 1.0
CHUNK = 32_768


class Taken(Iterator[bytes]):
    """A download of one user. It calls `check` repeatedly, and `release` at the end."""

    def __init__(self, pieces: Iterator[str], *, check: Callable[[], None], release: Callable[[], None]) -> None:
        self._chunks = in_chunks(pieces)
        self._check = check
        self._release = release
        self._context: RequestContext = request_ctx._get_current_object()  # type: ignore[attr-defined]
        self._began_at = time.monotonic()
        self._check_again_at = self._began_at + CHECK_SECONDS
        self._size = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """Return the next piece. Raise `Unavailable` if the reader is too slow; pass on an error from `check`."""
        now = time.monotonic()
        if now > self._began_at + PATIENCE_SECONDS + self._size / LEAST_RATE:
            raise Unavailable("The download was too slow and was stopped.")
        # Another thread may make the next piece. Templates in this thread need the context of the request.
        with self._context.copy():
            if now >= self._check_again_at:
                self._check()
                self._check_again_at = now + CHECK_SECONDS
            chunk = next(self._chunks)
        self._size += len(chunk)
        return chunk

    def close(self) -> None:
        """End the download."""
        self._release()


def hand_out(
    name: str, content_type: str, read: Callable[[], Iterator[str]], check: Callable[[], object] = lambda: None
) -> Response:
    """Send the texts from `read` as a file. Apply the limits on exports.

    `check` raises `Refused` if the user has lost the right to the file.
    """
    session_id, user_id = current_user.session.id, current_user.id

    def check_all() -> None:
        if services.people.sessions.prolong(session_id, is_active=False) is None:
            raise Unavailable("The session has ended.")
        check()

    with ExitStack() as until_begun:
        until_begun.enter_context(services.export.exports.slot(user_id))
        services.site.limits.export.check(user_id)
        pieces = read()
        taken = Taken(pieces, check=check_all, release=until_begun.pop_all().close)
    response = Response(content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = disposition("attachment", name)
    give_body(response, taken, user_id)
    if request.method == "HEAD":
        taken.close()
    return response


def in_chunks(pieces: Iterator[str]) -> Iterator[bytes]:
    """Join small pieces into larger pieces, because each piece is sent separately."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield "".join(waiting).encode("utf-8", "replace")
            waiting, size = [], 0
    if waiting:
        yield "".join(waiting).encode("utf-8", "replace")
