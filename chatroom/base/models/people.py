"""Accounts, sessions, and people as they are shown.

An `Author` has the name at the time of writing; a `Person` has the present name.
"""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["administrator", "moderator", "member"]
FORMER_MEMBER = "Former member"
"""The name of every deleted account. No other account can have this name (`names.RESERVED`)."""
Notify = Literal["all", "mentions", "none"]
"""What notifies a user in a room."""
Scope = Literal["read", "post", "rooms", "moderate"]
"""The permissions of an access token."""


class ApprovalState(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that decide whether a user's messages are held for approval."""

    since: datetime | None = None  # when the account was created
    is_exempt: bool = False  # true for bots, moderators and administrators
    approved: int = 0  # the number of approved messages
    is_trusted: bool = False  # whether a moderator approved all later messages
    held_at: datetime | None = None  # when a message was last held


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """The author of a message or act: the user's id, and the display name at that time."""

    id: str
    name: str
    is_bot: bool = False
    """Whether the author is a bot or a webhook. A webhook has no account; its name can be any name."""

    @property
    def shown(self) -> str:
        """The name for places that show no badge. For a bot, it ends with "(bot)"."""
        return f"{self.name} (bot)" if self.is_bot else self.name


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user tells others about the present: an emoji, a short text, or both. It ends by itself at `until`."""

    emoji: str = ""
    text: str = ""
    until: datetime | None = None


class Quiet(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a user does not want to be disturbed: until a moment, and every day from `start` to `end` (`22:00`).

    `time_zone` is the IANA name of the zone in which `start` and `end` are told.
    """

    until: datetime | None = None
    start: str = ""
    end: str = ""
    time_zone: str = ""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """The present public data of a user. Clients get exactly these fields. `name` is the display name.

    `status` and `quiet` may have ended: whoever shows them looks at the clock.
    """

    id: str
    name: str
    username: str = ""
    is_bot: bool = False
    status: Status | None = None
    quiet: Quiet | None = None

    @property
    def author(self) -> Author:
        """This person as the author of a new message or act."""
        return Author(self.id, self.name, self.is_bot)


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account. `id` never changes; both names are unique after folding (`names.fold`)."""

    id: str
    username: str
    display_name: str
    password_hash: str
    role: Role
    created_at: datetime
    password_version: int = 1  # increases with every change of the password
    is_bot: bool = False
    about: str = ""
    time_zone: str = ""
    status: Status | None = None
    quiet: Quiet | None = None
    hides_first_steps: bool = False
    new_rooms_notify: Notify = "mentions"
    muted_until: datetime | None = None
    mute_reason: str = ""
    banned_until: datetime | None = None
    ban_reason: str = ""
    approval_state: ApprovalState = ApprovalState()

    @property
    def person(self) -> Person:
        return Person(self.id, self.display_name, self.username, self.is_bot, self.status, self.quiet)


class FormerMember(msgspec.Struct, frozen=True, kw_only=True):
    """The data that remain of a deleted account."""

    id: str
    deleted_at: datetime
    is_erased: bool
    """Whether the messages of the account are erased."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is logged in, or an access token. `id` is the SHA-256 of its secret."""

    id: str
    user_id: str
    kind: Literal["browser", "token"]
    label: str  # the user agent of a browser, or the purpose of a token
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime  # later after each use, within the lifetime
    password_version: int = 1  # a session with an older version is not valid
    scopes: tuple[Scope, ...] = ()  # the permissions of a token
    rooms: tuple[str, ...] = ()  # the slugs of a token's rooms; empty for every room
