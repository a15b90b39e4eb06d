"""The words of each room: find words by their beginning, and find the rooms that contain a word."""

from collections.abc import Callable, Collection, Sequence

from pymongo import ASCENDING
from pymongo.errors import BulkWriteError

from chatroom.mongo.database import Database, beginning_with
from chatroom.mongo.unique import doubles

WORDS_AT_ONCE = 200
"""The maximum number of words that one query looks up before their removal."""

Used = Callable[[str, Collection[str]], set[str]]
"""Returns the words that occur in a message of the room."""


class WordStore:
    """The collection `search_words`. `find_used` returns which words of a room occur in its entries."""

    def __init__(self, database: Database, find_used: Used) -> None:
        self._database = database
        self._words = database["search_words"]
        self._find_used = find_used

    def beginning_with(self, rooms: Collection[str], text: str, limit: int) -> set[str]:
        """Return at most `limit` words of these rooms that begin with a text."""
        found: set[str] = set()
        with self._database.bounded():
            for room in rooms:
                query = {"_id": beginning_with(f"{room} {text}")}
                left = limit - len(found)
                for document in self._words.find(query).sort("_id", ASCENDING).limit(left).batch_size(left + 1):
                    found.add(document["_id"].partition(" ")[2])
                if len(found) >= limit:
                    break
        return found

    def rooms_with(self, rooms: Sequence[str], words: Collection[str]) -> set[str]:
        """Of these rooms, return those that contain at least one of these words."""
        ids = [f"{room} {word}" for room in rooms for word in words]
        with self._database.bounded():
            return {document["_id"].partition(" ")[0] for document in self._words.find({"_id": {"$in": ids}})}

    def forget(self, room: str) -> None:
        """Remove all words of a room."""
        self._words.delete_many({"_id": beginning_with(f"{room} ")})

    def add(self, room: str, words: Collection[str]) -> None:
        """Add the words of entries. Call it inside `bounded`."""
        ids = {f"{room} {word}" for word in words}
        missing = ids - {document["_id"] for document in self._words.find({"_id": {"$in": list(ids)}})}
        if missing:
            try:
                self._words.insert_many([{"_id": id} for id in sorted(missing)], ordered=False)
            except BulkWriteError as error:
                doubles(error)

    def remove_unused(self, room: str, words: Sequence[str]) -> None:
        """Remove the words that no longer occur in a message of the room."""
        for first in range(0, len(words), WORDS_AT_ONCE):
            with self._database.bounded():
                self._remove_unused(room, words[first : first + WORDS_AT_ONCE])

    def _remove_unused(self, room: str, words: Collection[str]) -> None:
        unused = set(words) - self._find_used(room, words)
        if unused:
            self._words.delete_many({"_id": {"$in": [f"{room} {word}" for word in unused]}})
            # Meanwhile, another process may have indexed a message with a removed word without adding the word again.
            self.add(room, self._find_used(room, unused))
