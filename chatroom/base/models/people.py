"""People: accounts, sessions, and people as they are shown.

An `Author` is a person at the time of writing; a `Person` is as they are now.
"""

from datetime import datetime
from typing import Literal

import msgspec

Role = Literal["administrator", "moderator", "member"]
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
    """The rest of a deleted account, until no room contains its name."""

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
