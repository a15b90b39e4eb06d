"""Rooms, memberships and webhooks."""

from datetime import datetime
from typing import Literal, NewType

import msgspec

from chatroom.base.models.people import Author, Notify, Person, Role

RoomKind = Literal["public", "private", "direct"]
Slug = NewType("Slug", str)
"""A room's name in addresses and frames. Only `chatroom.names` and the store make one."""


class RoomName(msgspec.Struct, frozen=True):
    """A room as a report or the audit log names it."""

    id: str
    slug: str
    title: str


class RoomValues(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a room; `chatroom.rooms.fields` defines how each value is shown and set."""

    title: str
    topic: str = ""
    is_read_only: bool = False
    slow_seconds: int = 0
    retention_days: int = 0
    members_mention_all: bool = False
    """Whether members, and not only moderators, mention everybody with `@room` and `@here`."""


class Room(RoomValues, frozen=True, kw_only=True):
    """A log of messages. `slug` is the room's name in addresses and frames. It never changes."""

    id: str
    slug: Slug
    kind: RoomKind = "public"
    archived_at: datetime | None = None
    cleared_sequence: int = 0
    """Messages up to this sequence were cleared. They are not shown, not even as placeholders."""
    people: tuple[str, ...] = ()
    """The sorted ids of the people in a direct conversation. The same people have one room."""
    former_slug: str = ""
    """The former address of a direct conversation, if there was one."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A user in a room, with the role there. `read_sequence` is the sequence of the last message that the user read.

    `unread_marks` is how often the user has marked a message of the room as unread, and `unread_from` is the sequence
    of the last one. The mark holds while `read_sequence` is lower.

    `chosen` is the notification setting that the user chose. `notify` is the setting that holds now: `none` until
    `paused_until`, and `chosen` otherwise.
    """

    user_id: str
    room_id: str
    role: Role = "member"
    read_sequence: int = 0
    unread_from: int = 0
    unread_marks: int = 0
    notify: Notify = "mentions"
    is_starred: bool = False
    hidden_to: int | None = None
    """The newest revision when the user hid the room. None if the user did not hide it."""
    chosen: Notify = "mentions"
    paused_until: datetime | None = None


class RoomEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A room in a user's list, with the title for this user. At most 100 unread messages are counted."""

    room: Room
    membership: Membership
    title: str
    unread: int
    mentions: int
    revision: int
    """The newest revision before the count. The client follows the room from this cursor."""
    people: tuple[Person, ...] = ()
    """The other people in a direct conversation."""
    newest: str = ""
    """The id of the newest message, of direct conversations and hidden rooms. Ids of messages start with their time."""
    newest_sequence: int = 0
    """The sequence of this message."""

    @property
    def is_begun(self) -> bool:
        """Whether pages list the room: a direct conversation only after its first message."""
        return self.room.kind != "direct" or self.revision > 0

    @property
    def is_hidden(self) -> bool:
        """Whether the user hid the room. A new message ends this, unless the room is muted."""
        hidden_to = self.membership.hidden_to
        return hidden_to is not None and (self.membership.notify == "none" or self.newest_sequence <= hidden_to)

    @property
    def is_listed(self) -> bool:
        """Whether the list next to the open room shows this room."""
        return self.is_begun and not self.is_hidden

    @property
    def urgent(self) -> int:
        """The number of urgent unread messages: mentions of this user, or all messages of a direct conversation."""
        if self.membership.notify == "none":
            return 0
        return self.unread if self.room.kind == "direct" else self.mentions


HookKind = Literal["incoming", "outgoing"]


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook of a room. Incoming webhooks post into the room; outgoing webhooks receive its new messages."""

    id: str
    room: str
    kind: HookKind
    name: str
    made_by: Author
    created_at: datetime
    url: str = ""
    trigger: str = ""  # only messages with this prefix are sent; empty: all messages
    cursor: int = 0  # the sequence of the last message that the webhook received
    attempts: int = 0  # the number of failed attempts in a row
    failing_since: datetime | None = None
    next_at: datetime | None = None
    last_error: str = ""
    given_up_at: datetime | None = None
