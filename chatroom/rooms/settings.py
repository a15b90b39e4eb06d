"""The settings of a room, and archiving, for its administrators.

A change is stored, sent to all open pages of the room, and announced by an event line in the room.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from chatroom.base.access import Access
from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Refused
from chatroom.base.models import Author, Notice, Room, RoomValues
from chatroom.messages.writer import Writer
from chatroom.rooms.access import LOBBY
from chatroom.rooms.fields import SETTINGS
from chatroom.rooms.making import RoomMaking, taken
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.acts import Acts
from chatroom.site.acts_store import Note
from chatroom.site.audit import ActName, about_room


class RoomSettings:
    """Change the settings of rooms, and archive them."""

    def __init__(
        self, store: RoomStore, making: RoomMaking, writer: Writer, acts: Acts, *, clock: Clock = utc_now
    ) -> None:
        self._store = store
        self._making = making
        self._writer = writer
        self._acts = acts
        self._clock = clock

    def change(self, access: Access, wanted: RoomValues, reason: str = "") -> None:
        """Change the settings of a room. Raises `Refused` (`forbidden`, `invalid`, `taken`)."""
        _check(access)
        room = access.room
        fields = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value != getattr(room, name)}
        if "title" in fields:
            self._making.check_title(wanted.title, is_public=room.kind == "public", room_id=room.id)
        if fields:
            self._do(room, access.author, "change_room", reason, fields)
            for line in _lines(room, fields):
                self._writer.note(room, access.author, line)
        else:
            self._acts.finish_in("rooms")

    def archive(self, access: Access, *, is_archived: bool, reason: str = "") -> None:
        """Archive a room, or reopen it."""
        _check(access)
        self.set_archived(access.room, access.author, is_archived=is_archived, reason=reason)

    def set_archived(self, room: Room, author: Author, *, is_archived: bool, reason: str) -> None:
        """Archive or reopen a room for administrators of the site. The membership is not checked."""
        if room.id == LOBBY.id:
            raise Refused("forbidden", "The lobby cannot be archived.")
        if (room.archived_at is not None) == is_archived:
            self._acts.finish_in("rooms")
            return
        fields = {"archived_at": self._clock() if is_archived else None}
        self._do(room, author, "archive_room" if is_archived else "unarchive_room", reason, fields)
        self._writer.note(room, author, "archived the room" if is_archived else "reopened the room")

    def _do(self, room: Room, author: Author, act: ActName, reason: str, fields: Mapping[str, Any]) -> None:
        self._acts.do(
            "rooms",
            lambda note: self._write(room, dict(fields), note),
            author,
            act,
            about_room(room),
            reason=reason,
            details=fields if act == "change_room" else {},
            tell=[Notice(kind="room", room=room.id)],
        )

    def _write(self, room: Room, fields: dict[str, Any], note: Note) -> None:
        """Change a room. If another room has taken the new title meanwhile, undo the change and raise `Refused`."""
        is_public = room.kind == "public"
        self._store.change(room.id, fields, note, is_public=is_public)
        if "title" in fields and is_public and self._store.has_title(fields["title"], but=room.id):
            self._store.undo_change(room, fields, note, is_public=is_public)
            raise taken()


def _check(access: Access) -> None:
    if not access.may_manage:
        raise Refused("forbidden", "Only administrators of this room can change it.")


def _lines(room: Room, fields: Mapping[str, Any]) -> list[str]:
    lines = []
    if "title" in fields:
        lines.append(f"changed the name from “{room.title}” to “{fields['title']}”")
    if "topic" in fields:
        lines.append(f"set the topic to “{fields['topic']}”" if fields["topic"] else "removed the topic")
    return lines + [setting.line(fields[name]) for name, setting in SETTINGS.items() if name in fields]
