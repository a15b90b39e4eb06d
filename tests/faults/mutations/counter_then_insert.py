"""Number messages the usual way: take the next numbers from a counter, then insert.

Two writers then have 5 and 6, and 6 can be seen before 5: a reader who saves 6 never gets 5.
"""

import random
import time
from collections.abc import Sequence

from pymongo import ReturnDocument

from chatroom.live.writing import rivals
from chatroom.messages.async_store import AsyncMessages
from chatroom.messages.messages_store import MessageStore, Rendered, Stored


def apply() -> None:
    """Replace the append."""
    original = MessageStore.append

    def append(self: MessageStore, room: str, drafts: Sequence[Rendered], *, after: int | None = None) -> list[Stored]:
        counters = self._messages.database["counters"]
        taken = counters.find_one_and_update(
            {"_id": room}, {"$inc": {"revision": len(drafts)}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        assert taken is not None
        time.sleep(random.uniform(0, 0.2))  # a thread may be interrupted anywhere
        return original(self, room, drafts, after=taken["revision"] - len(drafts))

    async def never(*_: object) -> None:
        """Leave everything to the append above."""

    rivals.CONTESTED_SECONDS = -1  # who takes turns does not show what this does wrong
    MessageStore.append = append  # type: ignore[method-assign]
    AsyncMessages.append = never  # type: ignore[assignment, method-assign]
