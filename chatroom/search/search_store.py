"""The search index: an entry with the words of each message, and a cursor for each room.

The index is derived from the log and can be rebuilt. An entry is replaced only by an entry of the same or a later
revision, so several processes may write the index.
"""

from collections.abc import Collection, Iterator, Sequence

import msgspec
from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import BulkWriteError

from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import doubles
from chatroom.search.spans_store import OneOf, Span, Step, queries_of, query_of
from chatroom.search.words_store import WordStore

BY_WORD, BY_ROOM = "room_words_id", "room_id"
INDEXES = [
    # The id of a message begins with its time, so this index sorts by time, in one room or in many.
    IndexModel([("room", ASCENDING), ("words", ASCENDING), ("_id", DESCENDING)], name=BY_WORD),
    IndexModel([("room", ASCENDING), ("_id", DESCENDING)], name=BY_ROOM),
]
NO_LIMIT = 2**31 - 1
ENTRIES_AT_ONCE = 20


class Entry(msgspec.Struct, frozen=True):
    """The entry of a message in the index."""

    id: str
    revision: int
    words: Collection[str]


class SearchStore:
    """The collections `search_entries` and `search_cursors`; `words` is the collection `search_words`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries = database["search_entries"]
        self._cursors = database["search_cursors"]
        self.words = WordStore(database, self._find_used)

    def cursors(self, rooms: Collection[str], rule: int) -> dict[str, int]:
        """Return the cursor of each room; 0 for a room that is not indexed with this `rule` (`RULE_VERSION`)."""
        found = dict.fromkeys(rooms, 0)
        with self._database.bounded():
            for document in self._cursors.find({"_id": {"$in": list(rooms)}, "rule": rule}):
                found[document["_id"]] = document["revision"]
        return found

    def advance(self, room: str, revision: int, rule: int) -> None:
        """Move the cursor of a room forward to a revision."""
        further = {"$max": {"revision": revision}, "$set": {"rule": rule}}
        with self._database.bounded():
            if not self._cursors.update_one({"_id": room, "rule": rule}, further).matched_count:
                self._cursors.update_one({"_id": room, "rule": {"$ne": rule}}, {"$set": {"rule": rule, "revision": 0}})
                self._cursors.update_one({"_id": room}, further, upsert=True)

    def put(self, room: str, entries: Sequence[Entry]) -> None:
        """Store entries. Remove the words that no message of the room contains any longer."""
        with self._database.bounded():
            # Write the entries before the words: `remove_unused` reads the entries before and after it removes a word.
            gone = sorted(self._replace(room, entries))
            self.words.add(room, {word for entry in entries for word in entry.words})
        self.words.remove_unused(room, gone)

    def forget(self, room: str) -> None:
        """Remove a room from the index."""
        with self._database.bounded(600):
            self._cursors.delete_one({"_id": room})
            self._entries.delete_many({"room": room})
            self.words.forget(room)

    def count(self, span: Span, words: Collection[str], limit: int) -> int:
        """Count the entries with one of these words, up to `limit`."""
        query = {**query_of(span), "words": {"$in": list(words)}}
        with self._database.bounded():
            return self._entries.count_documents(query, limit=limit, hint=BY_WORD)

    def look(self, span: Span, step: Step, *, limit: int) -> tuple[list[str], str | None]:
        """Return up to `limit` message ids for a step, newest first, and the id to continue from (None at the end)."""
        conditions = [{"words": condition.filter} for condition in step.rest]
        found: list[ObjectId] = []
        ends: list[ObjectId] = []
        with self._database.bounded():
            for query in queries_of(span, step.lead):
                ids, end = self._look(query, BY_WORD if step.lead else BY_ROOM, conditions, limit, step.most)
                found += ids
                ends += [end] if end else []
        # Each query is complete down to its end. So together they are complete down to the newest of these ends.
        end = max(ends, default=None)
        complete = sorted((id for id in found if end is None or id >= end), reverse=True)
        if len(complete) > limit:
            end = complete[limit - 1]
        return [str(id) for id in complete[:limit]], str(end) if end else None

    def pages_with(self, room: str, words: Sequence[str], limit: int) -> Iterator[list[str]]:
        """Yield the ids of a room's messages that have one of these words: the newest first, in lists of `limit`."""
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
        # With a hint, the planner does not try all indexes, which would cost more than the search.
        # The first limit keeps the planner from merging the conditions into the first match.
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
        """Write the entries; return the words that only the old entries had."""
        ids = [ObjectId(entry.id) for entry in entries]
        old = {document["_id"]: document["words"] for document in self._entries.find({"_id": {"$in": ids}})}
        documents = {id: _document(room, entry) for id, entry in zip(ids, entries, strict=True)}
        changed = set(old)
        new = [document for id, document in documents.items() if id not in old]
        if new:
            try:
                self._entries.insert_many(new, ordered=False)
            except BulkWriteError as error:
                changed |= doubles(error)  # another process has stored an entry, maybe of another revision
        updates: list[tuple[Document, Document]] = [
            ({"_id": id, "room": room, "revision": {"$lte": documents[id]["revision"]}}, {"$set": documents[id]})
            for id in changed
        ]
        self._database.update_in_order(self._entries, updates)
        return {word for id, words in old.items() for word in words if word not in documents[id]["words"]}

    def _find_used(self, room: str, words: Collection[str]) -> set[str]:
        """Return which of these words occur in the entries of the room."""
        left = set(words)
        while left:
            query = {"room": room, "words": {"$in": sorted(left)}}
            some = self._entries.find(query, {"words": 1}).hint(BY_WORD).limit(ENTRIES_AT_ONCE)
            found = left & {word for entry in some for word in entry["words"]}
            if not found:
                break
            left -= found
        return set(words) - left


def _document(room: str, entry: Entry) -> Document:
    return {"_id": ObjectId(entry.id), "room": room, "revision": entry.revision, "words": sorted(entry.words)}
