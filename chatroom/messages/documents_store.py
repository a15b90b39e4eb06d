"""Convert between a message and its stored document."""

import logging
from datetime import datetime

import msgspec
from bson import ObjectId

from chatroom.base.models import Draft, Message
from chatroom.mongo.database import Document

log = logging.getLogger(__name__)


def make_document(room: str, revision: int, draft: Draft, html: str, *, sent_at: datetime, origin: str) -> Document:
    """Make the document of a new message from a draft. `revision` becomes the message's sequence and revision."""
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
    """Return the message of a document. Return None for an invalid document, so that the room stays readable."""
    try:
        return get_message(document)
    except msgspec.ValidationError:
        log.exception("skipped an invalid document in the messages collection: %s", document.get("_id"))
        return None


def get_message(document: Document) -> Message:
    """Return the message of a document. Raises `msgspec.ValidationError` for an invalid document."""
    return msgspec.convert({**document, "id": str(document["_id"])}, Message)


def _optional_fields(draft: Draft) -> Document:
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
