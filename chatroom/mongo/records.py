"""Conversion of documents to typed records."""

from typing import TypeVar

import msgspec

from chatroom.mongo.database import Document

Record = TypeVar("Record", bound=msgspec.Struct)


def record_of(document: Document, kind: type[Record]) -> Record:
    """Convert a document to a record. `id` is the `_id` as text. Fields that `kind` does not have are left out."""
    return msgspec.convert(document | {"id": str(document["_id"])}, kind)
