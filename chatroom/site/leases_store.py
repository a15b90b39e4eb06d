"""Leases: the process that holds a lease does a piece of work for all processes.

A lease is not a lock: for a short time, two processes may both do the work.
"""

from datetime import timedelta

from chatroom.base.clock import Clock, utc_now
from chatroom.mongo.database import Database
from chatroom.mongo.unique import write_or_find


class LeaseStore:
    """The leases collection, as used by one process."""

    def __init__(self, database: Database, *, holder: str, clock: Clock = utc_now) -> None:
        self._database = database
        self._leases = database["leases"]
        self._holder = holder
        self._clock = clock

    def take(self, name: str, seconds: float) -> bool:
        """Take a free lease, or prolong this process's own lease; return whether this process holds it."""
        now = self._clock()
        free = {"_id": name, "$or": [{"holder": self._holder}, {"expires_at": {"$lte": now}}]}
        fields = {"holder": self._holder, "expires_at": now + timedelta(seconds=seconds)}
        with self._database.bounded():
            holder = write_or_find(
                self._database,
                lambda: self._leases.update_one(free, {"$set": fields}, upsert=True),
                lambda: self._leases.find_one({"_id": name}),
            )
        return holder is None or holder["holder"] == self._holder

    def give_back(self, name: str) -> None:
        """End this process's lease."""
        with self._database.bounded():
            self._leases.delete_one({"_id": name, "holder": self._holder})
