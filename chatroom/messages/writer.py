"""Write into rooms from any thread: through the running engine, or directly to the store if no engine runs.

The engine's queue for the room decides the order of the writes. Without an engine, the store decides the order.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from chatroom.base.errors import ChatroomError
from chatroom.base.models import Author, Draft, Message, Person, Room, make_client_id
from chatroom.messages.appending import Appending
from chatroom.messages.messages_store import Stored

log = logging.getLogger(__name__)

Change = Callable[[str, int | None], Message]
"""A function that changes a message, given the room's id and newest known revision. The engine calls it in a thread."""


class Line(Protocol):
    """Pass writes to the event loop of the engine, from other threads (`chatroom.live.bridge`)."""

    @property
    def is_open(self) -> bool: ...
    def post(self, room: Room, item: Draft | Change) -> Stored: ...
    def note(self, room: Room, line: Draft) -> None: ...


class Writer:
    """Post and change messages, and post event lines. Writes go through `line` to the engine while `line` is open."""

    def __init__(self, appending: Appending, line: Line) -> None:
        self._appending = appending
        self._line = line

    def post(self, room: Room, draft: Draft) -> Stored:
        """Store a draft. Return when a majority has stored it. Raises `Unavailable` if the outcome is unknown."""
        return self._line.post(room, draft) if self._line.is_open else self._appending.append(room.id, [draft])[0]

    def change(self, room: Room, change: Change) -> Message:
        """Make a change. Return when a majority has stored it. Raises `Unavailable` if the outcome is unknown."""
        return self._line.post(room, change).message if self._line.is_open else change(room.id, None)

    def note(self, room: Room, author: Author, what: str, whom: str = "") -> None:
        """Post an event line: the author's name, then `what`. If the line cannot be stored, log a warning.

        The line mentions the user with the id `whom`, so the room is unread for this user.
        """
        mentions = (Person(whom, ""),) if whom else ()
        text = f"{author.name} {what}"
        self._note(room, Draft(author=author, text=text, client_id=make_client_id(), kind="event", mentions=mentions))

    def note_soon(self, room: Room, line: Draft) -> None:
        """Post an event line without waiting for the engine. If the line cannot be stored, log a warning."""
        if self._line.is_open:
            self._line.note(room, line)
        else:
            self._note(room, line)

    def _note(self, room: Room, line: Draft) -> None:
        try:
            self.post(room, line)
        except ChatroomError:  # the act that the line reports is done, and must not fail now
            log.warning("an event was not written", extra={"room": room.slug})
