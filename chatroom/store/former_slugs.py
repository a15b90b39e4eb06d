"""Give direct rooms of before, whose addresses could be guessed, addresses that cannot.

It can be done again, ended in the middle, and done by several processes at once: one write gives a room its new
address and keeps the old one beside it, and the first one counts.
"""

import logging

from chatroom.names import FORMER_DIRECT, make_direct_slug
from chatroom.store.database import Database, Document

AT_ONCE = 500
FORMER: Document = {"$regex": FORMER_DIRECT}

log = logging.getLogger(__name__)


class FormerSlugs:
    """The rooms collection, and the tokens that are for some rooms alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms = database.rooms
        self._sessions = database.sessions

    def move(self) -> None:
        """Rename what is to be renamed, and let tokens for such rooms go on under both addresses."""
        self._warn()
        count = 0
        while moved := self._move_some():
            count += moved
        if count:
            log.info("%d direct conversations have new addresses; the old ones lead there", count)
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
                return  # a site without such rooms need not look at its tokens
            for token in list(self._sessions.find({"kind": "token", "rooms": FORMER}, {"rooms": 1})):
                rooms = self._rooms.find({"former_slug": {"$in": token["rooms"]}}, {"slug": 1})
                further = {"$each": [room["slug"] for room in rooms]}
                self._sessions.update_one({"_id": token["_id"]}, {"$addToSet": {"rooms": further}})

    def _warn(self) -> None:
        """A public room at such an address may have been made to be taken for a conversation of two others."""
        with self._database.bounded():
            for room in self._rooms.find({"kind": {"$ne": "direct"}, "slug": FORMER}, {"slug": 1}).limit(AT_ONCE):
                log.warning(
                    "the room %s is no direct conversation, and has an address like one: look who made it", room["slug"]
                )
