"""The JSON API of rooms (docs/protocol.md): which rooms one is in, and how far one has read."""

import msgspec
from flask import Response

from chatroom.base.models import Notify, Role, RoomEntry, RoomKind
from chatroom.live.protocol import Cursor, Person
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as, enter
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services

blueprint = api_blueprint("rooms_api")


class ListedRoom(msgspec.Struct, kw_only=True):
    """A room in somebody's list."""

    slug: str
    title: str
    kind: RoomKind
    topic: str
    role: Role
    notify: Notify
    is_read_only: bool
    archived: bool
    unread: int
    mentions: int
    read_sequence: int
    revision: int
    people: list[Person]


class RoomList(msgspec.Struct):
    """The rooms that one is in."""

    rooms: list[ListedRoom]


class Read(msgspec.Struct, forbid_unknown_fields=True):
    """How far you have read."""

    sequence: Cursor


class ReadAnswer(msgspec.Struct):
    """How far you have read, as it is now."""

    room: str
    sequence: int


@blueprint.get("/rooms")
@operation("read", {200: RoomList})
def list_rooms() -> Response:
    """The rooms that you are in, by title, each with what you have not read in it.

    `unread` counts at most 100.
    """
    return answer(RoomList(rooms=[listed(entry) for entry in services.rooms.rooms.list_for(asker().id)]))


@blueprint.post("/rooms/<slug>/read")
@operation("read", {200: ReadAnswer}, body=Read, example={"sequence": 42})
def mark_read(slug: str) -> Response:
    """Say how far you have read; your other devices are told. It only ever moves forward."""
    access = enter(slug)
    sequence = services.rooms.read_positions.mark(access, body_as(Read).sequence)
    return answer(ReadAnswer(room=access.room.slug, sequence=sequence))


def listed(entry: RoomEntry) -> ListedRoom:
    """An entry as programs see it."""
    room, membership = entry.room, entry.membership
    return ListedRoom(
        slug=room.slug,
        title=entry.title,
        kind=room.kind,
        topic=room.topic,
        role=membership.role,
        notify=membership.notify,
        is_read_only=room.is_read_only,
        archived=room.archived_at is not None,
        unread=entry.unread,
        mentions=entry.mentions,
        read_sequence=membership.read_sequence,
        revision=entry.revision,
        people=[Person(person.id, person.name) for person in entry.people],
    )
