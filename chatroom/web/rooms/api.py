"""The JSON API of rooms (docs/protocol.md): list, create, change, join, leave, mark as read."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import Response
from msgspec import UNSET, Meta, UnsetType

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Notify, Person, Role, RoomEntry, RoomKind, RoomValues
from chatroom.live.protocol import Cursor
from chatroom.names import MAX_TITLE, MAX_TOPIC, clean_title, clean_topic
from chatroom.people.tokens import grant_of
from chatroom.rooms.arrangement import Arrangement
from chatroom.rooms.fields import SETTINGS, TYPES, values_of
from chatroom.site.audit import LONGEST_REASON
from chatroom.web.kit.api import answer, api_blueprint, asker, body_as, enter
from chatroom.web.kit.login import client_address
from chatroom.web.kit.openapi import operation
from chatroom.web.kit.services import services
from chatroom.web.rooms.notifying import pausing

Title = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]
Topic = Annotated[str, Meta(max_length=MAX_TOPIC)]

# There are two blueprints, because their names are in the operation ids of the OpenAPI document.
blueprint = api_blueprint("room_api")
listing = api_blueprint("rooms_api")


class NewRoom(msgspec.Struct, forbid_unknown_fields=True):
    """A new room."""

    title: Title
    topic: Topic = ""
    kind: Literal["public", "private"] = "public"


class RoomAnswer(RoomValues, frozen=True, kw_only=True):
    """The present state of a room, and your role in it."""

    slug: str
    kind: RoomKind
    role: Role
    archived: bool


def _changed(name: str) -> Any:
    """The type of a setting in the body of a request that changes a room."""
    setting, kind = SETTINGS[name], TYPES[name]
    bounds = {int: Meta(ge=0, le=setting.most), str: Meta(max_length=setting.most)}
    return (Annotated[kind, bounds[kind]] if kind in bounds else kind) | UnsetType


# A setting that is not sent does not change. If `confirmed` is true, the new retention may delete messages.
RoomChange = msgspec.defstruct(
    "RoomChange",
    [
        ("title", Title | UnsetType, UNSET),
        ("topic", Topic | UnsetType, UNSET),
        *((name, _changed(name), UNSET) for name in SETTINGS),
        ("archived", bool | UnsetType, UNSET),
        ("confirmed", bool, False),
        ("reason", Annotated[str, Meta(max_length=LONGEST_REASON)], ""),
    ],
    forbid_unknown_fields=True,
)


class Arranging(msgspec.Struct, forbid_unknown_fields=True):
    """A change of how you list a room. A field that is absent changes nothing.

    `notify` may also be `tomorrow`: a pause until 8 o'clock on the next morning in your time zone.
    """

    is_starred: bool | UnsetType = UNSET
    is_hidden: bool | UnsetType = UNSET
    notify: Literal["all", "mentions", "none", "tomorrow"] | UnsetType = UNSET


class ArrangedAnswer(msgspec.Struct):
    """The room that you arranged, and what notifies you there now."""

    room: str
    notify: Notify
    chosen: Notify
    paused_until: datetime | None


class LeftAnswer(msgspec.Struct):
    """The room that you left."""

    room: str


class ListedRoom(msgspec.Struct, kw_only=True):
    """A room in the list of a user."""

    slug: str
    title: str
    kind: RoomKind
    topic: str
    role: Role
    notify: Notify
    is_starred: bool
    is_hidden: bool
    chosen: Notify
    paused_until: datetime | None
    is_read_only: bool
    archived: bool
    unread: int
    mentions: int
    read_sequence: int
    unread_from: int
    unread_marks: int
    revision: int
    people: tuple[Person, ...]


class RoomList(msgspec.Struct):
    """The rooms of a user."""

    rooms: list[ListedRoom]


class Read(msgspec.Struct, forbid_unknown_fields=True):
    """How far you have read. `unread_marks` is the number of marks as unread that you know."""

    sequence: Cursor
    unread_marks: Cursor | None = None


class ReadAnswer(msgspec.Struct):
    """How far you have read, as it is now."""

    room: str
    sequence: int


@listing.get("/rooms")
@operation("read", {200: RoomList})
def list_rooms() -> Response:
    """The rooms that you are in, by title, with your unread messages and mentions.

    `unread` counts at most 100.
    """
    return answer(RoomList(rooms=[_listed(entry) for entry in services.rooms.listings.list_for(asker().id)]))


@listing.post("/rooms/<slug>/read")
@operation("read", {200: ReadAnswer}, body=Read, example={"sequence": 42})
def mark_read(slug: str) -> Response:
    """Store your read position, and notify your other devices. Only a mark as unread moves the position back."""
    access, body = enter(slug), body_as(Read)
    sequence = services.rooms.read_positions.mark(access, body.sequence, body.unread_marks)
    return answer(ReadAnswer(room=access.room.slug, sequence=sequence))


@blueprint.post("/rooms")
@operation(
    "rooms",
    {201: RoomAnswer},
    body=NewRoom,
    example={"title": "Builds", "topic": "Messages from machines", "kind": "private"},
    refusals=(409,),
)
def create_room() -> Response:
    """Create a room, and become its administrator.

    A token that is limited to some rooms cannot create rooms.
    """
    person, body = asker(), body_as(NewRoom)
    services.site.limits.posting.check(person.id, client_address())
    room = services.rooms.making.create(
        person.author,
        grant_of(person.session).site_role(person.role),
        title=clean_title(body.title),
        topic=clean_topic(body.topic),
        is_private=body.kind == "private",
    )
    return _answer(room.slug, 201)


@blueprint.patch("/rooms/<slug>")
@operation("moderate", {200: RoomAnswer}, body=RoomChange, example={"topic": "Version 2.1 is out"}, refusals=(409,))
def change_room(slug: str) -> Response:
    """Change the name, topic and settings of a room that you manage.

    If a new retention would delete messages at once, the request is refused with 409, unless `confirmed` is true. The
    `reason` is stored in the room's record.
    """
    access = enter(slug)
    body: Any = body_as(RoomChange)
    services.site.limits.posting.check(access.user_id, client_address())
    wanted = _wanted(access, body)
    older = services.erasure.retention.count_older(access, wanted.retention_days)
    if older and wanted.retention_days != access.room.retention_days and not body.confirmed and access.may_manage:
        raise Refused("conflict", f"This permanently deletes {older} messages. Confirm it with confirmed: true.")
    services.rooms.settings.change(access, wanted, body.reason)
    if body.archived is not UNSET:
        services.rooms.settings.archive(access, is_archived=body.archived, reason=body.reason)
    return _answer(slug)


@blueprint.post("/rooms/<slug>/join")
@operation("rooms", {200: RoomAnswer})
def join_room(slug: str) -> Response:
    """Join a public room; if you are a member already, nothing changes."""
    person = asker()
    services.site.limits.coming.check(person.id)
    if services.rooms.access.find_for(person.id, slug) is None:
        services.rooms.membership.join(person.author, slug)
    return _answer(slug)


@blueprint.post("/rooms/<slug>/leave")
@operation("rooms", {200: LeftAnswer})
def leave_room(slug: str) -> Response:
    """Leave a room; you can return to a private room only by a room link, or if a moderator adds you."""
    # `enter` would return the reduced role of a token. The only administrator must not leave, even with a token.
    access = services.rooms.access.find_for(asker().id, slug)
    if access is None:
        raise Refused("not_found", "There is no such room, or you are not a member of it.")
    services.rooms.membership.leave(access)
    return answer(LeftAnswer(slug))


@blueprint.post("/rooms/<slug>/arrange")
@operation("rooms", {200: ArrangedAnswer}, body=Arranging, example={"is_starred": True})
def arrange_room(slug: str) -> Response:
    """Star, hide or mute a room in your own list of rooms, and notify your other devices.

    A hidden room comes back with its next message, unless it is muted.
    """
    access, body = enter(slug), body_as(Arranging)
    given = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    services.rooms.arrangement.change(access, Arrangement(**given | pausing(given)))
    now = enter(slug).membership
    return answer(ArrangedAnswer(access.room.slug, now.notify, now.chosen, now.paused_until))


def _wanted(access: Access, body: Any) -> RoomValues:
    """Return the settings of the room after the change."""
    given = {name: value for name in RoomValues.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    texts: dict[str, Callable[[str], str]] = {"title": clean_title, "topic": clean_topic}
    texts |= {name: setting.clean for name, setting in SETTINGS.items() if TYPES[name] is str}
    cleaned = {name: clean(given[name]) for name, clean in texts.items() if name in given}
    return RoomValues(**values_of(access.room) | given | cleaned)


def _answer(slug: str, status: int = 200) -> Response:
    access = enter(slug)
    room = access.room
    shown = RoomAnswer(
        slug=room.slug,
        kind=room.kind,
        role=access.membership.role,
        archived=room.archived_at is not None,
        **values_of(room),
    )
    return answer(shown, status)


def _listed(entry: RoomEntry) -> ListedRoom:
    room, membership = entry.room, entry.membership
    return ListedRoom(
        slug=room.slug,
        title=entry.title,
        kind=room.kind,
        topic=room.topic,
        role=membership.role,
        notify=membership.notify,
        is_starred=membership.is_starred,
        is_hidden=entry.is_hidden,
        chosen=membership.chosen,
        paused_until=membership.paused_until,
        is_read_only=room.is_read_only,
        archived=room.archived_at is not None,
        unread=entry.unread,
        mentions=entry.mentions,
        read_sequence=membership.read_sequence,
        unread_from=membership.unread_from,
        unread_marks=membership.unread_marks,
        revision=entry.revision,
        people=entry.people,
    )
