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
    """The users collection, as those write it who decide about accounts."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._users = database["users"]
        self._clock = clock

    def set_role(self, user_id: str, role: Role, note: Note | None = None) -> None:
        """Give an account another role."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, noting({"$set": {"role": role}}, note))

    def give_back_role(self, user_id: str, role: Role, note: Note | None) -> None:
        """Give an account back the role that was just taken, as if it had not been."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id}, taking_back({"$set": {"role": role}}, note))

    def set_mute(self, user_id: str, until: datetime | None, reason: str, note: Note | None = None) -> None:
        """Mute an account on the whole site until a moment; with None, no longer."""
        self._set_or_unset(user_id, {"muted_until": until, "mute_reason": reason}, note)

    def set_ban(self, user_id: str, until: datetime | None, reason: str, note: Note | None = None) -> None:
        """Ban an account until a moment; with None, no longer."""
        self._set_or_unset(user_id, {"banned_until": until, "ban_reason": reason}, note)

    def make_former(self, user_id: str, *, is_erased: bool, note: Note | None = None) -> bool:
        """Delete an account, all but its names' keys, in one write; False when there is none such (any more).

        `list_leaving` has it from then on, until `end_leaving`. The role has to be taken away before.
        """
        # `name_keys` stays. The other two keys are behind all others: lists by name do not come across them.
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
        """The account with this id, if it was deleted."""
        with self._database.bounded():
            document = self._users.find_one({"_id": user_id, "deleted_at": {"$exists": True}})
        return _former(document) if document else None

    def list_leaving(self) -> list[FormerMember]:
        """The deleted accounts of which something may be left elsewhere, the first deleted first."""
        with self._database.bounded():
            found = [_former(document) for document in self._users.find({"is_leaving": True}).limit(MOST_FOUND)]
        return sorted(found, key=lambda former: former.deleted_at)

    def end_leaving(self, user_id: str) -> None:
        """Note that nothing of a deleted account is left elsewhere."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id}, {"$unset": {"is_leaving": ""}})

    def _set_or_unset(self, user_id: str, fields: dict[str, Any], note: Note | None) -> None:
        """Keep what says something, and take away what says nothing."""
        kept = {name: value for name, value in fields.items() if value}
        gone = {name: "" for name, value in fields.items() if not value}
        update = {operator: part for operator, part in (("$set", kept), ("$unset", gone)) if part}
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, noting(update, note))


def _former(document: Document) -> FormerMember:
    return FormerMember(id=document["_id"], deleted_at=document["deleted_at"], is_erased=document["is_erased"])
