"""Tell people of what concerns them while they do not look: mentions, direct messages, rooms they want all of.

Only the process that stored a message tells of it, so nobody is told twice. What waits is bounded, and best effort:
a message is never lost by it, since the room has it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from chatroom.base.errors import ChatroomError
from chatroom.base.models import Message, Notify, Room
from chatroom.outbound.push import Push

log = logging.getLogger(__name__)

MAX_WAITING = 1000
SUBSCRIBERS_SECONDS = 10.0
"""How long it may take until a newly subscribed browser is heard of."""
EXCERPT = 140

Wishes = Mapping[str, Notify]


class Notifier:
    """A thread of its own, which takes stored messages and tells by Web Push whoever wishes it and is not here."""

    def __init__(
        self,
        push: Push,
        *,
        room_of: Callable[[str], Room | None],
        preferences_in: Callable[[str, Collection[str]], Wishes],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._push = push
        self._room_of = room_of
        self._wishes_in = preferences_in
        self._seconds = seconds
        self._waiting: deque[tuple[str, Message]] = deque(maxlen=MAX_WAITING)
        self._has_more = threading.Event()
        self._is_over = False
        self._subscribers: set[str] = set()
        self._asked_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Tell no more; what waits is let go."""
        self._is_over = True
        self._has_more.set()
        self._thread.join(timeout=1)

    def take(self, room_id: str, messages: Sequence[Message]) -> None:
        """Note what was just stored; costs the caller next to nothing. Beyond `MAX_WAITING` the oldest are let go."""
        if not self._subscribers and self._asked_just_now():
            return
        self._waiting.extend((room_id, message) for message in messages if message.revision == message.sequence)
        self._has_more.set()

    def tell(self, room_id: str, message: Message) -> int:
        """Tell whoever wishes to hear of this message, and count the browsers that were told."""
        if message.kind != "message" or message.deleted_at is not None or not self._find_subscribers():
            return 0
        room = self._room_of(room_id)
        if room is None:
            return 0
        wishes = self._wishes_in(room_id, self._subscribers - {message.author.id})
        concerned = {user for user, wish in wishes.items() if concerns(wish, user, room, message)}
        # Also those who are here: their browser knows whether they look at the page, and is silent then.
        return self._push.send(concerned, describe(room, message)) if concerned else 0

    def _run(self) -> None:
        while not self._is_over:
            self._has_more.wait()
            self._has_more.clear()
            while self._waiting and not self._is_over:
                try:
                    self.tell(*self._waiting.popleft())
                except ChatroomError:
                    continue  # the database is away, which is logged where it is noticed
                except Exception:
                    log.exception("somebody could not be notified")

    def _find_subscribers(self) -> set[str]:
        if not self._asked_just_now():
            self._subscribers = self._push.subscribers()
            self._asked_at = self._seconds()
        return self._subscribers

    def _asked_just_now(self) -> bool:
        return self._seconds() - self._asked_at <= SUBSCRIBERS_SECONDS


def concerns(wish: Notify, user_id: str, room: Room, message: Message) -> bool:
    """Whether somebody with this wish is told of the message."""
    if wish == "none":
        return False
    return wish == "all" or room.kind == "direct" or user_id in message.mentions or "room" in message.mentions


def describe(room: Room, message: Message) -> dict[str, str]:
    """What a notification says; `tag` is the same wherever and however often a browser shows it."""
    name = message.author.shown
    title = name if room.kind == "direct" else f"{name} in {room.title}"
    text = " ".join(message.text.split())
    if not text and message.files:
        text = ", ".join(file.name for file in message.files)
    return {
        "title": title,
        "body": text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…",
        "url": f"/chatroom/{room.slug}/{message.sequence}",
        "tag": f"{room.slug}-{message.sequence}",
    }
