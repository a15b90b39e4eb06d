"""Notices: changes that connections with cached state must learn about."""

from typing import Any

import msgspec

from chatroom.base.models.rooms import Room


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A change of data that connections cache. `user` and `room` are ids; `data` depends on the kind."""

    kind: str
    user: str | None = None
    room: str | None = None
    data: dict[str, Any] = {}


def access_notice(user_id: str, room: Room, **data: Any) -> Notice:
    """Return a notice: the rights of a user in a room have changed."""
    return Notice(kind="access", user=user_id, room=room.id, data=data)


def membership_notices(user_id: str, room: Room, why: str = "removed") -> tuple[Notice, Notice]:
    """Return the notices for a user who has entered or left a room. A client that loses the room gets `why`."""
    return access_notice(user_id, room, why=why), Notice(kind="rooms", user=user_id)
