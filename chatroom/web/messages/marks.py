"""Reactions, pins, and people who can be mentioned, over the JSON API."""

from typing import Annotated

import msgspec
from flask import Response
from msgspec import Meta

from chatroom.base.access import Access
from chatroom.base.models import Message, Person
from chatroom.live.protocol import Format, WireMessage, wire
from chatroom.messages.writer import Change
from chatroom.web.kit.api import answer, api_blueprint, body_as, enter, query_as
from chatroom.web.kit.login import client_address
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

api = api_blueprint("marks")


class Reacting(msgspec.Struct, forbid_unknown_fields=True):
    """A reaction to add or remove."""

    emoji: Annotated[str, Meta(min_length=1, max_length=64)]
    on: bool = True


class Pinning(msgspec.Struct, forbid_unknown_fields=True):
    """Whether a message is to be pinned."""

    on: bool = True


class ChangedAnswer(msgspec.Struct):
    """What became of a message."""

    room: str
    id: str
    sequence: int
    revision: int


class Asking(msgspec.Struct):
    """How messages are to be written."""

    format: Format = "text"


class PinsAnswer(msgspec.Struct):
    """What is pinned in a room."""

    room: str
    messages: list[WireMessage]


class Beginning(msgspec.Struct):
    """How a name begins."""

    q: Annotated[str, Meta(max_length=64)] = ""


class MembersAnswer(msgspec.Struct):
    """Whom one can name."""

    room: str
    members: list[Person]


@api.post("/rooms/<slug>/messages/<message_id>/reactions")
@operation("post", {200: ChangedAnswer}, body=Reacting, example={"emoji": ":tada:", "on": True}, refusals=(409,))
def react(slug: str, message_id: str) -> Response:
    """Put an emoji on a message, or take it back; either may be repeated."""
    access, body = enter(slug), body_as(Reacting)
    change = services.messages.changes.reacting(access, message_id, body.emoji, on=body.on)
    return _changed(access, _change(access, change))


@api.post("/rooms/<slug>/messages/<message_id>/pin")
@operation("post", {200: ChangedAnswer}, body=Pinning, example={"on": True}, refusals=(409,))
def pin(slug: str, message_id: str) -> Response:
    """Pin a message to the top of its room, or unpin it: moderators, and in direct rooms everybody."""
    access, body = enter(slug), body_as(Pinning)
    return _changed(access, _change(access, services.messages.changes.pinning(access, message_id, on=body.on)))


@api.get("/rooms/<slug>/pins")
@operation("read", {200: PinsAnswer}, query=Asking)
def pins(slug: str) -> Response:
    """What is pinned in a room, the first first."""
    room, asked = enter(slug).room, query_as(Asking)
    messages = [wire(message, asked.format) for message in services.messages.store.pinned(room.id)]
    return answer(PinsAnswer(room=room.slug, messages=messages))


@api.get("/rooms/<slug>/members")
@operation("read", {200: MembersAnswer}, query=Beginning)
def members(slug: str) -> Response:
    """At most ten people who can be mentioned in a room, with a name that starts with `q`."""
    access = enter(slug)
    return answer(MembersAnswer(access.room.slug, services.rooms.members.list_like(access.room, query_as(Beginning).q)))


def _change(access: Access, change: Change) -> Message:
    return services.messages.posting.change(access, change, client_address())


def _changed(access: Access, message: Message) -> Response:
    return answer(ChangedAnswer(access.room.slug, message.id, message.sequence, message.revision))
