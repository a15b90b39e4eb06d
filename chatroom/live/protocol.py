"""Parse the frames of clients, and build the frames of the server. This module does no I/O.

A message is encoded once for each format, and all readers of this format get the same bytes.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chatroom.base.access import Access
from chatroom.base.durations import FOREVER
from chatroom.base.errors import ChatroomError, Refused
from chatroom.base.models import Author, ClientId, File, Held, Message, Person, Reaction, Room, Scope, given_client_id
from chatroom.messages.mentions import Unreached
from chatroom.messages.outcomes import answer_of, stored_answer
from chatroom.messages.rules import closed_to, why_muted

Format = Literal["text", "html", "brief"]
"""The format of messages in frames. `brief` is for clients that only count messages: it has no text of users."""

Slug = Annotated[str, Meta(min_length=1, max_length=64)]
MessageId = Annotated[str, Meta(pattern=r"^[0-9a-f]{24}\Z")]
Cursor = Annotated[int, Meta(ge=0, le=2**53)]
FileIds = Annotated[tuple[MessageId, ...], Meta(max_length=50)]


class Frame(Struct, tag_field="type", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The common fields of all frames from clients."""

    scope: ClassVar[Scope] = "post"
    """The scope that an access token needs for the frame."""
    room: Slug


class Post(Frame, frozen=True, tag="post"):
    """Post a message."""

    text: str
    client_id: ClientId | None = None
    reply_to: Cursor | None = None
    files: FileIds = ()


class MessageChange(Frame, frozen=True, kw_only=True):
    """The common fields of all frames that change a message."""

    id: MessageId
    client_id: ClientId | None = None


class Edit(MessageChange, frozen=True, kw_only=True, tag="edit"):
    """Change the text of your own message."""

    text: str
    revision: Cursor | None = None


class Delete(MessageChange, frozen=True, tag="delete"):
    """Delete your own message."""


class React(MessageChange, frozen=True, kw_only=True, tag="react"):
    """Add a reaction, or remove your own."""

    emoji: Annotated[str, Meta(min_length=1, max_length=64)]
    on: bool = True


class Pin(MessageChange, frozen=True, tag="pin"):
    """Pin a message, or unpin it."""

    on: bool = True


class Follow(Frame, frozen=True, tag="follow"):
    """Receive the changes of a room after the cursor `after`. Without `after`, receive only new changes."""

    scope: ClassVar[Scope] = "read"
    after: Cursor | None = None
    format: Format | None = None


class Unfollow(Frame, frozen=True, tag="unfollow"):
    """Stop following a room."""

    scope: ClassVar[Scope] = "read"


class Read(Frame, frozen=True, tag="read"):
    """Store how far the user has read the room. `unread_marks` is the number of the newest mark as unread it knows."""

    scope: ClassVar[Scope] = "read"
    sequence: Cursor
    unread_marks: Cursor | None = None


class Typing(Frame, frozen=True, tag="typing"):
    """Announce that the user types, or has stopped. While the user types, clients repeat this every three seconds."""

    on: bool = True


ClientFrame = Post | Edit | Delete | React | Pin | Follow | Unfollow | Read | Typing
_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


class WireMessage(Struct, omit_defaults=True, kw_only=True):
    """A message in the form that clients receive. Clients receive no other field of a message."""

    id: str
    sequence: int
    revision: int
    author: Author
    client_id: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    html: str | UnsetType = UNSET
    sent_at: str | UnsetType = UNSET
    edited_at: str | UnsetType = UNSET
    deleted_at: str | UnsetType = UNSET
    kind: str = "message"
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    new_mentions: tuple[str, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    files: tuple[File, ...] = ()
    pinned_at: str | UnsetType = UNSET


def parse(raw: str) -> ClientFrame:
    """Parse a client's frame; raise `Refused` (`invalid`) with the reason."""
    try:
        return _decoder.decode(raw)
    except RecursionError as error:
        raise Refused("invalid", "The frame is nested too deeply.") from error
    except (msgspec.MsgspecError, UnicodeEncodeError, ValueError) as error:
        # Shortened, because the error may contain the whole frame.
        raise Refused("invalid", f"The frame is not valid: {str(error)[:200]}") from error


def subject_of(raw: str) -> dict[str, Any]:
    """The `room` and `client_id` of a refused frame, if they can be read."""
    try:
        frame = json.loads(raw)  # unlike msgspec, `json` accepts lone surrogates
    except (RecursionError, ValueError):
        return {}
    if not isinstance(frame, dict):
        return {}
    return {
        name: frame[name]
        for name in ("room", "client_id")
        if isinstance(frame.get(name), str) and len(frame[name]) <= 64 and frame[name].isprintable()
    }


def wire(message: Message, format: Format) -> WireMessage:
    """Convert a message to the form that clients receive."""
    is_brief, is_deleted = format == "brief", message.deleted_at is not None
    return WireMessage(
        id=message.id,
        sequence=message.sequence,
        revision=message.revision,
        author=message.author,
        deleted_at=timestamp(message.deleted_at) if message.deleted_at else UNSET,
        kind=message.kind,
        mentions=message.mentions,
        new_mentions=message.new_mentions if message.text_revision == message.revision else (),
        client_id=UNSET if is_brief else given_client_id(message.client_id),
        text=message.text if format == "text" and not is_deleted else UNSET,
        html=message.html if format == "html" and not is_deleted else UNSET,
        sent_at=UNSET if is_brief else timestamp(message.sent_at),
        edited_at=UNSET if is_brief or not message.edited_at else timestamp(message.edited_at),
        reply_to=None if is_brief else message.reply_to,
        reactions=() if is_brief else message.reactions,
        files=() if is_brief else message.files,
        pinned_at=UNSET if is_brief or not message.pinned_at else timestamp(message.pinned_at),
    )


@lru_cache(64)  # all messages of a batch have the same time
def timestamp(moment: datetime) -> str:
    """Format a time, for example as `2026-11-21T01:02:03.456Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_encoder = msgspec.json.Encoder()


def encode_message(message: Message, format: Format) -> bytes:
    """Encode a message as JSON, for `changes` frames."""
    return _encoder.encode(wire(message, format))


def changes(room: str, revision: int, pieces: Sequence[bytes]) -> bytes:
    """The frame with a room's changes up to `revision`."""
    head = _encoder.encode({"type": "changes", "room": room, "revision": revision})
    return b'%s,"messages":[%s]}' % (head[:-1], b",".join(pieces))


def stored(room: str, message: Message, client_id: str | None, unreached: Sequence[Unreached] = ()) -> bytes:
    """The answer to a frame whose post or change is stored. `client_id` is the client id of this frame."""
    return b'{"type":"stored",' + _encoder.encode(stored_answer(room, message, client_id, unreached))[1:]


def held(room: str, message: Held) -> bytes:
    """The answer to a post that waits for approval."""
    answer = msgspec.to_builtins(answer_of(room, message))
    del answer["held"]
    return _encoder.encode({"type": "held", **answer})


def approval(room: str) -> bytes:
    """The frame after a change of the user's held messages in a room. The client must read these messages again."""
    return _encoder.encode({"type": "approval", "room": room})


def caught_up(room: str, revision: int, missed: int) -> bytes:
    """The frame that marks the end of the history. `missed` is the number of messages in this history."""
    return _encoder.encode({"type": "caught_up", "room": room, "revision": revision, "missed": missed})


def reason_of(error: ChatroomError) -> dict[str, Any]:
    """The fields of a refusal: `reason` is for programs, `message` is for people."""
    if not isinstance(error, Refused):
        error = Refused("unavailable", str(error))
    fields: dict[str, Any] = {"reason": error.reason, "message": error.message}
    return fields if error.retry_after is None else {**fields, "retry_after": round(error.retry_after, 1)}


def refused(error: ChatroomError, subject: dict[str, Any]) -> bytes:
    """The answer to a refused frame."""
    return _encoder.encode({"type": "refused", **subject, **reason_of(error)})


def here(room: str, people: Sequence[Person]) -> bytes:
    """The frame with all people who are in the room now."""
    return _encoder.encode({"type": "presence", "room": room, "here": people})


def presence_changed(room: str, came: Sequence[Person], left: Sequence[str]) -> bytes:
    """The frame with the changes since the previous presence frame: people who came, and ids of users who left."""
    return _encoder.encode({"type": "presence", "room": room, "came": came, "left": left})


def typing(room: str, people: Sequence[Person]) -> bytes:
    """The frame with the people who are typing. `people` may be empty."""
    return _encoder.encode({"type": "typing", "room": room, "people": people})


def closed(room: str, reason: str, message: str, *, to: str = "") -> bytes:
    """The frame that says that the connection does not follow a room, or no longer does.

    `to` is the new slug, if the room has one.
    """
    frame = {"type": "closed", "room": room, "reason": reason, "message": message}
    return _encoder.encode({**frame, "to": to} if to else frame)


def mute(room: str, access: Access) -> bytes:
    """The frame after a change of the user's mute in a room. Without a mute, `message` is empty."""
    frame = {"type": "mute", "room": room, "message": why_muted(access)}
    end = access.muted_until if frame["message"] else None
    return _encoder.encode({**frame, "until": timestamp(end)} if end and end < FOREVER else frame)


def room(room: Room) -> bytes:
    """The frame after a change of a room's name or settings."""
    fields: dict[str, Any] = {"type": "room", "room": room.slug, "title": room.title, "topic": room.topic}
    fields |= {"kind": room.kind, "is_read_only": room.is_read_only, "slow_seconds": room.slow_seconds}
    return _encoder.encode(fields | {"archived": room.archived_at is not None, "closed": closed_to(room)})


def rooms() -> bytes:
    """The frame after a change of the user's list of rooms. The client must read the list again."""
    return _encoder.encode({"type": "rooms"})


def later(*, is_due: bool) -> bytes:
    """The frame for a change of the user's saved messages; with `is_due`, a reminder is due now."""
    return _encoder.encode({"type": "later", "due": is_due})


def cases() -> bytes:
    """The frame after a change of the reports and held messages that the user may decide. The client counts again."""
    return _encoder.encode({"type": "cases"})


def read(room: str, sequence: int, unread_marks: int) -> bytes:
    """The frame with the user's new read position in a room, and the number of marks as unread."""
    return _encoder.encode({"type": "read", "room": room, "sequence": sequence, "unread_marks": unread_marks})
