"""Save messages for later, with reminders.

What is saved is read with the present rights of its user: a message that was deleted, or whose room the user cannot
read any more, is listed without its text, author and room.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta, tzinfo
from typing import Literal, get_args

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Message, Notice, Room
from chatroom.messages.messages_store import MessageStore
from chatroom.outbound.later_store import Saved, SavedStore
from chatroom.site.notices import Notices

MOST_SAVED = 1000
"""The most saved messages of a user. Requests at the same moment may save a few more."""
PAGE = 50
MOST_DUE = 100
"""The highest count of due reminders. The page then shows "99+"."""
LONGEST_WAIT = timedelta(days=731)
MORNING = time(9)
FULL = f"You have saved {MOST_SAVED:,} messages, and cannot save more. Remove some in your list Later first."
GONE = "This saved message is not in your list any more."

When = Literal["20 minutes", "1 hour", "3 hours", "tomorrow", "monday"]
WAITS = {"20 minutes": timedelta(minutes=20), "1 hour": timedelta(hours=1), "3 hours": timedelta(hours=3)}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A saved message as its user may see it now.

    Without `room`, the user can no longer read the room; without `message`, the message was deleted.
    """

    saved: Saved
    is_due: bool
    room: Room | None = None
    message: Message | None = None


class LaterPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list. `due` is only on the first page. `before` is the cursor of the next page, if there is one."""

    due: Sequence[Entry]
    others: Sequence[Entry]
    before: str | None


class Later:
    """Save messages, list them, and set reminders. `rooms_of` lists the rooms that a user can read."""

    def __init__(
        self,
        store: SavedStore,
        message_store: MessageStore,
        notices: Notices,
        *,
        rooms_of: Callable[[str], Sequence[Room]],
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._message_store = message_store
        self._notices = notices
        self._rooms_of = rooms_of
        self._clock = clock

    def save(self, access: Access, message: Message, remind_at: datetime | None = None) -> Saved:
        """Save a message of a room that the user can read.

        Raise `Refused` for a deleted message (`not_found`), and if the list is full (`conflict`).
        """
        if message.deleted_at is not None or message.sequence <= access.room.cleared_sequence:
            raise Refused("not_found", "This message was deleted.")
        if remind_at is not None:
            self._check(remind_at)
        user_id = access.user_id
        if self._store.count(user_id, MOST_SAVED) >= MOST_SAVED and not self._store.has(user_id, message.id):
            raise Refused("conflict", FULL)
        saved = self._store.put(user_id, access.room.id, message.id)
        if remind_at is not None:
            self.remind(user_id, saved.id, remind_at)
        else:
            self._tell(user_id)
        return msgspec.structs.replace(saved, remind_at=remind_at or saved.remind_at)

    def remind(self, user_id: str, id: str, moment: datetime | None) -> None:
        """Set the time of a reminder; None removes it."""
        if moment is not None:
            self._check(moment)
        if not self._store.remind(user_id, id, moment):
            raise Refused("not_found", GONE)
        self._tell(user_id)

    def remove(self, user_id: str, id: str) -> None:
        """Remove a message from the list, with its reminder. A message that is not in the list changes nothing."""
        if self._store.drop(user_id, id):
            self._tell(user_id)

    def count_due(self, user_id: str) -> int:
        """Return the number of due reminders, at most `MOST_DUE`."""
        return self._store.count_due(user_id, MOST_DUE)

    def list_page(self, user_id: str, before: str | None = None) -> LaterPage:
        """Return a page: first what is due, then the others, the latest first."""
        due = self._store.list_due(user_id, PAGE) if before is None else []
        others = self._store.list_others(user_id, before, PAGE + 1)
        shown = others[:PAGE]
        entries = self._entries(user_id, [*due, *shown])
        return LaterPage(
            due=entries[: len(due)],
            others=entries[len(due) :],
            before=shown[-1].id if len(others) > PAGE else None,
        )

    def find_entry(self, saved: Saved) -> Entry:
        """Return one saved message as its user may see it now."""
        return self._entries(saved.user_id, [saved])[0]

    def moment_of(self, when: When, zone: tzinfo) -> datetime:
        """Return the time that a choice means for somebody in this zone."""
        now = self._clock()
        if when in WAITS:
            return now + WAITS[when]
        today = now.astimezone(zone).date()
        days = 1 if when == "tomorrow" else 7 - today.weekday()
        return datetime.combine(today + timedelta(days=days), MORNING, zone).astimezone(now.tzinfo)

    def _check(self, moment: datetime) -> None:
        now = self._clock()
        if moment <= now:
            raise Refused("invalid", "This time has passed. Choose a later one for the reminder.")
        if moment > now + LONGEST_WAIT:
            raise Refused("invalid", "Choose a time within the next two years for the reminder.")

    def _entries(self, user_id: str, found: Sequence[Saved]) -> list[Entry]:
        if not found:
            return []
        rooms = {room.id: room for room in self._rooms_of(user_id)}
        wanted = [each.message_id for each in found if each.room_id in rooms]
        messages = {message.id: message for message, _ in self._message_store.find_all(wanted, rooms)}
        now = self._clock()
        return [
            Entry(
                saved=each,
                is_due=each.remind_at is not None and each.remind_at <= now,
                room=(room := rooms.get(each.room_id)),
                message=_readable(room, messages.get(each.message_id)),
            )
            for each in found
        ]

    def _tell(self, user_id: str) -> None:
        self._notices.tell(Notice(kind="later", user=user_id))


def is_choice(text: str) -> bool:
    """Return whether a text is one of the times that the pages offer."""
    return text in get_args(When)


def _readable(room: Room | None, message: Message | None) -> Message | None:
    if room is None or message is None or message.deleted_at is not None:
        return None
    return message if message.sequence > room.cleared_sequence else None
