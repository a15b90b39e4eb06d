"""Codes: secrets that can be used a limited number of times until they expire.

A secret is shown once, when it is created. Only its hash is stored. A code that holds a note of an act is not deleted
when it ends: it is marked as ended, and removed when it expires.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection

from chatroom.base.clock import Clock, utc_now
from chatroom.mongo.database import Database, Document
from chatroom.mongo.records import record_of
from chatroom.site.acts_store import INDEX, Note, noted, noting

SECRET_BYTES, SHORT_SECRET_BYTES = 24, 12
"""Few bytes are for a secret that a person may type from paper."""
ENDED = {"uses_left": 0, "is_over": True}
OWN = {"_id", "uses_left", "created_at", "expires_at", "is_over", "acts"}
"""The fields that all codes have; the others are in `Code.about`."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """A code. `id` is the hash of the secret. `about` has the other fields, for example the creator of the code."""

    id: str
    uses_left: int
    created_at: datetime
    expires_at: datetime
    about: Mapping[str, str | int]


def make_code(
    now: datetime,
    lifetime: timedelta,
    about: Mapping[str, str | int],
    *,
    uses: int = 1,
    secret_bytes: int = SECRET_BYTES,
) -> tuple[str, Code]:
    """Create a secret, and the code to store for it."""
    secret = secrets.token_urlsafe(secret_bytes)
    return secret, Code(id=hash_of(secret), uses_left=uses, created_at=now, expires_at=now + lifetime, about=about)


def hash_of(secret: str) -> str:
    """Return the hash of a secret. SHA-256 is enough, because secrets are random and long."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_code(text: str) -> bool:
    """Return whether a text has the form of a secret: it may have been valid once."""
    return re.fullmatch(r"[A-Za-z0-9_-]{16}([A-Za-z0-9_-]{16})?", text) is not None  # four letters for three bytes


def indexes(*about: str) -> list[IndexModel]:
    """Return the indexes of a collection of codes. `about` are the fields by which codes are listed."""
    found = [IndexModel([(field, ASCENDING) for field in about])] if about else []
    return [IndexModel("expires_at", expireAfterSeconds=0), INDEX, *found]


class CodeStore:
    """One collection of codes. `owner` is the name of the field with the id of the account to which a code belongs."""

    def __init__(self, database: Database, codes: Collection[Document], *, owner: str, clock: Clock = utc_now) -> None:
        self._database = database
        self._codes = codes
        self._owner = owner
        self._clock = clock

    def add(self, code: Code, note: Note | None = None) -> None:
        own = {"uses_left": code.uses_left, "created_at": code.created_at, "expires_at": code.expires_at}
        with self._database.bounded():
            self._codes.insert_one(noted({"_id": code.id, **own, **code.about}, note))

    def find(self, secret: str) -> Code | None:
        """Find the code of a secret, if it is valid."""
        with self._database.bounded():
            found = self._codes.find_one(self._valid(_id=hash_of(secret)))
        return _code(found) if found else None

    def take(self, secret: str) -> Code | None:
        """Use a code once; return None if it is not valid. Only one of two concurrent calls gets the last use."""
        with self._database.bounded():
            found = self._codes.find_one_and_update(self._valid(_id=hash_of(secret)), {"$inc": {"uses_left": -1}})
        return _code(found) if found else None

    def give_back(self, secret: str) -> None:
        """Undo a `take`, if the action that needed the code failed."""
        with self._database.bounded():
            self._codes.update_one({"_id": hash_of(secret), "is_over": None}, {"$inc": {"uses_left": 1}})

    def list_valid(self, limit: int, *, order: str = "expires_at", **about: str) -> list[Code]:
        """Return at most `limit` valid codes with the values of fields in `about`, ascending by the field `order`."""
        with self._database.bounded():
            found = self._codes.find(self._valid(**about)).sort(order, ASCENDING).limit(limit)
            return [_code(document) for document in found]

    def end(self, code_id: str, note: Note, **about: str) -> bool:
        """End a code, and store the note of the act; return False if there is no such code, or it has ended already."""
        query = {"_id": code_id, "is_over": None, **about}
        with self._database.bounded():
            return self._codes.update_one(query, noting({"$set": ENDED}, note)).modified_count > 0

    def forget(self, user_id: str) -> None:
        """Delete all codes of a user."""
        with self._database.bounded():
            self._codes.delete_many({self._owner: user_id})

    def replace(self, user_id: str) -> None:
        """End all codes of a user; call this before a new code of the user is added."""
        with self._database.bounded():
            self._codes.delete_many({self._owner: user_id, "acts": None})
            self._codes.update_many({self._owner: user_id}, {"$set": ENDED})

    def _valid(self, **query: str) -> Document:
        return {**query, "uses_left": {"$gt": 0}, "is_over": None, "expires_at": {"$gt": self._clock()}}


def _code(document: Document) -> Code:
    about = {field: value for field, value in document.items() if field not in OWN}
    return record_of({**document, "about": about}, Code)
