"""Write the log of a room: append messages, and change them.

Revisions have no gaps and become visible in order. An author's `client_id` is never stored twice in one room.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatroom.base.clock import Clock, as_stored, utc_now
from chatroom.base.models import Draft, Message
from chatroom.messages.documents_store import get_message, make_document
from chatroom.messages.log_store import SHOWN, Key, MessageLog, read_by_keys, read_message
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import pause

INDEXES = [
    # Each revision is used only once. Without this index, a late writer could use a former revision of a message.
    # Readers with a newer cursor would miss this write.
    IndexModel([("room", ASCENDING), ("revisions", ASCENDING)], unique=True, name="room_revisions"),
    IndexModel([("room", ASCENDING), ("revision", ASCENDING)], unique=True, name="room_revision"),
    IndexModel([("room", ASCENDING), ("sequence", ASCENDING)], name="room_sequence"),
    # With this order of fields, one query also finds the stored drafts of a batch.
    IndexModel(
        [("room", ASCENDING), ("client_id", ASCENDING), ("author.id", ASCENDING)],
        unique=True,
        name="room_client_id_author",
    ),
    # Contains only messages with mentions.
    IndexModel(
        [("room", ASCENDING), ("mentions", ASCENDING), ("sequence", ASCENDING)],
        partialFilterExpression={"mentions": {"$exists": True}},
        name="room_mentions_sequence",
    ),
    # Contains only messages whose mentions were edited.
    IndexModel(
        [("room", ASCENDING), ("new_mentions", ASCENDING), ("text_revision", ASCENDING)],
        partialFilterExpression={"new_mentions": {"$exists": True}},
        name="room_new_mentions_text_revision",
    ),
    # Contains only pinned messages.
    IndexModel(
        [("room", ASCENDING), ("pinned_at", ASCENDING)],
        partialFilterExpression={"pinned_at": {"$type": "date"}},
        name="room_pinned_at",
    ),
]
KEPT_REVISIONS = 1000
"""The most former revisions that a message keeps. No writer misses so many changes of one message."""

NOBODY = ObjectId("0" * 24)
"""An id that no message has."""


class Rendered(msgspec.Struct, frozen=True):
    """A draft with the HTML of its text."""

    draft: Draft
    html: str

    @property
    def key(self) -> Key:
        """The unique key in the room: the author's id and the client id."""
        return self.draft.author.id, self.draft.client_id


class Stored(msgspec.Struct, frozen=True):
    """The stored message of a draft. `is_repeated` says that an earlier try stored this message."""

    message: Message
    is_repeated: bool


class MessageStore(MessageLog):
    """Write to the messages collection. `origin` marks the writes of this process; the process's feed skips them."""

    def __init__(self, database: Database, *, origin: str, clock: Clock = utc_now) -> None:
        super().__init__(database)
        self.origin = origin
        self._clock = clock

    def append(self, room: str, drafts: Sequence[Rendered], *, after: int | None = None) -> list[Stored]:
        """Store drafts as the room's next messages. If a draft is stored already, return its stored message.

        `after` is the newest revision that the caller has read. An outdated `after` costs one more round trip.
        Raises `Unavailable` if the outcome is unknown: then call `append` again with the same drafts.
        """
        waiting: dict[Key, Rendered] = {}
        for draft in drafts:
            waiting.setdefault(draft.key, draft)
        stored: dict[Key, Stored] = {}
        ours: set[str] = set()
        give_up_at = time.monotonic() + self._database.timeout_seconds
        attempt = 0
        with self._database.bounded():
            last = self._newest_revision(room) if after is None else after
            while waiting:
                documents = self.documents(room, last, waiting.values())
                try:
                    self._messages.insert_many(documents)
                except (BulkWriteError, DuplicateKeyError):
                    ours.update(str(document["_id"]) for document in documents)
                    is_first = attempt == 0
                    # Pause first: a revision that was read before the pause would be outdated.
                    attempt = pause(attempt, give_up_at)
                    newest = self._newest_revision(room)
                    if newest == last or not is_first:
                        # Some drafts are stored already. A document with the same key may still be rolled back. So a
                        # draft counts as stored only if a read of the majority's state finds it.
                        for key, message in read_by_keys(self._messages, room, list(waiting)).items():
                            stored[key] = Stored(message, is_repeated=message.id not in ours)
                            del waiting[key]
                        newest = self._newest_revision(room) if waiting else newest
                    last = newest
                else:
                    stored.update(zip(list(waiting), self.stored(documents), strict=True))
                    break
        return [stored[draft.key] for draft in drafts]

    def change(
        self,
        room: str,
        message_id: str,
        edit: Callable[[Message], Mapping[str, Any] | None],
        *,
        after: int | None = None,
    ) -> Message:
        """Change a message at the room's next revision. `edit` returns the new fields, or None for no change.

        `edit` may raise `Refused`. After a conflict, `edit` is called again. Raises `Unavailable` as `append` does.
        """
        give_up_at = time.monotonic() + self._database.timeout_seconds
        attempt = 0
        with self._database.bounded():
            last = self._newest_revision(room) if after is None else after
            while True:
                message = read_message(self._messages, room, message_id)
                fields = edit(message)
                if fields is None:
                    return message
                # The message may be newer than `after`.
                state, update = self._next_state(message, fields, max(last, message.revision) + 1)
                try:
                    result = self._messages.update_one(state, update)
                except DuplicateKeyError:
                    attempt = pause(attempt, give_up_at)
                    last = self._newest_revision(room)
                else:
                    if result.modified_count:
                        return read_message(self._messages, room, message_id)
                    attempt = pause(attempt, give_up_at)

    def change_several(
        self, room: str, sequences: Sequence[int], edit: Callable[[Message], Mapping[str, Any] | None]
    ) -> Message | None:
        """Change these messages at consecutive revisions, in one write.

        Returns the message that changed last, or None if none of them exists. Raises `Unavailable` as `append` does.
        """
        give_up_at = time.monotonic() + self._database.timeout_seconds
        attempt = 0
        with self._database.bounded():
            while True:
                # Read the newest revision before the messages. If another writer changes the room between these reads,
                # it uses the next revision. Then our first update changes nothing, so the revisions have no gap.
                last = self._newest_revision(room)
                found = self._messages.find({"room": room, "sequence": {"$in": list(sequences)}}, SHOWN)
                messages = sorted(map(get_message, found), key=lambda message: message.sequence)
                wanted = [(message, fields) for message in messages if (fields := edit(message)) is not None]
                if not wanted:
                    return max(messages, key=lambda message: message.revision, default=None)
                unchanged = [each for each in wanted if each[0].revision <= last]
                updates = [
                    self._next_state(message, fields, last + place)
                    for place, (message, fields) in enumerate(unchanged, start=1)
                ]
                try:
                    self._database.update_in_order(self._messages, updates)
                except (BulkWriteError, DuplicateKeyError):
                    attempt = pause(attempt, give_up_at)

    def has_come_to(self, room: str, revision: int) -> bool:
        """Return whether the room has certainly reached a revision.

        A newly elected primary may return an older state, until a majority has stored the primary's first write.
        """
        with self._database.bounded():
            if self._newest_revision(room) >= revision:
                return True
            # This write changes nothing, but waits until a majority has stored all earlier writes.
            self._messages.update_one({"_id": NOBODY}, {"$set": {"origin": self.origin}})
            return self._newest_revision(room) >= revision

    def documents(self, room: str, last: int, drafts: Iterable[Rendered]) -> list[Document]:
        """Make the documents of new messages. Their revisions are `last` + 1, `last` + 2, ..."""
        now = as_stored(self._clock())
        return [
            make_document(room, revision, rendered.draft, rendered.html, sent_at=now, origin=self.origin)
            for revision, rendered in enumerate(drafts, start=last + 1)
        ]

    def stored(self, documents: Iterable[Document]) -> list[Stored]:
        """Return the result of `append` for new documents."""
        return [Stored(get_message(document), is_repeated=False) for document in documents]

    def _next_state(self, message: Message, fields: Mapping[str, Any], revision: int) -> tuple[Document, Document]:
        """Return a query and an update. The query matches the message only if the message is unchanged."""
        numbers = {"revision": revision} | ({"text_revision": revision} if "text" in fields else {})
        update = {
            "$set": {**fields, **numbers, "origin": self.origin},
            "$push": {"revisions": {"$each": [revision], "$slice": -KEPT_REVISIONS}},
        }
        return {"_id": ObjectId(message.id), "revision": message.revision}, update
