"""The table of room settings, without name and topic: label, bounds, badge and event line of each setting.

The form, the API, the page and event lines read this table. `chatroom.base.models.RoomValues` has the values.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from chatroom.base.models import Room, RoomValues


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. Its type is the type of the field with the same name in `RoomValues`."""

    label: str
    hint: str = ""
    needed: str = ""
    """The error message for a missing number."""
    most: int = 0
    """The largest allowed number, or the most characters of a text. The smallest number is 0."""
    clean: Callable[[str], str] = str.strip
    """Cleans a typed text; raises `Refused` if it is not allowed."""
    badge: Callable[[Any], str]
    """Makes the badge next to the name of the room. An empty value has no badge."""
    rule: Callable[[Any], str]
    """Makes the sentence about a value that is not empty, for the members of the room."""
    line: Callable[[Any], str]
    """Makes the event line that announces a new value."""


SETTINGS = {
    "is_read_only": Setting(
        label="Only moderators can post",
        badge=lambda _: "read-only",
        rule=lambda _: "Only moderators can post.",
        line=lambda is_so: "made the room read-only" if is_so else "let everybody write again",
    ),
    "members_mention_all": Setting(
        label="Everyone can mention everybody",
        hint="With @room and @here. Otherwise, only moderators can.",
        badge=lambda _: "@room for everyone",
        rule=lambda _: "Everyone can mention everybody, with @room and @here.",
        line=lambda is_so: "let everyone mention everybody" if is_so else "let only moderators mention everybody",
    ),
    "slow_seconds": Setting(
        label="Slow mode (seconds)",
        hint="How long members wait between two of their messages. 0 turns slow mode off. Moderators do not wait.",
        needed="Enter a number; 0 turns slow mode off.",
        most=6 * 3600,
        badge=lambda seconds: f"slow: {seconds} s",
        rule=lambda seconds: f"Slow mode: members wait {seconds} seconds between two of their messages.",
        line=lambda seconds: (
            f"made the room slow: one message every {seconds} seconds" if seconds else "ended slow mode"
        ),
    ),
    "retention_days": Setting(
        label="Delete messages after (days)",
        hint="0 keeps all messages. Before anything is deleted, you see how many messages it concerns.",
        needed="Enter a number; 0 keeps all messages.",
        most=3650,
        badge=lambda days: f"kept {days} days",
        rule=lambda days: f"Messages are deleted after {days} days.",
        line=lambda days: f"had messages deleted after {days} days" if days else "had messages kept for good",
    ),
}
TYPES: dict[str, type] = {field.name: type(field.default) for field in msgspec.structs.fields(RoomValues)}


def values_of(room: Room) -> dict[str, Any]:
    """Return the room's name, topic and settings."""
    return {name: getattr(room, name) for name in RoomValues.__struct_fields__}


def badges_of(room: Room) -> list[str]:
    """Return the badges next to the name of the room."""
    return [setting.badge(value) for name, setting in SETTINGS.items() if (value := getattr(room, name))]
