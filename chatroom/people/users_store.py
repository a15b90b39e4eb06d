"""Accounts: one document each. Unique indexes allow each name only once, and only one first account.

`name_keys` holds the keys of the user name and of the display name, so that other accounts cannot have
these names, even after a deletion. Only `AccountStateStore.find_former` finds a deleted account.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import IndexModel
from pymongo.collection import Collection

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Taken
from chatroom.base.models import Person, Role, User
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import write_or_find
from chatroom.names import RULE_VERSION, fold, name_parts, person_keys
from chatroom.people.fields import SHOWN, person_of, user_of
from chatroom.site.acts_store import INDEX, Note, noting

INDEXES = [
    IndexModel("username_key", unique=True),
    IndexModel("display_name_key", unique=True),
    IndexModel("name_keys", unique=True),  # mongomock does not check this index
    IndexModel("name_parts"),
    IndexModel("is_first", unique=True, sparse=True),
    IndexModel("role"),
    IndexModel("deleted_at", sparse=True),
    IndexModel("is_leaving", sparse=True),
    INDEX,
]
HERE: dict[str, Any] = {"deleted_at": None}
"""The part of a query that leaves out deleted accounts."""


class UserStore:
    """The users collection: finds and adds accounts, and stores changes by the users themselves."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._users = database["users"]
        self._clock = clock

    def add(
        self, username: str, display_name: str, password_hash: str, role: Role = "member", *, is_bot: bool = False
    ) -> User:
        """Store a new account. The first account administers the site. Raises `Taken` if a unique index forbids it."""
        document = {
            "_id": str(ObjectId()),
            "username": username,
            "username_key": fold(username),
            "display_name": display_name,
            "display_name_key": fold(display_name),
            "name_keys": person_keys(username, display_name),
            "name_rule": RULE_VERSION,
            "name_parts": name_parts(username, display_name),
            "password_hash": password_hash,
            "password_version": 1,
            "role": role,
            "created_at": self._clock(),
            **({"is_bot": True} if is_bot else {}),
        }
        with self._database.bounded():
            if self._users.find_one({"is_first": True}, {"_id": 1}) is None:
                # Only one insert with `is_first` can succeed, even if several processes try at once.
                # The role and `is_first` are in one document, so that no crash separates them.
                first = {**document, "role": "administrator", "is_first": True}
                if self._insert(first, {"is_first": True}) is None:
                    return user_of(first)
                # Another account was first, or a name is taken. The next insert decides.
            if self._insert(document) is not None:
                raise Taken
        return user_of(document)

    def has_any(self) -> bool:
        return self._database.has("users", {"is_first": True})

    def find(self, user_id: str) -> User | None:
        return self._find({"_id": user_id})

    def find_by_username(self, username: str) -> User | None:
        """Return the account whose user name equals this name after folding."""
        return self._find({"username_key": fold(username)})

    def has_name(self, name: str) -> bool:
        """Return whether an account has, or had, this name, or a name that looks like it."""
        return self._database.has("users", {"name_keys": {"$in": person_keys(name, name)}})

    def has_administrator(self, *, but: str = "") -> bool:
        """Return whether an account other than `but` is an administrator."""
        return self._database.has("users", {"role": "administrator", "_id": {"$ne": but}})

    def set_profile(self, user: User, profile: Mapping[str, str], note: Note | None = None) -> None:
        """Store the fields of a `Profile`. Raises `Taken` if a unique index forbids it."""
        display_name = profile["display_name"]
        fields = {
            **profile,
            "display_name_key": fold(display_name),
            "name_keys": person_keys(user.username, display_name),
            "name_rule": RULE_VERSION,
            "name_parts": name_parts(user.username, display_name),
        }
        with self._database.bounded():
            holder = write_or_find(
                self._database,
                lambda: self._users.update_one({"_id": user.id, **HERE}, noting({"$set": fields}, note)),
                lambda: self._users.find_one({"_id": {"$ne": user.id}, "$or": _named_as(fields)}, {"_id": 1}),
            )
        if holder is not None:
            raise Taken

    def change_password(self, user_id: str, password_hash: str, note: Note | None = None) -> User | None:
        """Replace the password. The same write ends every session that began with the old password."""
        update = {"$set": {"password_hash": password_hash}, "$inc": {"password_version": 1}}
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, noting(update, note))
        return self.find(user_id)

    def replace_hash(self, user_id: str, old: str, new: str) -> None:
        """Replace the hash `old` by `new`, a hash of the same password, unless the password has changed."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id, "password_hash": old}, {"$set": {"password_hash": new}})

    def hide_first_steps(self, user_id: str) -> None:
        """Store that an administrator hid the first steps."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, {"$set": {"hides_first_steps": True}})

    def mark_held(self, user_id: str, moment: datetime) -> None:
        """Store when a message of the user was last held."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, {"$max": {"held_at": moment}})

    def count_approved(self, user_id: str, held_id: str, *, is_trusted: bool) -> None:
        """Count an approved message, but never twice. With `is_trusted`, store that the user is trusted."""
        update: dict[str, Any] = {"$addToSet": {"approved": held_id}}
        if is_trusted:
            update["$set"] = {"is_trusted": True}
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, update)

    def _insert(self, document: Document, *others: Document) -> Document | None:
        """Store an account and return None, or return an account that has one of its names or matches `others`."""
        return write_or_find(
            self._database,
            lambda: self._users.insert_one(document),
            lambda: self._users.find_one({"$or": [*_named_as(document), *others]}, {"_id": 1}),
        )

    def _find(self, query: dict[str, Any]) -> User | None:
        with self._database.bounded():
            document = self._users.find_one(query | HERE)
        return user_of(document) if document else None


def find_people(users: Collection[Document], ids: Iterable[str]) -> dict[str, Person]:
    """Map the ids of these users to the users as others see them. Call this inside `bounded`."""
    wanted = sorted(set(ids))
    return {each["_id"]: person_of(each) for each in users.find({"_id": {"$in": wanted}}, SHOWN)} if wanted else {}


def _named_as(document: Document) -> list[Document]:
    """Return one query for each index of names. The queries find accounts that share a name with `document`."""
    simple = ("username_key", "display_name_key")
    named: Document = {"name_keys": {"$in": document["name_keys"]}}
    return [named, *({key: document[key]} for key in simple if key in document)]
