"""Every field of an account: what deletion does to it, whether a user's own data include it, and who sees it.

The deletion of an account, the export of a user's own data, and `Person` read this table. A test compares it with the
stored documents.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from chatroom.base.models import ApprovalState, Person, Quiet, Role, Status, User


class Field(msgspec.Struct, frozen=True):
    """The properties of one field. No property has a default, so each property must be stated."""

    on_deletion: Literal["removed", "replaced", "kept"]
    """The effect of the account's deletion on the field. A kept field says nothing about the user."""
    exported: bool
    """Whether the user's own data include the field."""
    shown: Literal["everywhere", "profile", "moderators", "nowhere"]
    """Where others see the field. `everywhere`: in `Person`. `moderators`: on the user's page, for moderators only."""


FIELDS = {  # the columns: on_deletion, exported, shown
    "_id": Field("kept", True, "everywhere"),
    "username": Field("removed", True, "everywhere"),
    "username_key": Field("replaced", False, "nowhere"),
    "display_name": Field("replaced", True, "everywhere"),
    "display_name_key": Field("replaced", False, "nowhere"),
    "name_keys": Field("kept", False, "nowhere"),  # so that nobody can take the names (decision 74)
    "name_rule": Field("kept", False, "nowhere"),
    "name_parts": Field("removed", False, "nowhere"),
    "password_hash": Field("removed", False, "nowhere"),
    "password_version": Field("replaced", False, "nowhere"),
    "role": Field("replaced", True, "profile"),
    "is_bot": Field("kept", True, "everywhere"),
    "about": Field("removed", True, "profile"),
    "time_zone": Field("removed", True, "profile"),
    "status": Field("removed", True, "everywhere"),
    "quiet": Field("removed", True, "everywhere"),
    "hides_first_steps": Field("removed", True, "nowhere"),
    "new_rooms_notify": Field("removed", True, "nowhere"),
    "muted_until": Field("removed", True, "moderators"),
    "mute_reason": Field("removed", True, "moderators"),
    "banned_until": Field("removed", True, "moderators"),
    "ban_reason": Field("removed", True, "moderators"),
    "held_at": Field("removed", False, "nowhere"),  # instead of these three, the export has the held messages
    "approved": Field("removed", False, "nowhere"),
    "is_trusted": Field("removed", False, "nowhere"),
    "is_first": Field("kept", False, "nowhere"),
    "created_at": Field("kept", True, "profile"),
    "deleted_at": Field("kept", False, "nowhere"),
    "is_erased": Field("kept", False, "nowhere"),
    "is_leaving": Field("kept", False, "nowhere"),
    "acts": Field("kept", False, "nowhere"),  # notes of acts, removed when the audit log has them
}
_STRUCTS: dict[str, type[msgspec.Struct]] = {"status": Status, "quiet": Quiet}
_ATTRIBUTES = {"_id": "id"}
_OF_PERSON = {"_id": "id", "display_name": "name"}
_OF_USER = tuple(name for name in User.__struct_fields__ if name in FIELDS)

REMOVED = tuple(name for name, field in FIELDS.items() if field.on_deletion == "removed")
EXPORTED = tuple(_ATTRIBUTES.get(name, name) for name, field in FIELDS.items() if field.exported)
"""Attributes of `User`."""
SHOWN = dict.fromkeys((name for name, field in FIELDS.items() if field.shown == "everywhere"), 1)
"""The projection that `person_of` needs."""


def person_of(document: dict[str, Any]) -> Person:
    """Return the user in an account document, as other users see this user."""
    return Person(**{_OF_PERSON.get(name, name): value for name, value in _values(document, SHOWN)})


def user_of(document: dict[str, Any]) -> User:
    fields = dict(_values(document, _OF_USER))
    return User(id=document["_id"], approval_state=approval_state_of(document), **fields)


def approval_state_of(document: dict[str, Any], room_role: Role = "member") -> ApprovalState:
    """Return the approval state of a document's user in a room; `room_role` is the user's role in this room."""
    roles = {document.get("role", "member"), room_role}
    return ApprovalState(
        since=document.get("created_at"),
        is_exempt=document.get("is_bot", False) or roles != {"member"},
        approved=len(document.get("approved", ())),
        is_trusted=document.get("is_trusted", False),
        held_at=document.get("held_at"),
    )


def _values(document: dict[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if name in document:
            kind = _STRUCTS.get(name)
            yield name, document[name] if kind is None else msgspec.convert(document[name], kind)
