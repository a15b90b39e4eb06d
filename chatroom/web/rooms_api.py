"""The JSON API of rooms (docs/protocol.md): which rooms one is in."""

import msgspec
from flask import Response

from chatroom.live.protocol import Person
from chatroom.models import Notify, Role, RoomEntry, RoomKind
from chatroom.web.openapi import operation
from chatroom.web.programs import answer, api_blueprint, asker
from chatroom.web.services import services

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
    newest_sequence: int
    people: list[Person]


class RoomList(msgspec.Struct):
    """The rooms that one is in."""

    rooms: list[ListedRoom]


@blueprint.get("/rooms")
@operation("read", {200: RoomList})
def list_rooms() -> Response:
    """The rooms that you are in, by title, each with what you have not read in it.

    `unread` counts at most 100.
    """
    return answer(RoomList(rooms=[listed(entry) for entry in services.rooms.list_for(asker().id)]))


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
        newest_sequence=entry.newest_sequence,
        people=[Person(person.id, person.name) for person in entry.people],
    )
