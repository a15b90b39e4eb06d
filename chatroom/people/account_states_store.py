"""Decisions about an account: its role, mutes and bans, and its deletion.

Each decision is one write, which includes its note for the audit log.
"""

from datetime import datetime
from typing import Any

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import FORMER_MEMBER, FormerMember, Role
from chatroom.mongo.database import LAST_CHARACTER, Database, Document
from chatroom.people.fields import REMOVED
from chatroom.people.users_store import HERE
from chatroom.site.acts_store import Note, noting, taking_back

MOST_FOUND = 50


class AccountStateStore:
    """The users collection: decisions of moderators and administrators, and deletion."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._users = database["users"]
        self._clock = clock

    def set_role(self, user_id: str, role: Role, note: Note | None = None) -> None:
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, noting({"$set": {"role": role}}, note))

    def give_back_role(self, user_id: str, role: Role, note: Note | None) -> None:
        """Undo a change of role."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id}, taking_back({"$set": {"role": role}}, note))

    def set_mute(self, user_id: str, until: datetime | None, reason: str, note: Note | None = None) -> None:
        """Mute an account on the whole site; None as `until` ends the mute."""
        self._set_or_unset(user_id, {"muted_until": until, "mute_reason": reason if until else ""}, note)

    def set_ban(self, user_id: str, until: datetime | None, reason: str, note: Note | None = None) -> None:
        """Ban an account; None as `until` ends the ban."""
        self._set_or_unset(user_id, {"banned_until": until, "ban_reason": reason if until else ""}, note)

    def make_former(self, user_id: str, *, is_erased: bool, note: Note | None = None) -> bool:
        """Delete an account in one write, but keep the keys of its names. Return False if there is no such account.

        `list_leaving` returns the account until `end_leaving` is called. Before deletion, end an administrator's role.
        """
        # `name_keys` stays. The other two keys get values after all names, so no list by name shows the account.
        left = {"display_name": FORMER_MEMBER, "role": "member", "deleted_at": self._clock(), "is_leaving": True}
        left |= dict.fromkeys(("username_key", "display_name_key"), LAST_CHARACTER + user_id)
        update = {
            "$set": left | {"is_erased": is_erased},
            "$unset": dict.fromkeys(REMOVED, ""),
            "$inc": {"password_version": 1},
        }
        with self._database.bounded():
            return self._users.update_one({"_id": user_id, **HERE}, noting(update, note)).modified_count > 0

    def find_former(self, user_id: str) -> FormerMember | None:
        """Return the deleted account with this id."""
        with self._database.bounded():
            document = self._users.find_one({"_id": user_id, "deleted_at": {"$exists": True}})
        return _former(document) if document else None

    def list_leaving(self) -> list[FormerMember]:
        """Return the deleted accounts whose data may still be in other collections, the earliest deletion first."""
        with self._database.bounded():
            found = [_former(document) for document in self._users.find({"is_leaving": True}).limit(MOST_FOUND)]
        return sorted(found, key=lambda former: former.deleted_at)

    def end_leaving(self, user_id: str) -> None:
        """Store that the data of a deleted account has been removed from all other collections."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id}, {"$unset": {"is_leaving": ""}})

    def _set_or_unset(self, user_id: str, fields: dict[str, Any], note: Note | None) -> None:
        """Store the fields that have a value, and remove the others."""
        kept = {name: value for name, value in fields.items() if value}
        gone = {name: "" for name, value in fields.items() if not value}
        update = {operator: part for operator, part in (("$set", kept), ("$unset", gone)) if part}
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, noting(update, note))


def _former(document: Document) -> FormerMember:
    return FormerMember(id=document["_id"], deleted_at=document["deleted_at"], is_erased=document["is_erased"])
