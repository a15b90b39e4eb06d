"""The list of a user's rooms, next to the messages of every room."""

import msgspec

from chatroom.base.models import RoomEntry
from chatroom.rooms.listings_store import MOST_UNREAD
from chatroom.web.kit.services import services


class Section(msgspec.Struct, frozen=True):
    """A part of the list. Rooms with mentions come first, then rooms with unread messages, then the others by title."""

    name: str
    title: str
    entries: list[RoomEntry]


def sections_for(user_id: str) -> list[Section]:
    """A user's rooms and direct conversations, with their unread counts."""
    entries = sorted(services.rooms.listings.list_for(user_id), key=_rank)  # stable: by title within a rank
    return [
        Section("rooms", "Rooms", [entry for entry in entries if entry.room.kind != "direct"]),
        Section("direct", "Direct messages", [entry for entry in entries if entry.room.kind == "direct"]),
    ]


def badge(count: int) -> str:
    """The text of a badge (the same as `shorten` in static/state/rooms/rooms.js)."""
    return f"{MOST_UNREAD - 1}+" if count >= MOST_UNREAD else str(count)


def _rank(entry: RoomEntry) -> int:
    if entry.urgent:
        return 0
    return 1 if entry.unread and entry.membership.notify != "none" else 2
