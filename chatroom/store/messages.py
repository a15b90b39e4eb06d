"""The log of every room: append, change, and read it by revision or by sequence.

Revisions are dense and become visible in order; a `client_id` is stored once for its author and room, for ever.
"""

import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.collection import Collection as PymongoCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatroom.errors import Refused, Unavailable
from chatroom.models import Author, Draft, File, Message, Reaction
from chatroom.store.database import Database, Document

log = logging.getLogger(__name__)

INDEXES = [
    # A revision is given once, for ever: `revisions` has all that a message ever had. Without it, the number that a
    # message gave up for its next one could be taken again by a writer who is behind, and no reader would look there.
    IndexModel([("room", ASCENDING), ("revisions", ASCENDING)], unique=True, name="room_revisions"),
    IndexModel([("room", ASCENDING), ("revision", ASCENDING)], unique=True, name="room_revision"),
    IndexModel([("room", ASCENDING), ("sequence", ASCENDING)], name="room_sequence"),
    # In this order, so that it also answers "which of these drafts are stored?" for a whole batch.
    IndexModel(
        [("room", ASCENDING), ("client_id", ASCENDING), ("author.id", ASCENDING)],
        unique=True,
        name="room_client_id_author",
    ),
    # Few messages name anybody: the others are not in it.
    IndexModel(
        [("room", ASCENDING), ("mentions", ASCENDING), ("sequence", ASCENDING)],
        partialFilterExpression={"mentions": {"$exists": True}},
        name="room_mentions_sequence",
    ),
    # In the order in which they were pinned; only what is pinned is in it, so that no ordinary message pays for it.
    IndexModel(
        [("room", ASCENDING), ("pinned_at", ASCENDING)],
        partialFilterExpression={"pinned_at": {"$type": "date"}},
        name="room_pinned_at",
    ),
]
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.03
MAX_HINTS = 10_000
"""Entries that one question for newer revisions reads; what is left out is asked for again."""
MOST_COUNTED = 10_000
KEPT_REVISIONS = 1000
"""Of one message. Nobody is behind by so many changes of the same message and writes all the same."""

NOBODY = ObjectId("0" * 24)
"""The id of no message."""

Key = tuple[str, str]


class Rendered(msgspec.Struct, frozen=True):
    """A draft with the HTML made from its text."""

    draft: Draft
    html: str

    @property
    def key(self) -> Key:
        """What is unique in a room: the author and the client id."""
        return self.draft.author.id, self.draft.client_id


class Stored(msgspec.Struct, frozen=True):
    """The message that a draft became; `is_repeated` when an earlier try made it."""

    message: Message
    is_repeated: bool


class MessageStore:
    """The messages collection. `origin` marks this process's own writes, so that its feed can leave them out."""

    def __init__(
        self, database: Database, *, origin: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._messages = database.messages
        self.origin = origin
        self._clock = clock

    def append(self, room: str, drafts: Sequence[Rendered], *, after: int | None = None) -> list[Stored]:
        """Store drafts as the room's next messages; one seen before answers with the message it made then.

        `after` is the newest revision that the caller has read; one that is behind costs a round trip. Raises
        `Unavailable` when the outcome is unknown: call again with the same drafts.
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
                    # Before the newest revision is read, not after: it is old by then, and a busy rival always quicker.
                    attempt = _pause(attempt, give_up_at)
                    newest = self._newest_revision(room)
                    if newest == last or not is_first:
                        # Nobody else took the revision, so drafts are in the way of themselves. A duplicate key
                        # proves nothing yet: the document may still be rolled back. Only what a majority read
                        # finds is stored; whatever it does not find is tried again.
                        for key, message in self._find_by_keys(room, list(waiting)).items():
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
        """Give a message its next state, at the room's next revision; `edit` names the fields, or None for no change.

        `edit` may refuse, and is asked again when the message changed meanwhile. Raises `Unavailable` as `append` does.
        """
        give_up_at = time.monotonic() + self._database.timeout_seconds
        attempt = 0
        with self._database.bounded():
            last = self._newest_revision(room) if after is None else after
            while True:
                message = self._get(room, message_id)
                fields = edit(message)
                if fields is None:
                    return message
                # The message itself may be newer than what the caller has read.
                state, update = self._next_state(message, fields, max(last, message.revision) + 1)
                try:
                    result = self._messages.update_one(state, update)
                except DuplicateKeyError:
                    attempt = _pause(attempt, give_up_at)
                    last = self._newest_revision(room)
                else:
                    if result.modified_count:
                        return self._get(room, message_id)
                    attempt = _pause(attempt, give_up_at)

    def change_several(
        self, room: str, sequences: Sequence[int], edit: Callable[[Message], Mapping[str, Any] | None]
    ) -> Message | None:
        """Give each of these messages its next state, at revisions that follow each other, in one write.

        Returns the one that changed last; None when there are none of them. Raises `Unavailable` as `append` does.
        """
        give_up_at = time.monotonic() + self._database.timeout_seconds
        attempt = 0
        with self._database.bounded():
            while True:
                # First the newest revision, then the messages: whoever changes anything after it takes the next
                # number, so that the write of ours which wants that number fails, and stops those behind it. A
                # message that changed meanwhile is left alone, and its number is somebody's by then: no gap.
                last = self._newest_revision(room)
                found = map(_message, self._messages.find({"room": room, "sequence": {"$in": list(sequences)}}))
                messages = sorted(found, key=lambda message: message.sequence)
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
                    attempt = _pause(attempt, give_up_at)

    def get(self, room: str, message_id: str) -> Message:
        """The message; raise `Refused` (`not_found`) when the room has none of that id."""
        with self._database.bounded():
            return self._get(room, message_id)

    def has_come_to(self, room: str, revision: int) -> bool:
        """Whether the room has come that far, for certain.

        A primary that was just elected has everything that a majority had, but shows it only once it knows that they
        have it: for a moment, reads go back in time. A write that a majority confirms ends that moment.
        """
        with self._database.bounded():
            if self._newest_revision(room) >= revision:
                return True
            # Nothing is changed by it; it waits all the same for a majority to have all that came before.
            self._messages.update_one({"_id": NOBODY}, {"$set": {"origin": self.origin}})
            return self._newest_revision(room) >= revision

    def newest_revision(self, room: str) -> int:
        """The room's newest revision; 0 when nothing was ever posted."""
        with self._database.bounded():
            return self._newest_revision(room)

    def find_by_client_id(self, room: str, author_id: str, client_id: str) -> Message | None:
        """The message that a draft became, if it is stored."""
        with self._database.bounded():
            return self._find_by_keys(room, [(author_id, client_id)]).get((author_id, client_id))

    def changed_after(self, room: str, revision: int, limit: int) -> list[Message]:
        """At most `limit` messages changed after `revision`, by revision."""
        return self._page({"room": room, "revision": {"$gt": revision}}, "revision", ASCENDING, limit)

    def newest(self, room: str, limit: int) -> list[Message]:
        """The last `limit` messages, oldest first."""
        return self._page({"room": room}, "sequence", DESCENDING, limit)[::-1]

    def before(self, room: str, sequence: int, limit: int) -> list[Message]:
        """The `limit` messages before `sequence`, oldest first."""
        return self._page({"room": room, "sequence": {"$lt": sequence}}, "sequence", DESCENDING, limit)[::-1]

    def since(self, room: str, sequence: int, limit: int) -> list[Message]:
        """The `limit` messages from `sequence` on, oldest first."""
        return self._page({"room": room, "sequence": {"$gte": sequence}}, "sequence", ASCENDING, limit)

    def first_since(self, room: str, moment: datetime) -> int:
        """The sequence of the first message that was sent at a moment or later, as far as the clocks agree."""
        with self._database.bounded():
            low, high = 0, self._newest_revision(room) + 1
            while low < high:
                middle = (low + high) // 2
                query = {"room": room, "sequence": {"$gte": middle}}
                fields = {"_id": 0, "sequence": 1, "sent_at": 1}
                found = self._messages.find_one(query, fields, sort=[("sequence", ASCENDING)])
                if found is None or found["sent_at"] >= moment:
                    high = middle
                else:
                    low = found["sequence"] + 1
            return low

    def by_sequences(self, room: str, sequences: Collection[int]) -> list[Message]:
        """Those of the messages that are there, oldest first."""
        query = {"room": room, "sequence": {"$in": sorted(sequences)}}
        return self._page(query, "sequence", ASCENDING, len(sequences)) if sequences else []

    def find_all(self, ids: Sequence[str], rooms: Collection[str]) -> list[tuple[Message, str]]:
        """Those of these messages that are in one of these rooms, each with its room, the newest first."""
        query = {"_id": {"$in": [ObjectId(id) for id in ids]}, "room": {"$in": list(rooms)}}
        with self._database.bounded():
            found = list(self._messages.find(query))
        found.sort(key=lambda document: document["_id"], reverse=True)
        return [(message, document["room"]) for document in found if (message := _read(document)) is not None]

    def changed_beyond(self, known: Mapping[str, int], limit: int) -> list[tuple[Message, str]]:
        """At most `limit` messages that changed beyond the revision which is known of their room, in no order."""
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            found = list(self._messages.find(query).limit(limit).batch_size(limit + 1)) if known else []
        return [(message, document["room"]) for document in found if (message := _read(document)) is not None]

    def changed_last(self, room: str, revision: int, limit: int) -> list[Message]:
        """The `limit` latest of the messages that changed after `revision`, the latest first."""
        return self._page({"room": room, "revision": {"$gt": revision}}, "revision", DESCENDING, limit)

    def pinned(self, room: str, limit: int) -> list[Message]:
        """At most `limit` messages that are pinned, the one pinned first first."""
        return self._page({"room": room, "pinned_at": {"$type": "date"}}, "pinned_at", ASCENDING, limit)

    def count_older(self, room: str, moment: datetime, *, after: int) -> int:
        """How many messages after a sequence were sent before `moment` and are not deleted; at most 10,000."""
        place = {"$gt": after, "$lt": self.first_since(room, moment)}
        query = {"room": room, "sequence": place, "deleted_at": None}
        with self._database.bounded():
            return self._messages.count_documents(query, limit=MOST_COUNTED, hint="room_sequence")

    def newest_of(self, rooms: Collection[str]) -> dict[str, int]:
        """The newest revision of each room in which something was posted; each costs one look into the index."""
        with self._database.bounded():
            return newest_of(self._messages, rooms)

    def newest_revisions(self, known: Mapping[str, int]) -> dict[str, int]:
        """Which rooms have changed beyond the revision that is known of them, and how far."""
        found: dict[str, int] = {}
        if not known:
            return found
        query = {"$or": [{"room": room, "revision": {"$gt": revision}} for room, revision in known.items()]}
        with self._database.bounded():
            for document in self._messages.find(query, {"_id": 0, "room": 1, "revision": 1}).limit(MAX_HINTS):
                found[document["room"]] = max(found.get(document["room"], 0), document["revision"])
        return found

    def _next_state(self, message: Message, fields: Mapping[str, Any], revision: int) -> tuple[Document, Document]:
        """The message as it was read, and the update that gives it its next state."""
        numbers = {"revision": revision} | ({"text_revision": revision} if "text" in fields else {})
        update = {
            "$set": {**fields, **numbers, "origin": self.origin},
            "$push": {"revisions": {"$each": [revision], "$slice": -KEPT_REVISIONS}},
        }
        return {"_id": ObjectId(message.id), "revision": message.revision}, update

    def _page(self, query: Document, order: str, direction: int, limit: int) -> list[Message]:
        with self._database.bounded():
            # `batch_size` makes it one round trip.
            cursor = self._messages.find(query).sort(order, direction).limit(limit).batch_size(limit + 1)
            return [message for document in cursor if (message := _read(document)) is not None]

    def _newest_revision(self, room: str) -> int:
        document = self._messages.find_one(
            {"room": room}, {"_id": 0, "revision": 1}, sort=[("room", DESCENDING), ("revision", DESCENDING)]
        )
        return document["revision"] if document else 0

    def _get(self, room: str, message_id: str) -> Message:
        try:
            document = self._messages.find_one({"_id": ObjectId(message_id), "room": room})
        except InvalidId:
            document = None
        if document is None:
            raise Refused("not_found", "There is no such message in this room.")
        return _message(document)

    def _find_by_keys(self, room: str, keys: Sequence[Key]) -> dict[Key, Message]:
        found = {}
        wanted = set(keys)
        authors, client_ids = map(list, zip(*keys, strict=True))
        query = {"room": room, "client_id": {"$in": client_ids}, "author.id": {"$in": authors}}
        for document in self._messages.find(query):
            message = _message(document)
            key = message.author.id, message.client_id
            if key in wanted:
                found[key] = message
        return found

    def documents(self, room: str, last: int, drafts: Iterable[Rendered]) -> list[Document]:
        """The documents that drafts become, as the messages that follow the revision `last`."""
        now = self._clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # what BSON keeps
        return [
            {
                "_id": ObjectId(),
                "room": room,
                "sequence": revision,
                "revision": revision,
                "revisions": [revision],
                "author": msgspec.to_builtins(rendered.draft.author),
                "client_id": rendered.draft.client_id,
                "text": rendered.draft.text,
                "html": rendered.html,
                "sent_at": now,
                "origin": self.origin,
                **_optional_fields(rendered.draft),
            }
            for revision, rendered in enumerate(drafts, start=last + 1)
        ]

    def stored(self, documents: Iterable[Document]) -> list[Stored]:
        """What was made of drafts whose documents a majority has."""
        return [Stored(_message(document), is_repeated=False) for document in documents]


def newest_of(messages: PymongoCollection[Document], rooms: Collection[str]) -> dict[str, int]:
    """The newest revision of each room; the index has them, and nothing else is looked at."""
    pipeline: list[Document] = [
        {"$match": {"room": {"$in": list(rooms)}}},
        {"$sort": {"room": DESCENDING, "revision": DESCENDING}},
        {"$group": {"_id": "$room", "revision": {"$first": "$revision"}}},
    ]
    return {document["_id"]: document["revision"] for document in messages.aggregate(pipeline)}


def _read(document: Document) -> Message | None:
    """The message, or None for a document that is none: one that somebody made by hand must not close the room."""
    try:
        return _message(document)
    except (KeyError, TypeError):
        log.exception("a document in the messages is not a message, and is left out: %s", document.get("_id"))
        return None


def _message(document: Document) -> Message:
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
        reactions=tuple(_reaction(reaction) for reaction in document.get("reactions", ())),
        files=tuple(File(**file) for file in document.get("files", ())),
        pinned_at=document.get("pinned_at"),
        text_revision=document.get("text_revision", 0),
        origin=document.get("origin", ""),
    )


def _optional_fields(draft: Draft) -> Document:
    """What most messages have none of, and which is then not written."""
    fields: Document = {}
    if draft.reply_to is not None:
        fields["reply_to"] = draft.reply_to
    if draft.kind != "message":
        fields["kind"] = draft.kind
    if draft.mentions:
        fields["mentions"] = [member.id for member in draft.mentions]
    if draft.files:
        fields["files"] = [msgspec.structs.asdict(file) for file in draft.files]
    return fields


def _reaction(document: Document) -> Reaction:
    return Reaction(document["emoji"], tuple(Author(person["id"], person["name"]) for person in document["people"]))


def _pause(attempt: int, give_up_at: float) -> int:
    """Wait a little longer each time, at random, so that two processes do not collide in step."""
    if time.monotonic() > give_up_at:
        raise Unavailable("The database did not confirm the message in time.")
    if attempt:
        longest = min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS)
        time.sleep(random.uniform(0, longest))  # noqa: S311  not a secret
    return attempt + 1
