"""Direct conversations. The id of a conversation is derived from the ids of its people."""

from collections.abc import Sequence

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Unavailable
from chatroom.base.models import Room
from chatroom.mongo.database import Database
from chatroom.mongo.unique import check_own
from chatroom.names import make_direct_slug
from chatroom.rooms.rooms_store import insert_or_find, room_of

TRIES = 5


class DirectRoomStore:
    """Read and write direct conversations, and read the accounts of their people."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._users = database["users"]
        self._clock = clock

    def find(self, room_id: str, people: Sequence[str]) -> Room | None:
        """Return the conversation with this id, or None. Raises `Unavailable` if it belongs to other people."""
        with self._database.bounded():
            document = self._rooms.find_one({"_id": room_id})
        check_own(document, kind="direct", people=list(people))
        return room_of(document) if document else None

    def add(self, room_id: str, people: Sequence[str]) -> Room:
        """Store the direct conversation of these people unless it exists. Their memberships are stored separately."""
        made = {"_id": room_id, "title": "", "kind": "direct", "people": list(people), "created_at": self._clock()}
        for _ in range(TRIES):
            with self._database.bounded():
                holder = insert_or_find(self._database, {**made, "slug": make_direct_slug()})
            if holder is None or holder["_id"] == room_id:  # another member may have created it at the same moment
                break
        room = self.find(room_id, people)
        if room is None:
            raise Unavailable("The conversation could not be created. Please try again.")
        return room

    def count_accounts(self, people: Sequence[str]) -> int:
        with self._database.bounded():
            return self._users.count_documents({"_id": {"$in": list(people)}, "deleted_at": None})
