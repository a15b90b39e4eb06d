"""The list of a user's rooms, beside the messages of every room."""

from collections.abc import Callable

import msgspec

from chatroom.base.models import RoomEntry
from chatroom.rooms.listings_store import MOST_UNREAD
from chatroom.web.kit.services import services


class Section(msgspec.Struct, frozen=True):
    """A part of the list: those that call one first, then those with news, then by title."""

    name: str
    title: str
    entries: list[RoomEntry]


def sections_for(user_id: str) -> list[Section]:
    """A user's rooms and direct rooms, with what they have not read in them."""
    entries = sorted(services.rooms.listings.list_for(user_id), key=_rank)  # stable: by title within a rank

    def part(name: str, title: str, belongs: Callable[[RoomEntry], bool]) -> Section:
        return Section(name, title, [entry for entry in entries if belongs(entry)])

    return [
        part("rooms", "Rooms", lambda entry: entry.room.kind != "direct"),
        part("direct", "Direct messages", lambda entry: entry.room.kind == "direct"),
    ]


def badge(count: int) -> str:
    """A count as it is written on a badge (the same as `shorten` in static/state/rooms/rooms.js)."""
    return f"{MOST_UNREAD - 1}+" if count >= MOST_UNREAD else str(count)


def _rank(entry: RoomEntry) -> int:
    if entry.urgent:
        return 0
    return 1 if entry.unread and entry.membership.notify != "none" else 2
