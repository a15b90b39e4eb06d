"""Detect that another process has changed a room: through a change stream, or by polling.

A feed only gives hints (room and revision), and may miss, repeat or reorder them: changes are read from the store.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping

from chatroom.base.errors import ChatroomError
from chatroom.site.background import BackgroundThread

log = logging.getLogger(__name__)

Hint = Callable[[str, int], None]
"""A function that the feed calls, in its thread, with the id of a room and a revision that this room has reached."""
Known = Callable[[], Mapping[str, int]]
"""A function that returns the followed rooms, each with its newest known revision."""

Watch = Callable[[Callable[[], bool]], Iterator[tuple[str | None, int]]]
"""Yields (None, 0) when the stream is open, and (room id, revision) of changes; ends when its argument returns True."""

SAFETY_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


def poll(
    newest_revisions: Callable[[Mapping[str, int]], Mapping[str, int]], known: Known, hint: Hint, *, seconds: float
) -> BackgroundThread:
    """Make a feed that, every `seconds`, reads the newest revision of each followed room."""

    def ask() -> None:
        for room, revision in newest_revisions(dict(known())).items():
            hint(room, revision)

    return BackgroundThread("polling-feed", ask, pause_seconds=seconds, stop_seconds=2 * LONGEST_PAUSE_SECONDS)


class ChangeStreamFeed:
    """Listen to the change stream. Each time that the stream is opened, give a hint for every room.

    The feed needs no resume token, because revisions show all missed changes. `safety` is a second feed: it polls
    slowly, in case the stream stops without an error.
    """

    def __init__(self, watch: Watch, safety: BackgroundThread, known: Known, hint: Hint) -> None:
        self._watch = watch
        self._safety = safety
        self._known = known
        self._hint = hint
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="change-stream-feed", daemon=True)

    def start(self) -> None:
        self._safety.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._safety.stop()
        self._thread.join(timeout=2 * LONGEST_PAUSE_SECONDS)

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            try:
                for room, revision in self._watch(self._stopped.is_set):
                    if room is None:
                        pause = FIRST_PAUSE_SECONDS
                        self._hint_at_everything()
                    else:
                        self._hint(room, revision)
            except ChatroomError:
                pass  # already logged
            except Exception:
                log.exception("the change stream feed failed once and continues")
            self._stopped.wait(random.uniform(pause / 2, pause))  # noqa: S311  not a secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _hint_at_everything(self) -> None:
        for room, revision in dict(self._known()).items():
            self._hint(room, revision + 1)


Feed = BackgroundThread | ChangeStreamFeed
