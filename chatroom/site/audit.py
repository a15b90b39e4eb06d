"""The audit log: every act of moderators and administrators, with actor, subject, time and reason.

Only `chatroom.site.acts` writes it, and nothing changes an entry.
"""

from typing import Literal

import msgspec

from chatroom.base.errors import Refused
from chatroom.base.models import Author, Room, RoomName, User
from chatroom.site.audit_store import AuditStore, Entry, Subject

CONSOLE = Author("", "the console")
"""The person who runs commands on the server."""
SITE = Subject("site", "site", "the site")
ActName = Literal[
    "add_member",
    "appoint",
    "approve_message",
    "archive_room",
    "ban",
    "change_room",
    "clear_history",
    "delete_account",
    "delete_message",
    "dismiss_report",
    "end_room_link",
    "end_sessions",
    "make_invite",
    "make_reset_link",
    "make_room_link",
    "make_webhook",
    "mute",
    "reject_message",
    "remove_member",
    "remove_webhook",
    "rename",
    "revoke_invite",
    "set_holding",
    "set_naming",
    "set_registration",
    "set_role",
    "set_room_role",
    "unarchive_room",
    "unban",
    "unmute",
    "uphold_report",
    "use_reset_link",
]
"""The names of the acts, which docs/moderation.md explains."""
MOST_KEPT = 500
"""The largest number of characters of a stored reason."""
LONGEST_REASON = 300
"""The largest number of characters of a reason that a person types."""
ENTRIES = 50


class AuditPage(msgspec.Struct, frozen=True):
    """A page of the log, newest first. The entries of the next page are older than `before` (empty at the end)."""

    entries: list[Entry]
    before: str


class Audit:
    """The audit log, for reading."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    def page(self, before: str = "", *, act: str = "", actor: str = "", subject: str = "", room: str = "") -> AuditPage:
        """Return the newest entries that are older than the entry `before` and match the other arguments, if given."""
        wanted = {"act": act, "actor.id": actor, "subject.id": subject, "room.id": room}
        filters = {field: value for field, value in wanted.items() if value}
        found = self._store.list_before(before, ENTRIES + 1, filters)
        entries = found[:ENTRIES]
        return AuditPage(entries, entries[-1].id if len(found) > ENTRIES else "")


def checked(reason: str, why: str, most: int = LONGEST_REASON) -> str:
    """Return the stripped reason. Raise `Refused`: `invalid`, with the text `why`, if it is empty; or `too_long`."""
    reason = reason.strip()
    if not reason:
        raise Refused("invalid", why)
    if len(reason) > most:
        raise Refused("too_long", f"The reason is too long: at most {most} characters are allowed.")
    return reason


def about_user(user: User) -> Subject:
    return Subject("user", user.id, user.username)


def about_message(message_id: str, author: Author, room: str) -> Subject:
    """Return a message as the subject of an act. The name of this subject contains the author and the room."""
    return Subject("message", message_id, f"{author.shown} in {room}")


def about_room(room: Room | RoomName) -> Subject:
    return Subject("room", room.id, room.title)
