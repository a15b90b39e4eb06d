"""Messages in the lobby, stored at `NOW` and changed a minute later."""

from datetime import UTC, datetime

from chatroom.base.models import Author, Message, Role
from chatroom.rooms.access import LOBBY
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, access

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
LONGEST = 40


def say(messages: Messaging, text: str, client_id: str | None = None) -> Message:
    return messages.post(LOBBY, new_draft(ALICE, text, client_id)).message


def edit(messages: Messaging, person: Author, message_id: str, text: str) -> Message:
    return messages.change(LOBBY, messages.changes.editing(access(person, LOBBY), message_id, text))


def delete(messages: Messaging, person: Author, message_id: str, role: Role = "member") -> Message:
    return messages.change(LOBBY, messages.changes.deleting(access(person, LOBBY, role), message_id))
