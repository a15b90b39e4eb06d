"""Rooms, memberships and webhooks."""

from datetime import datetime
from typing import Literal, NewType

import msgspec

from chatroom.base.models.people import Author, Person, Role

RoomKind = Literal["public", "private", "direct"]
Notify = Literal["all", "mentions", "none"]
Slug = NewType("Slug", str)
"""A room's name in addresses and frames. Only `chatroom.names` makes one; the store reads them."""


class RoomName(msgspec.Struct, frozen=True):
    """A room as whatever is about it names it: a report, an act in the audit log."""

    id: str
    slug: str
    title: str


class RoomValues(msgspec.Struct, frozen=True, kw_only=True):
    """What administrators can change in a room; `chatroom.rooms.fields` says how each value is shown and set."""

    title: str
    topic: str = ""
    is_read_only: bool = False
    slow_seconds: int = 0
    retention_days: int = 0


class Room(RoomValues, frozen=True, kw_only=True):
    """A log of messages. `slug` is its name in addresses and frames, and never changes."""

    id: str
    slug: Slug
    kind: RoomKind = "public"
    archived_at: datetime | None = None
    cleared_sequence: int = 0
    """What was said up to there was cleared: nobody is shown even its place."""
    people: tuple[str, ...] = ()
    """The ids of those in a direct room, sorted: there is one room for the same people."""
    former_slug: str = ""
    """The address that a direct room had before, where it had another."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """That a user is in a room, and how: `role` is the room's own, `read_sequence` how far they have read."""

    user_id: str
    room_id: str
    role: Role = "member"
    read_sequence: int = 0
    notify: Notify = "mentions"


class RoomEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A room in somebody's list. `title` is the one that they see; of unread messages, at most 100 are counted."""

    room: Room
    membership: Membership
    title: str
    unread: int
    mentions: int
    revision: int
    """How far the room was before they were counted: the cursor to follow it from."""
    people: tuple[Person, ...] = ()
    """The others in a direct room."""

    @property
    def urgent(self) -> int:
        """How many of the unread are for this user: those that name them, and in direct rooms all."""
        if self.membership.notify == "none":
            return 0
        return self.unread if self.room.kind == "direct" else self.mentions


HookKind = Literal["incoming", "outgoing"]


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook of a room: one that posts into it, or one that is told what is posted."""

    id: str
    room: str
    kind: HookKind
    name: str
    made_by: Author
    created_at: datetime
    url: str = ""
    trigger: str = ""  # what the messages begin with that it is told of; empty: all
    cursor: int = 0  # the sequence up to which it was told
    attempts: int = 0  # that failed, one after the other
    failing_since: datetime | None = None
    next_at: datetime | None = None
    last_error: str = ""
    given_up_at: datetime | None = None
