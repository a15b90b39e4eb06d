"""Notes of acts that grant or revoke a right. A changed document has the note until the act is in the audit log.

One write makes the change and stores the note.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import msgspec
from bson import ObjectId
from pymongo import IndexModel

from chatroom.base.models import Notice
from chatroom.mongo.database import Database, Document
from chatroom.site.audit_store import Act, act_of, document_of

Place = Literal[
    "users", "memberships", "rooms", "site", "invites", "room_invites", "resets", "hooks", "reports", "held"
]
"""The collections whose documents can contain notes of acts."""
PLACES: tuple[Place, ...] = get_args(Place)
INDEX = IndexModel("acts.key", sparse=True)
MOST_LEFT = 100


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """An act that is not in the audit log yet. A repetition of the act has the same `key`.

    With `is_end`, the act ends the document that contains the note. The document is removed with its last note.
    """

    id: str
    key: str
    place: Place
    act: Act
    notices: Sequence[Notice] = ()
    is_end: bool = False


def noting(update: Mapping[str, Any], note: Note | None) -> Document:
    """Return an update that also stores the note."""
    return {**update, "$push": {"acts": _document(note)}} if note is not None else dict(update)


def noted(document: Document, note: Note | None) -> Document:
    """Return a new document that contains the note."""
    return {**document, "acts": [_document(note)]} if note is not None else document


def taking_back(update: Mapping[str, Any], note: Note | None) -> Document:
    """Return an update that undoes an act, and removes its note."""
    return {**update, "$pull": {"acts": {"id": note.id}}} if note is not None else dict(update)


class ActStore:
    """The notes in the collections of `PLACES`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections = {place: database[place] for place in PLACES}

    def new_id(self) -> str:
        """Return an id for an act and its entry in the audit log; ids ascend with time."""
        return str(ObjectId())

    def put(self, note: Note, document_id: str) -> None:
        """Store a note before its act, in a document that the act does not change. A repetition changes nothing."""
        query = {"_id": document_id, "acts.id": {"$ne": note.id}}
        with self._database.bounded():
            self._collections[note.place].update_one(query, noting({}, note))

    def list_left(self, place: Place) -> list[Note]:
        """Return the notes in a collection, the oldest first; usually none."""
        with self._database.bounded():
            found = list(self._collections[place].find({"acts.key": {"$exists": True}}, {"acts": 1}).limit(MOST_LEFT))
        notes = {each["id"]: _note(each, place) for document in found for each in document["acts"]}
        return sorted(notes.values(), key=lambda note: note.id)

    def settle(self, note: Note) -> None:
        """Remove a note, in all documents; a repetition changes nothing.

        With `is_end`, remove the document if it has no note of another act.
        """
        collection = self._collections[note.place]
        query = {"acts.key": note.key, "acts.id": note.id}
        with self._database.bounded():
            if note.is_end:
                # A document with other notes keeps all notes. This act is then followed again, after the other acts.
                others = {"acts": {"$elemMatch": {"id": {"$ne": note.id}}}}
                collection.delete_many({**query, "$nor": [others]})
                return
            last = collection.update_many({**query, "acts": {"$size": 1}}, {"$unset": {"acts": ""}})
            if not last.matched_count:
                collection.update_many(query, {"$pull": {"acts": {"id": note.id}}})


def _document(note: Note) -> Document:
    return {
        "id": note.id,
        "key": note.key,
        "entry": document_of(note.act),
        "notices": [msgspec.structs.asdict(notice) for notice in note.notices],
        "is_end": note.is_end,
    }


def _note(document: Document, place: Place) -> Note:
    return Note(
        id=document["id"],
        key=document["key"],
        place=place,
        act=act_of(document["entry"]),
        notices=tuple(Notice(**notice) for notice in document["notices"]),
        is_end=document["is_end"],
    )
