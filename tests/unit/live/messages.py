"""Messages for the engine's tests, made without a store."""

from datetime import UTC, datetime
from typing import Any

from chatroom.base.models import Message
from tests.people import ALICE

SENT_AT = datetime(2026, 11, 21, 1, 2, 3, 456000, tzinfo=UTC)


def message(sequence: int, revision: int | None = None, **fields: Any) -> Message:
    """The message posted at `sequence`, as it was at `revision`."""
    revision = sequence if revision is None else revision
    values: dict[str, Any] = {
        "id": f"{sequence:024x}",
        "sequence": sequence,
        "revision": revision,
        "author": ALICE,
        "client_id": f"c{sequence}",
        "text": f"text {sequence} at {revision}",
        "html": f"<p>text {sequence} at {revision}</p>",
        "sent_at": SENT_AT,
    }
    return Message(**(values | fields))
