"""Read a room for its members: pages of its history, single messages, and the changes after a cursor."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import Message, Room
from chatroom.messages.messages_store import MessageStore


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of messages. `revision` is the cursor for later changes.

    `more`: more messages follow in the direction of reading. `newer` (for `around` and `since`): newer messages follow.
    """

    messages: list[Message]
    revision: int
    more: bool
    newer: bool = False


class History:
    """Read the messages of rooms, without cleared messages."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store

    def at(self, room: Room, sequence: int) -> Message:
        """Return the message with this sequence. Raises `Refused` (`not_found`) if there is none."""
        found = self._store.by_sequences(room.id, [sequence])
        if not found:
            raise Refused("not_found", "There is no such message in this room.")
        return found[0]

    def quoted(self, room: Room, messages: Iterable[Message]) -> dict[int, Message]:
        """Return the messages to which these messages reply, by sequence."""
        wanted = {message.reply_to for message in messages if message.reply_to is not None}
        return {found.sequence: found for found in self._store.by_sequences(room.id, wanted)}

    def newest(self, room: Room, limit: int) -> Page:
        """Return the newest messages of the room, oldest first."""
        return self._page(room, limit, lambda: self._store.newest(room.id, limit + 1))

    def before(self, room: Room, sequence: int, limit: int) -> Page:
        """Return the messages before `sequence`, oldest first."""
        return self._page(room, limit, lambda: self._store.before(room.id, sequence, limit + 1))

    def around(self, room: Room, sequence: int, limit: int) -> Page:
        """Return the messages around a sequence, oldest first. Raises `Refused` if all messages are older."""
        revision = self._store.newest_revision(room.id)
        half = limit // 2
        later = self._store.since(room.id, max(sequence, room.cleared_sequence + 1), half + 2)
        if not later:
            raise Refused("not_found", "There is no message with this number yet.")
        earlier = _shown(room, self._store.before(room.id, sequence, half + 1))
        found = earlier[-half:] + later[: half + 1] if half else later[:1]
        return Page(messages=found, revision=revision, more=len(earlier) > half, newer=len(later) > half + 1)

    def first_at(self, room: Room, moment: datetime) -> Message | None:
        """Return the first message that was sent at this time or later, if any."""
        found = self._store.since(room.id, self._store.first_since(room.id, moment), 1)
        return found[0] if found else None

    def since(self, room: Room, sequence: int, limit: int) -> Page:
        """Return the messages from `sequence` on, oldest first."""
        revision = self._store.newest_revision(room.id)
        found = self._store.since(room.id, max(sequence, room.cleared_sequence + 1), limit + 1)
        return Page(messages=found[:limit], revision=revision, more=len(found) > limit, newer=len(found) > limit)

    def after(self, room: Room, revision: int, limit: int) -> Page:
        """Return the changes after a revision, in order. Raises `Refused` if the room has not reached this revision."""
        found = self._store.changed_after(room.id, revision, limit + 1)
        if not found and not self._store.has_come_to(room.id, revision):
            raise Refused("unknown_cursor", "The room does not have this revision yet. Please reload the page.")
        page = found[:limit]
        return Page(messages=page, revision=page[-1].revision if page else revision, more=len(found) > limit)

    def _page(self, room: Room, limit: int, read: Callable[[], list[Message]]) -> Page:
        # Read the cursor before the page. Otherwise, a change between the two reads would never arrive.
        revision = self._store.newest_revision(room.id)
        found = _shown(room, read())
        return Page(messages=found[-limit:], revision=revision, more=len(found) > limit)


def _shown(room: Room, messages: list[Message]) -> list[Message]:
    """Leave out the cleared messages."""
    return [message for message in messages if message.sequence > room.cleared_sequence]
