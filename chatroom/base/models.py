"""The typed values that travel between the store, the engine and the pages.

They are immutable, hold no database types, and every time in them is aware and UTC.
"""

import secrets
from datetime import datetime
from typing import Any, Literal, NewType

import msgspec

Role = Literal["administrator", "moderator", "member"]
RoomKind = Literal["public", "private", "direct"]
Notify = Literal["all", "mentions", "none"]
Slug = NewType("Slug", str)
"""A room's name in addresses and frames. Only `chatroom.names` makes one; the store reads them."""
FORMER_MEMBER = "Former member"
"""What everybody is called whose account was deleted; nobody else can be (`names.RESERVED`)."""
Scope = Literal["read", "post", "rooms", "moderate"]
"""What a program may do with an access token."""


class ApprovalState(msgspec.Struct, frozen=True, kw_only=True):
    """How well somebody is known here: what decides whether their messages are held for approval."""

    since: datetime | None = None  # when the account was made
    is_exempt: bool = False  # a bot, or whoever keeps order
    approved: int = 0  # how many of their held messages were approved
    is_trusted: bool = False  # whether a moderator said that this is enough
    held_at: datetime | None = None  # when a message of theirs was last held


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who wrote or did something, as it is stored with that: the user's id, and their display name at that time."""

    id: str
    name: str
    is_bot: bool = False
    """A bot's account, or a webhook, which has no account at all, and any name."""

    @property
    def shown(self) -> str:
        """The name as it is shown where no badge says that it is a bot's."""
        return f"{self.name} (bot)" if self.is_bot else self.name


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody as others see them now: in the lists of members and of who is here, and where they are mentioned.

    Clients get exactly these fields. `name` is the display name.
    """

    id: str
    name: str
    username: str = ""
    is_bot: bool = False

    @property
    def author(self) -> Author:
        """As the author of what they write or do now."""
        return Author(self.id, self.name, self.is_bot)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `id` never changes; both names are unique after folding (`names.fold`)."""

    id: str
    username: str
    display_name: str
    password_hash: str
    role: Role
    created_at: datetime
    password_version: int = 1  # one more with every change of the password
    is_bot: bool = False
    about: str = ""
    time_zone: str = ""
    muted_until: datetime | None = None
    mute_reason: str = ""
    banned_until: datetime | None = None
    ban_reason: str = ""
    approval_state: ApprovalState = ApprovalState()

    @property
    def person(self) -> Person:
        """As others see them."""
        return Person(self.id, self.display_name, self.username, self.is_bot)


class FormerMember(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an account that was deleted, until nothing in the rooms names it any more."""

    id: str
    deleted_at: datetime
    is_erased: bool
    """Whether what they wrote goes too."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is logged in, or one access token; `id` is the SHA-256 of the secret that it was given."""

    id: str
    user_id: str
    kind: Literal["browser", "token"]
    label: str  # the user agent, or what the token is for
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime  # moves on while it is used, up to its lifetime
    password_version: int = 1  # a session of an older password is no session
    scopes: tuple[Scope, ...] = ()  # of a token: what it may do
    rooms: tuple[str, ...] = ()  # of a token: the slugs of the only rooms that it is for; none: every room


class RoomName(msgspec.Struct, frozen=True):
    """A room as whatever is about it names it: a report, an act in the audit log."""

    id: str
    slug: str
    title: str


class RoomValues(msgspec.Struct, frozen=True, kw_only=True):
    """What can be changed of a room by those who manage it; `chatroom.rooms.fields` says how each is shown and set."""

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


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """That something changed which connections remember: `user` and `room` are ids, `data` is what the kind needs."""

    kind: str
    user: str | None = None
    room: str | None = None
    data: dict[str, Any] = {}


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


class Reaction(msgspec.Struct, frozen=True):
    """An emoji on a message, and who put it there, the first first."""

    emoji: str
    people: tuple[Author, ...]


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of a message; `width` and `height` in pixels, of pictures alone."""

    id: str
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None


SERVER_MADE = "."
"""The first character of a client id that the server made up, because the client sent none."""


def make_client_id(name: str = "") -> str:
    """A client id that no client can send; the same `name` gives the same one."""
    return SERVER_MADE + (name or secrets.token_urlsafe(12))


def given_client_id(client_id: str | None) -> str | msgspec.UnsetType:
    """The client id as its client is told it: none that the server made up."""
    return client_id if client_id and not client_id.startswith(SERVER_MADE) else msgspec.UNSET


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not yet stored. `client_id` is unique for its author in its room, for ever."""

    author: Author
    text: str
    client_id: str
    reply_to: int | None = None
    files: tuple[File, ...] = ()
    mentions: tuple[Person, ...] = ()
    kind: Literal["message", "event"] = "message"
    html: str = ""
    """Where it was rendered before it was queued."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits for approval, or what became of it; nobody but its author and the moderators sees it.

    `is_done` is false as long as something is left to do: the decision, or what follows from it.
    """

    id: str
    room_id: str
    is_public: bool
    author: Author
    client_id: str
    text: str
    held_at: datetime
    reply_to: int | None = None
    files: tuple[File, ...] = ()
    state: Literal["waiting", "approved", "rejected", "withdrawn"] = "waiting"
    is_done: bool = False
    decided_by: Author | None = None
    reason: str = ""
    is_trusting: bool = False
    """Approved by somebody who wants to see no more of its author's."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A stored message in its latest state; `sequence` orders messages, `revision` orders changes."""

    id: str
    sequence: int
    revision: int
    author: Author
    client_id: str
    text: str
    html: str
    sent_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    kind: Literal["message", "event"] = "message"
    """An event is a line that the room itself writes: who joined, what the topic became."""
    reply_to: int | None = None
    """The sequence of the message that it answers, in the same room."""
    mentions: tuple[str, ...] = ()
    """The ids of the users whom it names; `room` for everybody."""
    reactions: tuple[Reaction, ...] = ()
    files: tuple[File, ...] = ()
    pinned_at: datetime | None = None
    text_revision: int = 0
    """The revision at which its text was last changed; 0 unless it ever was."""
    origin: str = ""
    """The process that wrote this state; it says nothing after that process has ended."""
