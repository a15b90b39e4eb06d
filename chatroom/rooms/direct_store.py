"""Direct conversations: one for the same people, with an id derived from theirs."""

from collections.abc import Sequence

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import Unavailable
from chatroom.base.models import Person, Room
from chatroom.mongo.database import Database
from chatroom.mongo.unique import check_own
from chatroom.names import make_direct_slug
from chatroom.people.fields import SHOWN, person_of
from chatroom.rooms.rooms_store import insert_or_find, room_of

TRIES = 5


class DirectRoomStore:
    """The rooms collection, as far as it holds direct rooms, and the accounts of those who are in them."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._users = database["users"]
        self._clock = clock

    def find(self, room_id: str, people: Sequence[str]) -> Room | None:
        """The direct room with this id; raise `Unavailable` where it is not one of exactly these people."""
        with self._database.bounded():
            document = self._rooms.find_one({"_id": room_id})
        check_own(document, kind="direct", people=list(people))
        return room_of(document) if document else None

    def add(self, room_id: str, people: Sequence[str]) -> Room:
        """Store the direct room of these people unless it is there; who is in it is stored separately."""
        made = {"_id": room_id, "title": "", "kind": "direct", "people": list(people), "created_at": self._clock()}
        for _ in range(TRIES):
            with self._database.bounded():
                holder = insert_or_find(self._database, {**made, "slug": make_direct_slug()})
            if holder is None or holder["_id"] == room_id:  # another of them may have made it at the same moment
                break
        room = self.find(room_id, people)
        if room is None:
            raise Unavailable("The conversation could not be created. Please try again.")
        return room

    def people_of(self, room: Room) -> dict[str, Person]:
        """Those in a direct room, by id."""
        with self._database.bounded():
            return {
                each["_id"]: person_of(each) for each in self._users.find({"_id": {"$in": list(room.people)}}, SHOWN)
            }

    def count_accounts(self, people: Sequence[str]) -> int:
        """The number of these people who have an account."""
        with self._database.bounded():
            return self._users.count_documents({"_id": {"$in": list(people)}, "deleted_at": None})
