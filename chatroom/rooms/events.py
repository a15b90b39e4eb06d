"""Lines that the server writes in a room about what happened, and notices of members who came and left."""

import logging

from chatroom.base.errors import ChatroomError
from chatroom.base.models import Author, Notice, Room
from chatroom.messages.writer import Writer

log = logging.getLogger(__name__)


class RoomEvents:
    """Post event lines in rooms."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def add(self, room: Room, author: Author, what: str) -> None:
        """Post a line about an act. The act is done: a line that cannot be stored now is skipped."""
        try:
            self._writer.note(room, author, f"{author.name} {what}")
        except ChatroomError:
            log.warning("an event was not written", extra={"room": room.slug})


def access_notice(user_id: str, room: Room) -> Notice:
    """That somebody's rights in a room are not what they were."""
    return Notice(kind="access", user=user_id, room=room.id)


def membership_notices(user_id: str, room: Room, why: str = "removed") -> tuple[Notice, Notice]:
    """That somebody came into a room or is out of it; `why`, for who is out of it."""
    is_in = Notice(kind="access", user=user_id, room=room.id, data={"why": why})
    return is_in, Notice(kind="rooms", user=user_id)
