"""The search index: one entry a message with its words, and the words of each room.

It is made from the log and can be made again. An entry is only ever replaced by one of the same revision or a later,
so that it does not matter how many write it; what was deleted leaves an entry without words.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import doubles

BY_WORD, BY_ROOM = "room_words_id", "room_id"
INDEXES = [
    # A message's id begins with its time: the newest first, in one room or in many, without sorting.
    IndexModel([("room", ASCENDING), ("words", ASCENDING), ("_id", DESCENDING)], name=BY_WORD),
    IndexModel([("room", ASCENDING), ("_id", DESCENDING)], name=BY_ROOM),
]
MOST_SCANS = 150
"""Ranges of the index that the server reads side by side without sorting: it would sort from 200 on."""
NO_LIMIT = 2**31 - 1
WORDS_AT_ONCE = 200
"""That are looked for before they are forgotten: what is erased at once may have been full of rare ones."""
ENTRIES_AT_ONCE = 20
LAST = "\U0010ffff"


class Entry(msgspec.Struct, frozen=True):
    """What the index has of a message in its latest state."""

    id: str
    revision: int
    words: Collection[str]


class OneOf(msgspec.Struct, frozen=True):
    """One of these words."""

    words: tuple[str, ...]

    @property
    def filter(self) -> Any:
        """What the field of the words has to be."""
        return {"$in": list(self.words)}


class Beginning(msgspec.Struct, frozen=True):
    """A word that begins so; for when there are too many to name them."""

    text: str

    @property
    def filter(self) -> Any:
        """What the field of the words has to be."""
        return {"$elemMatch": {"$gte": self.text, "$lt": self.text + LAST}}


Condition = OneOf | Beginning


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Which rooms, and which time: from `since`, before `until`, and before the message with the id `before`."""

    rooms: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None

    def has(self, message_id: str) -> bool:
        """Whether a message's id is within the time."""
        id, bounds = ObjectId(message_id), _bounds(self)
        return not (("$lt" in bounds and id >= bounds["$lt"]) or ("$gte" in bounds and id < bounds["$gte"]))


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for, and in how much: the newest `most` entries with the lead's words, or of all; None: in all.

    A lead of more than `MOST_SCANS` words times rooms is sorted by the server: it has to be rare.
    """

    lead: OneOf | None
    rest: Sequence[Condition]
    most: int | None


class SearchStore:
    """The collections `search_entries`, `search_words` and `search_cursors`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries = database["search_entries"]
        self._words = database["search_words"]
        self._cursors = database["search_cursors"]

    def cursors(self, rooms: Collection[str], rule: int) -> dict[str, int]:
        """How far each room is indexed by this rule for words; 0 for one that is not."""
        found = dict.fromkeys(rooms, 0)
        with self._database.bounded():
            for document in self._cursors.find({"_id": {"$in": list(rooms)}, "rule": rule}):
                found[document["_id"]] = document["revision"]
        return found

    def advance(self, room: str, revision: int, rule: int) -> None:
        """Note that a room is indexed up to a revision; never goes back."""
        further = {"$max": {"revision": revision}, "$set": {"rule": rule}}
        with self._database.bounded():
            if not self._cursors.update_one({"_id": room, "rule": rule}, further).matched_count:
                self._cursors.update_one({"_id": room, "rule": {"$ne": rule}}, {"$set": {"rule": rule, "revision": 0}})
                self._cursors.update_one({"_id": room}, further, upsert=True)

    def put(self, room: str, entries: Sequence[Entry]) -> None:
        """Take entries in, and forget the words that no message of the room has any longer."""
        with self._database.bounded():
            # Entries first, then the words: whoever takes a word away looks for entries after it.
            gone = sorted(self._replace(room, entries))
            self._add_words(room, {word for entry in entries for word in entry.words})
        for first in range(0, len(gone), WORDS_AT_ONCE):
            with self._database.bounded():
                self._remove_words(room, gone[first : first + WORDS_AT_ONCE])

    def forget(self, room: str) -> None:
        """Take a room out of the index."""
        with self._database.bounded(600):
            self._cursors.delete_one({"_id": room})
            self._entries.delete_many({"room": room})
            self._words.delete_many({"_id": {"$gte": f"{room} ", "$lt": f"{room} {LAST}"}})

    def beginning_with(self, rooms: Collection[str], text: str, limit: int) -> set[str]:
        """The words of these rooms that begin so, at most `limit`."""
        found: set[str] = set()
        with self._database.bounded():
            for room in rooms:
                query = {"_id": {"$gte": f"{room} {text}", "$lt": f"{room} {text}{LAST}"}}
                left = limit - len(found)
                for document in self._words.find(query).sort("_id", ASCENDING).limit(left).batch_size(left + 1):
                    found.add(document["_id"].partition(" ")[2])
                if len(found) >= limit:
                    break
        return found

    def rooms_with(self, rooms: Sequence[str], words: Collection[str]) -> set[str]:
        """The rooms in which any of these words occurs."""
        ids = [f"{room} {word}" for room in rooms for word in words]
        with self._database.bounded():
            return {document["_id"].partition(" ")[0] for document in self._words.find({"_id": {"$in": ids}})}

    def count(self, span: Span, words: Collection[str], limit: int) -> int:
        """How many entries have one of these words, counted up to `limit`."""
        query = {**_query(span), "words": {"$in": list(words)}}
        with self._database.bounded():
            return self._entries.count_documents(query, limit=limit, hint=BY_WORD)

    def look(self, span: Span, step: Step, *, limit: int) -> tuple[list[str], str | None]:
        """The newest `limit` messages with all that a step asks for.

        Also returns where the looking ended: before which message to go on; None when there is nothing more.
        """
        conditions = [{"words": condition.filter} for condition in step.rest]
        found: list[ObjectId] = []
        ends: list[ObjectId] = []
        with self._database.bounded():
            for query in _queries(span, step.lead):
                ids, end = self._look(query, BY_WORD if step.lead else BY_ROOM, conditions, limit, step.most)
                found += ids
                ends += [end] if end else []
        # Of several queries, each complete down to its own end: what is below the highest of them is not complete.
        end = max(ends, default=None)
        complete = sorted((id for id in found if end is None or id >= end), reverse=True)
        if len(complete) > limit:
            end = complete[limit - 1]
        return [str(id) for id in complete[:limit]], str(end) if end else None

    def pages_with(self, room: str, words: Sequence[str], limit: int) -> Iterator[list[str]]:
        """The ids of all messages of a room that have one of these words, the newest first, so many at once."""
        before: str | None = None
        while True:
            step = Step(lead=OneOf(tuple(words)), rest=(), most=None)
            ids, before = self.look(Span(rooms=(room,), before=before), step, limit=limit)
            yield ids
            if before is None:
                return

    def _look(
        self, query: Document, index: str, conditions: list[Document], limit: int, most: int | None
    ) -> tuple[list[ObjectId], ObjectId | None]:
        # The index is named: trying out which is quicker costs more than the search.
        # The first limit keeps the conditions out of the first match, where they could take the lead.
        pipeline: list[Document] = [{"$match": query}, {"$sort": {"_id": DESCENDING}}, {"$limit": most or NO_LIMIT}]
        if conditions:
            pipeline.append({"$match": {"$and": conditions}})
        pipeline += [{"$limit": limit}, {"$project": {"_id": 1}}]
        ids = [document["_id"] for document in self._entries.aggregate(pipeline, hint=index)]
        if len(ids) == limit:
            return ids, ids[-1]
        if most is None:
            return ids, None
        last = self._entries.find(query, {"_id": 1}).sort("_id", DESCENDING).skip(most - 1).limit(1).hint(index)
        return ids, next((document["_id"] for document in last), None)

    def _replace(self, room: str, entries: Sequence[Entry]) -> set[str]:
        """Write the entries; return the words that the old ones had and the new ones do not."""
        ids = [ObjectId(entry.id) for entry in entries]
        old = {document["_id"]: document["words"] for document in self._entries.find({"_id": {"$in": ids}})}
        documents = {id: _document(room, entry) for id, entry in zip(ids, entries, strict=True)}
        changed = set(old)
        new = [document for id, document in documents.items() if id not in old]
        if new:
            try:
                self._entries.insert_many(new, ordered=False)
            except BulkWriteError as error:
                changed |= doubles(error)  # somebody else was quicker, with this state or another
        states = [
            ({"_id": id, "room": room, "revision": {"$lte": documents[id]["revision"]}}, documents[id])
            for id in changed
        ]
        self._database.update_in_order(self._entries, [(older, {"$set": document}) for older, document in states])
        return {word for id, words in old.items() for word in words if word not in documents[id]["words"]}

    def _add_words(self, room: str, words: Collection[str]) -> None:
        ids = {f"{room} {word}" for word in words}
        missing = ids - {document["_id"] for document in self._words.find({"_id": {"$in": list(ids)}})}
        if missing:
            try:
                self._words.insert_many([{"_id": id} for id in sorted(missing)], ordered=False)
            except BulkWriteError as error:
                doubles(error)

    def _remove_words(self, room: str, words: Collection[str]) -> None:
        unused = set(words) - self._used(room, words)
        if unused:
            self._words.delete_many({"_id": {"$in": [f"{room} {word}" for word in unused]}})
            # What somebody wrote meanwhile, who may have found the word still there.
            self._add_words(room, self._used(room, unused))

    def _used(self, room: str, words: Collection[str]) -> set[str]:
        """Those of the words that some entry has: each question answers for one of them at least."""
        left = set(words)
        while left:
            query = {"room": room, "words": {"$in": sorted(left)}}
            some = self._entries.find(query, {"words": 1}).hint(BY_WORD).limit(ENTRIES_AT_ONCE)
            found = left & {word for entry in some for word in entry["words"]}
            if not found:
                break
            left -= found
        return set(words) - left


def is_id(text: str) -> bool:
    """Whether a text can be a message's id."""
    try:
        ObjectId(text)
    except InvalidId:
        return False
    return True


def _document(room: str, entry: Entry) -> Document:
    return {"_id": ObjectId(entry.id), "room": room, "revision": entry.revision, "words": sorted(entry.words)}


def _queries(span: Span, lead: OneOf | None) -> Iterable[Document]:
    """The span in so many queries that the server sorts in none of them; the lead's words in one."""
    if lead is not None:
        yield {**_query(span), "words": {"$in": list(lead.words)}}
        return
    for first in range(0, len(span.rooms), MOST_SCANS):
        yield _query(msgspec.structs.replace(span, rooms=span.rooms[first : first + MOST_SCANS]))


def _query(span: Span) -> Document:
    bounds = _bounds(span)
    return {"room": {"$in": list(span.rooms)}, **({"_id": bounds} if bounds else {})}


def _bounds(span: Span) -> Document:
    bounds: Document = {}
    below = [ObjectId(span.before)] if span.before else []
    below += [ObjectId.from_datetime(span.until)] if span.until else []
    if below:
        bounds["$lt"] = min(below)
    if span.since:
        bounds["$gte"] = ObjectId.from_datetime(span.since)
    return bounds
