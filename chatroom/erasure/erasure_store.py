"""The progress of clearing and of retention in each room."""

from chatroom.base.models import Room
from chatroom.mongo.database import Database
from chatroom.rooms.rooms_store import room_of
from chatroom.site.acts_store import Note, noting


class ErasureStore:
    """The fields about erasure in the rooms collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms = database["rooms"]

    def start_clearing(self, room_id: str, sequence: int, note: Note | None = None) -> None:
        """Hide all messages up to a sequence, and mark the room as being cleared."""
        with self._database.bounded():
            hidden = {"$max": {"cleared_sequence": sequence}, "$set": {"is_being_cleared": True}}
            self._rooms.update_one({"_id": room_id}, noting(hidden, note))

    def end_clearing(self, room: Room) -> None:
        """Mark the clearing of a room as complete, unless another clearing began meanwhile."""
        done = {"_id": room.id, "cleared_sequence": room.cleared_sequence}
        with self._database.bounded():
            self._rooms.update_one(done, {"$unset": {"is_being_cleared": ""}})

    def list_being_cleared(self) -> list[Room]:
        """Return the rooms whose hidden messages are not all erased."""
        with self._database.bounded():
            return [room_of(document) for document in self._rooms.find({"is_being_cleared": True})]

    def list_retaining(self) -> list[tuple[Room, int]]:
        """Return the rooms with a retention, each with the sequence up to which retention has deleted all messages."""
        with self._database.bounded():
            found = self._rooms.find({"retention_days": {"$gt": 0}})
            return [(room_of(room), room.get("retained_after", 0)) for room in found]

    def retained_after(self, room_id: str) -> int:
        """Return the sequence up to which retention has deleted all messages."""
        with self._database.bounded():
            room = self._rooms.find_one({"_id": room_id}, {"retained_after": 1})
        return room.get("retained_after", 0) if room else 0

    def set_retained_after(self, room_id: str, sequence: int) -> None:
        """Store the sequence up to which retention has deleted all messages."""
        with self._database.bounded():
            self._rooms.update_one({"_id": room_id}, {"$set": {"retained_after": sequence}})
