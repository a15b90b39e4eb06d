"""The outcome of a post, for the API, webhooks and frames.

A client id that the server generated is not shown.
"""

import msgspec
from msgspec import UNSET, UnsetType

from chatroom.base.models import Held, Message, given_client_id
from chatroom.messages.messages_store import Stored

WAITING = "A moderator reviews your first messages before others see them."


class StoredAnswer(msgspec.Struct, kw_only=True):
    """The outcome of a post."""

    room: str
    client_id: str | UnsetType = UNSET
    id: str
    sequence: int
    revision: int


class HeldAnswer(msgspec.Struct, kw_only=True):
    """A post waits for approval."""

    room: str
    client_id: str | UnsetType = UNSET
    id: str
    held: bool = True
    message: str = WAITING


def answer_of(room: str, outcome: Stored | Held) -> StoredAnswer | HeldAnswer:
    """The response to a post; `room` is the slug."""
    if isinstance(outcome, Stored):
        return stored_answer(room, outcome.message, outcome.message.client_id)
    return HeldAnswer(room=room, client_id=given_client_id(outcome.client_id), id=outcome.id)


def stored_answer(room: str, message: Message, client_id: str | None) -> StoredAnswer:
    """The response to a post or a change."""
    return StoredAnswer(
        room=room,
        client_id=given_client_id(client_id),
        id=message.id,
        sequence=message.sequence,
        revision=message.revision,
    )
