"""Detect that another process has changed a room: through a change stream, or by polling.

A feed gives hints (a room and a revision), not the changes. It may miss, repeat or reorder hints.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping

from chatroom.base.errors import ChatroomError
from chatroom.site.background import BackgroundThread

log = logging.getLogger(__name__)

Hint = Callable[[str, int], None]
"""A function that takes a room id and a revision that the room has reached. Called in the feed's thread."""
Known = Callable[[], Mapping[str, int]]
"""A function that returns the newest known revision of each followed room, by room id."""

Watch = Callable[[Callable[[], bool]], Iterator[tuple[str | None, int]]]
"""`change_stream_store.watch`, with `is_stopped` as its only argument."""

SAFETY_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


def poll(
    newest_revisions: Callable[[Mapping[str, int]], Mapping[str, int]], known: Known, hint: Hint, *, seconds: float
) -> BackgroundThread:
    """Make a feed that reads the newest revisions of all followed rooms. It pauses for `seconds` between two reads."""

    def ask() -> None:
        for room, revision in newest_revisions(dict(known())).items():
            hint(room, revision)

    return BackgroundThread("polling-feed", ask, pause_seconds=seconds, stop_seconds=2 * LONGEST_PAUSE_SECONDS)


class ChangeStreamFeed:
    """Listen to the change stream. Each time the stream opens, give a hint for every followed room.

    `safety` is a slow polling feed. It finds changes even if the stream stops without an error.
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
