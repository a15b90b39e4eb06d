"""Turn documents into typed records; what a document has beyond the record's fields is left out."""

from datetime import datetime
from typing import TypeVar

import msgspec

from chatroom.mongo.database import Document

Record = TypeVar("Record", bound=msgspec.Struct)


def record_of(document: Document, kind: type[Record]) -> Record:
    """The document as a record, whose `id` is the document's `_id` as text."""
    return msgspec.convert(document | {"id": str(document["_id"])}, kind, builtin_types=(datetime,))
