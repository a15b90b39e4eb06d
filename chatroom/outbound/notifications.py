"""Notify users of mentions and direct messages, and of all messages in rooms for which they chose this.

Only the process that stored a message sends its notifications. A notification can be lost.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from chatroom.base.models import Message, Notify, Room
from chatroom.messages.markdown.plain import cut, plain_text
from chatroom.outbound.push import Push
from chatroom.site.background import BackgroundThread

MAX_WAITING = 1000
SUBSCRIBERS_SECONDS = 10.0
"""The time after which the set of subscribers is read again."""
EXCERPT = 140
STOP_SECONDS = 1.0
"""The time to send waiting notifications when the server stops; the rest is dropped."""

Preferences = Mapping[str, Notify]


class Notifier:
    """Sends Web Push notifications of stored messages, in a thread."""

    def __init__(
        self,
        push: Push,
        *,
        room_of: Callable[[str], Room | None],
        preferences_in: Callable[[str, Collection[str]], Preferences],
        origin: str,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._push = push
        self._room_of = room_of
        self._preferences_in = preferences_in
        self._origin = origin
        self._seconds = seconds
        self._waiting: deque[tuple[str, Message]] = deque(maxlen=MAX_WAITING)
        self._edits: deque[tuple[str, int]] = deque(maxlen=MAX_WAITING)
        """The ids and revisions of edits whose notifications were queued: a client may send an edit twice."""
        self._subscribers: set[str] = set()
        self._asked_at = float("-inf")
        self.thread = BackgroundThread("notifier", self._notify_all, stop_seconds=STOP_SECONDS)

    def take(self, room_id: str, messages: Sequence[Message]) -> None:
        """Queue new messages and new mentions without blocking. `MAX_WAITING` are queued, the oldest are dropped."""
        if not self._subscribers and self._asked_just_now():
            return
        self._waiting.extend((room_id, message) for message in messages if self._is_news(message))
        self.thread.wake()

    def notify(self, room_id: str, message: Message) -> int:
        """Notify the members whose preference includes this message; return the number of notified browsers."""
        if message.kind != "message" or message.deleted_at is not None or not self._find_subscribers():
            return 0
        room = self._room_of(room_id)
        if room is None:
            return 0
        preferences = self._preferences_in(room_id, self._subscribers - {message.author.id})
        concerned = {user for user, each in preferences.items() if concerns(each, user, room, message)}
        # Members with an open page are notified too: their browsers show nothing while the page is visible.
        return self._push.send(concerned, describe(room, message)) if concerned else 0

    def _is_news(self, message: Message) -> bool:
        """Return whether this process has just posted the message, or mentioned somebody by an edit."""
        if message.revision == message.sequence:
            return True
        edit = (message.id, message.revision)
        if not message.new_mentions or message.text_revision != message.revision:
            return False
        if message.origin != self._origin or edit in self._edits:
            return False
        self._edits.append(edit)
        return True

    def _notify_all(self) -> None:
        """Send the queued notifications. If one fails, it is lost, and the next ones are sent after a pause."""
        self._push.send_late()
        while self._waiting and self.thread.may_go_on():
            self.notify(*self._waiting.popleft())

    def _find_subscribers(self) -> set[str]:
        if not self._asked_just_now():
            self._subscribers = self._push.subscribers()
            self._asked_at = self._seconds()
        return self._subscribers

    def _asked_just_now(self) -> bool:
        return self._seconds() - self._asked_at <= SUBSCRIBERS_SECONDS


def concerns(preference: Notify, user_id: str, room: Room, message: Message) -> bool:
    """Return whether a member with this preference is notified of the message, or of its edit."""
    if preference == "none":
        return False
    if message.revision != message.sequence:  # those who want all messages were notified of the post
        is_named = user_id in message.new_mentions or "room" in message.new_mentions
        return is_named and preference == "mentions" and room.kind != "direct" and user_id not in message.past_mentions
    return preference == "all" or room.kind == "direct" or user_id in message.mentions or "room" in message.mentions


def describe(room: Room, message: Message) -> dict[str, str | int]:
    """Return the content of a notification."""
    name = message.author.shown
    title = name if room.kind == "direct" else f"{name} in {room.title}"
    text = plain_text(message.html)
    if not text and message.files:
        text = ", ".join(file.name for file in message.files)
    return {
        "title": title,
        "body": cut(text, EXCERPT),
        "url": f"/chatroom/{room.slug}/{message.sequence}",
        "tag": f"{room.slug}-{message.sequence}",
        "revision": message.revision,
    }
