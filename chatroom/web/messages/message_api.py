"""The JSON API of one message (docs/protocol.md): read, edit, delete, react, pin. Also a room's pins and members.

The module has two blueprints, because a blueprint's name is part of the operation ids in the OpenAPI document.
"""

from typing import Annotated

import msgspec
from flask import Response
from msgspec import Meta

from chatroom.base.access import Access
from chatroom.base.models import Message, Person
from chatroom.live.protocol import Cursor, Format, WireMessage, wire
from chatroom.messages.mentions import GROUPS
from chatroom.messages.outcomes import StoredAnswer, stored_answer
from chatroom.messages.writer import Change
from chatroom.names import fold
from chatroom.web.kit.api import answer, api_blueprint, body_as, enter, query_as
from chatroom.web.kit.login import client_address, get_named
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

blueprint = api_blueprint("messages_api")
marks = api_blueprint("marks")


class ReadingOne(msgspec.Struct):
    """The format of messages."""

    format: Format = "text"


class Editing(msgspec.Struct, forbid_unknown_fields=True):
    """The new text of a message, and the message's revision when the editor saw it."""

    text: str
    revision: Cursor | None = None


class Reacting(msgspec.Struct, forbid_unknown_fields=True):
    """A reaction to add or remove."""

    emoji: Annotated[str, Meta(min_length=1, max_length=64)]
    on: bool = True


class Pinning(msgspec.Struct, forbid_unknown_fields=True):
    """Whether to pin or unpin a message."""

    on: bool = True


class ChangedAnswer(msgspec.Struct):
    """A message after a change."""

    room: str
    id: str
    sequence: int
    revision: int


class PinsAnswer(msgspec.Struct):
    """The pinned messages of a room."""

    room: str
    messages: list[WireMessage]


class Beginning(msgspec.Struct):
    """The beginning of a part of a name."""

    q: Annotated[str, Meta(max_length=64)] = ""


class MembersAnswer(msgspec.Struct):
    """People to mention: members of the room, and others, whom a mention does not notify. Also `room` and `here`."""

    room: str
    members: list[Person]
    others: list[Person]
    groups: list[str]


class NewMember(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to add, by user name."""

    username: Annotated[str, Meta(min_length=1, max_length=64)]


class AddedAnswer(msgspec.Struct):
    """The member, and whether the request has added this member."""

    room: str
    member: Person
    added: bool


@blueprint.get("/rooms/<slug>/messages/<message_id>")
@operation("read", {200: WireMessage}, query=ReadingOne)
def get_message(slug: str, message_id: str) -> Response:
    """One message."""
    room = enter(slug).room
    return answer(wire(services.messages.store.get(room.id, message_id), query_as(ReadingOne).format))


@blueprint.patch("/rooms/<slug>/messages/<message_id>")
@operation("post", {200: StoredAnswer}, body=Editing, example={"text": "Hello!", "revision": 41}, refusals=(409,))
def edit_message(slug: str, message_id: str) -> Response:
    """Change the text of your own message.

    If you send the `revision` that you saw, and the message was edited since, your edit is refused with 409.
    """
    access = enter(slug)
    body = body_as(Editing)
    change = services.messages.changes.editing(access, message_id, body.text, seen=body.revision)
    message = _change(access, change)
    unreached = services.messages.posting.find_unreached(access, body.text)
    return answer(stored_answer(access.room.slug, message, message.client_id, unreached))


@blueprint.delete("/rooms/<slug>/messages/<message_id>")
@operation("post", {200: StoredAnswer})
def delete_message(slug: str, message_id: str) -> Response:
    """Delete a message.

    Members can delete their own messages, moderators all messages. The text of the message is erased.
    """
    access = enter(slug)
    return _stored(access, _change(access, services.messages.changes.deleting(access, message_id)))


@marks.post("/rooms/<slug>/messages/<message_id>/reactions")
@operation("post", {200: ChangedAnswer}, body=Reacting, example={"emoji": ":tada:", "on": True}, refusals=(409,))
def react_to_message(slug: str, message_id: str) -> Response:
    """Add or remove a reaction; repeating the request changes nothing."""
    access, body = enter(slug), body_as(Reacting)
    change = services.messages.changes.reacting(access, message_id, body.emoji, on=body.on)
    return _changed(access, _change(access, change))


@marks.post("/rooms/<slug>/messages/<message_id>/pin")
@operation("post", {200: ChangedAnswer}, body=Pinning, example={"on": True}, refusals=(409,))
def pin_message(slug: str, message_id: str) -> Response:
    """Pin a message to the top of its room, or unpin it.

    Only moderators can do this. In a direct conversation, all its members can.
    """
    access, body = enter(slug), body_as(Pinning)
    return _changed(access, _change(access, services.messages.changes.pinning(access, message_id, on=body.on)))


@marks.get("/rooms/<slug>/pins")
@operation("read", {200: PinsAnswer}, query=ReadingOne)
def list_pins(slug: str) -> Response:
    """The pinned messages of a room, the oldest pin first."""
    room, asked = enter(slug).room, query_as(ReadingOne)
    messages = [wire(message, asked.format) for message in services.messages.store.pinned(room.id)]
    return answer(PinsAnswer(room=room.slug, messages=messages))


@marks.get("/rooms/<slug>/members")
@operation("read", {200: MembersAnswer}, query=Beginning)
def find_members(slug: str) -> Response:
    """At most ten people to mention, whose name starts with `q`: members first.

    In a private room, only moderators get `others`, because they can add them.
    """
    access = enter(slug)
    beginning = query_as(Beginning).q
    found = services.rooms.members.list_like(access.room, beginning, may_add=access.may_moderate)
    groups = [name for name in GROUPS if access.may_mention_all and name.startswith(fold(beginning))]
    return answer(MembersAnswer(access.room.slug, *found, groups))


@marks.post("/rooms/<slug>/members")
@operation("moderate", {200: AddedAnswer}, body=NewMember, example={"username": "bob"})
def add_member(slug: str) -> Response:
    """Add somebody to a room that you moderate, also after a removal; adding a member again changes nothing."""
    access, body = enter(slug), body_as(NewMember)
    services.site.limits.posting.check(access.user_id, client_address())
    user = get_named(body.username)
    is_added = services.rooms.membership.add(access, user.id, user.display_name)
    return answer(AddedAnswer(access.room.slug, user.person, is_added))


def _change(access: Access, change: Change) -> Message:
    return services.messages.posting.change(access, change, client_address())


def _changed(access: Access, message: Message) -> Response:
    return answer(ChangedAnswer(access.room.slug, message.id, message.sequence, message.revision))


def _stored(access: Access, message: Message) -> Response:
    return answer(stored_answer(access.room.slug, message, message.client_id))
