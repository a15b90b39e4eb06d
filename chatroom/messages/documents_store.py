"""Convert between a message and its stored document, here and nowhere else."""

import logging
from datetime import datetime

import msgspec
from bson import ObjectId

from chatroom.base.models import Author, Draft, File, Message, Reaction
from chatroom.mongo.database import Document

log = logging.getLogger(__name__)


def make_document(room: str, revision: int, draft: Draft, html: str, *, sent_at: datetime, origin: str) -> Document:
    """The document that a draft becomes, as the message of that revision."""
    return {
        "_id": ObjectId(),
        "room": room,
        "sequence": revision,
        "revision": revision,
        "revisions": [revision],
        "author": msgspec.to_builtins(draft.author),
        "client_id": draft.client_id,
        "text": draft.text,
        "html": html,
        "sent_at": sent_at,
        "origin": origin,
        **_optional_fields(draft),
    }


def find_message(document: Document) -> Message | None:
    """The message, or None for a document that is none: one that somebody made by hand must not close the room."""
    try:
        return get_message(document)
    except (KeyError, TypeError):
        log.exception("a document in the messages is not a message, and is left out: %s", document.get("_id"))
        return None


def get_message(document: Document) -> Message:
    """The message that a document is; raise `KeyError` or `TypeError` for one that is none."""
    author = document["author"]
    return Message(
        id=str(document["_id"]),
        sequence=document["sequence"],
        revision=document["revision"],
        author=Author(author["id"], author["name"], author.get("is_bot", False)),
        client_id=document["client_id"],
        text=document["text"],
        html=document["html"],
        sent_at=document["sent_at"],
        edited_at=document.get("edited_at"),
        deleted_at=document.get("deleted_at"),
        kind=document.get("kind", "message"),
        reply_to=document.get("reply_to"),
        mentions=tuple(document.get("mentions", ())),
        reactions=tuple(map(_reaction, document.get("reactions", ()))),
        files=tuple([File(**file) for file in document.get("files", ())]),
        pinned_at=document.get("pinned_at"),
        text_revision=document.get("text_revision", 0),
        origin=document.get("origin", ""),
    )


def made_of(document: Document, draft: Draft) -> Message:
    """What `get_message` reads from a document that was just made of a draft, in a third of the time."""
    return Message(
        id=str(document["_id"]),
        sequence=document["sequence"],
        revision=document["revision"],
        author=draft.author,
        client_id=draft.client_id,
        text=draft.text,
        html=document["html"],
        sent_at=document["sent_at"],
        kind=draft.kind,
        reply_to=draft.reply_to,
        mentions=tuple([person.id for person in draft.mentions]),
        files=draft.files,
        origin=document["origin"],
    )


def _optional_fields(draft: Draft) -> Document:
    """What most messages have none of, and which is then not written."""
    fields: Document = {}
    if draft.reply_to is not None:
        fields["reply_to"] = draft.reply_to
    if draft.kind != "message":
        fields["kind"] = draft.kind
    if draft.mentions:
        fields["mentions"] = [person.id for person in draft.mentions]
    if draft.files:
        fields["files"] = [msgspec.structs.asdict(file) for file in draft.files]
    return fields


def _reaction(document: Document) -> Reaction:
    return Reaction(document["emoji"], tuple(Author(person["id"], person["name"]) for person in document["people"]))
