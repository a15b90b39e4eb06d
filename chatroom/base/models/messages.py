"""Messages: drafts, held messages, and stored messages."""

import secrets
from datetime import datetime
from typing import Literal

import msgspec

from chatroom.base.models.people import Author, Person


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
    """The client id that the client gave; None if the server generated it."""
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
