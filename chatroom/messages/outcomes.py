"""The response to a post, for the API, webhooks and frames.

A response never contains a client id that the server generated.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from chatroom.base.models import Held, Message, given_client_id
from chatroom.messages.mentions import Unreached
from chatroom.messages.messages_store import Stored

WAITING = "A moderator reviews your first messages before others see them."


class StoredAnswer(msgspec.Struct, kw_only=True):
    """The response for a stored message."""

    room: str
    client_id: str | UnsetType = UNSET
    id: str
    sequence: int
    revision: int
    unreached: Sequence[Unreached] | UnsetType = UNSET
    """The mentions in the text that notify nobody, if there are any."""


class HeldAnswer(msgspec.Struct, kw_only=True):
    """The response for a held message."""

    room: str
    client_id: str | UnsetType = UNSET
    id: str
    held: bool = True
    message: str = WAITING


def answer_of(room: str, outcome: Stored | Held, unreached: Sequence[Unreached] = ()) -> StoredAnswer | HeldAnswer:
    """Return the response to a post; `room` is the slug of the room."""
    if isinstance(outcome, Stored):
        return stored_answer(room, outcome.message, outcome.message.client_id, unreached)
    return HeldAnswer(room=room, client_id=given_client_id(outcome.client_id), id=outcome.id)


def stored_answer(
    room: str, message: Message, client_id: str | None, unreached: Sequence[Unreached] = ()
) -> StoredAnswer:
    """Return the response to a stored post or change; `room` is the slug of the room."""
    return StoredAnswer(
        room=room,
        client_id=given_client_id(client_id),
        id=message.id,
        sequence=message.sequence,
        revision=message.revision,
        unreached=unreached or UNSET,
    )
