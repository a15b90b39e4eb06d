"""The JSON API that makes messages unread again (docs/protocol.md)."""

import msgspec
from flask import Response

from chatroom.live.protocol import Cursor
from chatroom.web.kit.api import answer, api_blueprint, body_as, enter
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

blueprint = api_blueprint("unread_api")


class Unread(msgspec.Struct, forbid_unknown_fields=True):
    """The message from which on the room is unread again."""

    sequence: Cursor


class UnreadAnswer(msgspec.Struct):
    """Your read position before the message, and the number of the mark."""

    room: str
    sequence: int
    unread_marks: int


@blueprint.post("/rooms/<slug>/unread")
@operation("read", {200: UnreadAnswer}, body=Unread, example={"sequence": 42})
def mark_unread(slug: str) -> Response:
    """Mark a message and all later ones as unread, on all your devices."""
    access, body = enter(slug), body_as(Unread)
    marks = services.rooms.read_positions.mark_unread(access, body.sequence)
    return answer(UnreadAnswer(access.room.slug, body.sequence - 1, marks))
