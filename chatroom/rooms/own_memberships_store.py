"""The fields of a membership that its member changes: read position, turn in slow mode, preferences.

The preferences that a new membership begins with are a field of the account.
"""

from collections.abc import Collection
from datetime import timedelta

from pymongo import ReturnDocument

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Notify, Room
from chatroom.mongo.database import Database, Document
from chatroom.people.users_store import HERE
from chatroom.rooms.memberships_store import notifying


class OwnMembershipStore:
    """Read and write a member's own fields."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._memberships = database["memberships"]
        self._users = database["users"]
        self._clock = clock

    def mark_read(self, user_id: str, room_id: str, sequence: int, unread_marks: int) -> bool:
        """Move the read position of a member forward. Return False if the position is not lower than `sequence`.

        Also return False if the member has marked a message as unread after the device knew of `unread_marks` marks.
        """
        member = {"user": user_id, "room": room_id, "unread_marks": unread_marks or None}
        with self._database.bounded():
            result = self._memberships.update_one(member, {"$max": {"read_sequence": sequence}})
        return result.modified_count > 0

    def mark_unread(self, user_id: str, room_id: str, sequence: int) -> int:
        """Set the read position before a message. Return how often the member has done this in the room."""
        update = {"$set": {"read_sequence": sequence - 1, "unread_from": sequence}, "$inc": {"unread_marks": 1}}
        with self._database.bounded():
            found = self._memberships.find_one_and_update(
                {"user": user_id, "room": room_id, "removed_at": None},
                update,
                {"unread_marks": 1},
                return_document=ReturnDocument.AFTER,
            )
        return found["unread_marks"] if found else 0

    def preferences_in(self, room_id: str, user_ids: Collection[str]) -> dict[str, Notify]:
        """Return the notification settings of these users in a room that hold now. Only members are included."""
        query = {"room": room_id, "user": {"$in": list(user_ids)}, "removed_at": None}
        with self._database.bounded():
            found = list(self._memberships.find(query, {"_id": 0, "user": 1, "notify": 1, "paused_until": 1}))
        now = self._clock()
        return {document["user"]: notifying(document, now)["notify"] for document in found}

    def choose_for_new_rooms(self, user_id: str, notify: Notify) -> None:
        """Store what notifies a user in the rooms that the user joins later."""
        with self._database.bounded():
            self._users.update_one({"_id": user_id, **HERE}, {"$set": {"new_rooms_notify": notify}})

    def arrange(self, user_id: str, room_id: str, fields: Document) -> bool:
        """Change how a member lists a room. A value of None unsets the field. Return False if nothing changes."""
        update: Document = {
            "$set": {name: value for name, value in fields.items() if value is not None},
            "$unset": {name: "" for name, value in fields.items() if value is None},
        }
        with self._database.bounded():
            result = self._memberships.update_one(
                {"user": user_id, "room": room_id, "removed_at": None},
                {operator: changed for operator, changed in update.items() if changed},
            )
        return result.modified_count > 0

    def take_turn(self, user_id: str, room: Room, client_id: str, seconds: int) -> float:
        """Take a member's turn to post. Return 0, or the seconds to wait for the next turn.

        A repeated post has the same `client_id` and needs no second turn. One write decides, so all processes agree.
        """
        now = self._clock()
        latest = now - timedelta(seconds=seconds)
        member = {"user": user_id, "room": room.id}
        turn = {"posted_at": now, "posted_as": client_id}
        free = [{"posted_at": None}, {"posted_at": {"$lte": latest}}, {"posted_at": {"$gt": now}}]
        with self._database.bounded():
            if self._memberships.update_one({**member, "$or": free}, {"$set": turn}).matched_count:
                return 0.0
            found = self._memberships.find_one(member, {"posted_at": 1, "posted_as": 1}) or {}
        if found.get("posted_as") == client_id or found.get("posted_at") is None:
            return 0.0
        waited: timedelta = now - found["posted_at"]
        return max(0.1, seconds - waited.total_seconds())
