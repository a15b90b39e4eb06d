"""The JSON API of one message (docs/protocol.md): read, edit, delete."""

import msgspec
from flask import Response

from chatroom.base.access import Access
from chatroom.live.protocol import Cursor, Format, WireMessage, wire
from chatroom.messages.outcomes import StoredAnswer, stored_answer
from chatroom.messages.writer import Change
from chatroom.web.kit.api import answer, api_blueprint, body_as, enter, query_as
from chatroom.web.kit.login import client_address
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

blueprint = api_blueprint("messages_api")


class ReadingOne(msgspec.Struct):
    """How a message is to be read."""

    format: Format = "text"


class Editing(msgspec.Struct, forbid_unknown_fields=True):
    """A message's new text, and the revision of the message that its editor had in view."""

    text: str
    revision: Cursor | None = None


@blueprint.get("/rooms/<slug>/messages/<message_id>")
@operation("read", {200: WireMessage}, query=ReadingOne)
def read(slug: str, message_id: str) -> Response:
    """One message."""
    room = enter(slug).room
    return answer(wire(services.messages.store.get(room.id, message_id), query_as(ReadingOne).format))


@blueprint.patch("/rooms/<slug>/messages/<message_id>")
@operation("post", {200: StoredAnswer}, body=Editing, example={"text": "Hello!", "revision": 41}, refusals=(409,))
def edit(slug: str, message_id: str) -> Response:
    """Change the text of your own message.

    With `revision`, an edit that was made after it is not overwritten.
    """
    access = enter(slug)
    body = body_as(Editing)
    return _change(access, services.messages.changes.editing(access, message_id, body.text, seen=body.revision))


@blueprint.delete("/rooms/<slug>/messages/<message_id>")
@operation("post", {200: StoredAnswer})
def delete(slug: str, message_id: str) -> Response:
    """Delete a message.

    Your own, or as a moderator another's: its text is erased.
    """
    access = enter(slug)
    return _change(access, services.messages.changes.deleting(access, message_id))


def _change(access: Access, change: Change) -> Response:
    message = services.messages.posting.change(access, change, client_address())
    return answer(stored_answer(access.room.slug, message, message.client_id))
