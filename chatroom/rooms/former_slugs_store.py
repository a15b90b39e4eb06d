"""Replace the guessable addresses of old direct conversations by random addresses.

This migration can be interrupted and repeated. Several processes may run it at once. One write sets the new address
and stores the old address. If two processes change the same room, the first write wins.
"""

import logging

from pymongo import ASCENDING

from chatroom.mongo.database import Database, Document
from chatroom.names import FORMER_DIRECT, is_former_direct, make_direct_slug
from chatroom.site.upgrades import Changed, ignore

AT_ONCE = 500
FORMER: Document = {"$regex": FORMER_DIRECT}

log = logging.getLogger(__name__)


class FormerSlugs:
    """Change the addresses in the rooms collection, and in access tokens that are limited to rooms."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._sessions = database["sessions"]

    def has_any(self) -> bool:
        """Return whether a direct conversation still has a guessable address."""
        return self._database.has("rooms", {"kind": "direct", "slug": FORMER})

    def move(self, changed: Changed = ignore) -> None:
        """Give new addresses to direct conversations with guessable ones, and add the new addresses to tokens."""
        self._warn()
        count = 0
        while moved := self._move_some():
            count += moved
            changed(moved)
        if count:
            log.info("%d direct conversations have new addresses; the old addresses redirect to them", count)
        self._move_tokens()

    def _move_some(self) -> int:
        with self._database.bounded():
            found = list(self._rooms.find({"kind": "direct", "slug": FORMER}, {"slug": 1}).limit(AT_ONCE))
            updates: list[tuple[Document, Document]] = [
                (room, {"$set": {"slug": make_direct_slug(), "former_slug": room["slug"]}}) for room in found
            ]
            self._database.update_in_order(self._rooms, updates)
        return len(found)

    def _move_tokens(self) -> None:
        with self._database.bounded():
            if self._rooms.find_one({"former_slug": {"$gt": ""}}, {"_id": 1}) is None:
                return  # no room has a former address, so no token needs a new one
        last: str | None = ""
        while last is not None:
            last = self._move_some_tokens(last)

    def _move_some_tokens(self, after: str) -> str | None:
        """Add the new addresses to the next tokens: at most 500, with ids greater than `after`.

        Return the greatest of their ids, or None if there are no more tokens.
        """
        query = {"kind": "token", "rooms": FORMER, "_id": {"$gt": after}}
        with self._database.bounded():
            found = list(self._sessions.find(query, {"rooms": 1}).sort("_id", ASCENDING).limit(AT_ONCE))
            former = {slug for token in found for slug in token["rooms"] if is_former_direct(slug)}
            rooms = self._rooms.find({"former_slug": {"$in": sorted(former)}}, {"slug": 1, "former_slug": 1})
            moved = {room["former_slug"]: room["slug"] for room in rooms}
            lacking = {token["_id"]: _lacking(token["rooms"], moved) for token in found}
            updates: list[tuple[Document, Document]] = [
                ({"_id": token}, {"$addToSet": {"rooms": {"$each": slugs}}})
                for token, slugs in lacking.items()
                if slugs
            ]
            self._database.update_in_order(self._sessions, updates)
        return found[-1]["_id"] if found else None

    def _warn(self) -> None:
        """Warn of ordinary rooms whose address looks like a direct conversation's: they may be imitations."""
        with self._database.bounded():
            for room in self._rooms.find({"kind": {"$ne": "direct"}, "slug": FORMER}, {"slug": 1}).limit(AT_ONCE):
                log.warning("the room %s has an address like a direct conversation: check its creator", room["slug"])


def _lacking(slugs: list[str], moved: dict[str, str]) -> list[str]:
    """Return the new addresses that are missing in `slugs`. `moved` maps former addresses to new addresses."""
    return [moved[slug] for slug in slugs if slug in moved and moved[slug] not in slugs]
