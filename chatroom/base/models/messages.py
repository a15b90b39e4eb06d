"""Messages: drafts, held messages, and stored messages."""

import secrets
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chatroom.base.models.people import Author, Person


class Reaction(msgspec.Struct, frozen=True):
    """An emoji on a message, and the people who added it, the earliest first."""

    emoji: str
    people: tuple[Author, ...]


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of a message. Only pictures have `width` and `height`, in pixels; a PDF with a thumbnail has `pages`.

    `has_view`: browsers show the view picture, because the file is too large, or of a type that some cannot show.
    """

    id: str
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    is_animated: bool = False
    has_view: bool = False
    pages: int | None = None


ClientId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
SERVER_MADE = "."
"""The first character of a client id that the server generated, because the client sent none."""


def make_client_id(name: str = "") -> str:
    """Return a client id that no client can send; the same `name` gives the same id."""
    return SERVER_MADE + (name or secrets.token_urlsafe(12))


def given_client_id(client_id: str | None) -> str | msgspec.UnsetType:
    """Return the client id if the client sent it; return UNSET if the server generated it."""
    return client_id if client_id and not client_id.startswith(SERVER_MADE) else msgspec.UNSET


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not yet stored. Room, author and `client_id` identify it forever."""

    author: Author
    text: str
    client_id: str
    reply_to: int | None = None
    files: tuple[File, ...] = ()
    mentions: tuple[Person, ...] = ()
    rooms: tuple[str, ...] = ()
    """The slugs of the rooms to which the text links."""
    kind: Literal["message", "event"] = "message"
    html: str = ""
    """The HTML, if the text was rendered before it was queued."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A message that waits, or has waited, for approval. Only its author and the moderators see it.

    `is_done` is true when a decision is made and completed.
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
    """Whether the moderator also approved all later messages of the author."""


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
    """An event is a line that the server writes: who joined, or a new topic."""
    reply_to: int | None = None
    """The sequence of the message that this message replies to, in the same room."""
    mentions: tuple[str, ...] = ()
    """The ids of the mentioned users; `room` for everybody."""
    new_mentions: tuple[str, ...] = ()
    """Those whom the latest edit mentions for the first time. They are notified of the edit."""
    past_mentions: tuple[str, ...] = ()
    """Those who were mentioned before the latest edit."""
    reactions: tuple[Reaction, ...] = ()
    files: tuple[File, ...] = ()
    pinned_at: datetime | None = None
    text_revision: int = 0
    """The revision of the last change of the text; 0 if the text was never changed."""
    origin: str = ""
    """The process that wrote this state. It has no meaning after that process has ended."""
