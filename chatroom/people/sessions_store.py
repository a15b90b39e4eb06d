"""Sessions in the database. A session is found by the hash of its secret; the secret is not stored.

An ended session is marked, so that every process can learn of the end. An index removes the session later.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
from pymongo import ASCENDING, IndexModel

from chatroom.base.addresses import network_of
from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Session
from chatroom.mongo.database import Database, Document
from chatroom.mongo.records import record_of
from chatroom.people.tokens import SCOPES

KEPT_SECONDS = 3600
"""The time for which an expired session is kept. So a process that pauses still learns of its end."""
EARLIEST = datetime.min.replace(tzinfo=UTC)

INDEXES = [
    IndexModel([("user_id", ASCENDING), ("address", ASCENDING)]),
    IndexModel("ended_at", sparse=True),
    IndexModel("expires_at", expireAfterSeconds=KEPT_SECONDS),
]


class SessionStore:
    """The sessions collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._sessions = database["sessions"]
        self._clock = clock

    def add(self, session: Session) -> None:
        document = msgspec.structs.asdict(session)
        document["_id"] = document.pop("id")
        with self._database.bounded():
            self._sessions.insert_one(document)

    def find(self, session_id: str) -> Session | None:
        """Return the session with this id, unless it has ended or expired."""
        with self._database.bounded():
            document = self._sessions.find_one(self._valid({"_id": session_id}))
        return _session(document) if document else None

    def list_for(self, user_id: str) -> list[Session]:
        """Return the valid sessions of a user, the most recently used first."""
        with self._database.bounded():
            documents = list(self._sessions.find(self._valid({"user_id": user_id})))
        return sorted(map(_session, documents), key=lambda session: session.seen_at, reverse=True)

    def seen_at(self, user_ids: Collection[str]) -> dict[str, datetime]:
        """Return when each of these users last used the site in a browser, as far as sessions are kept."""
        if not user_ids:
            return {}
        match = {"user_id": {"$in": list(user_ids)}, "kind": "browser"}
        group = {"_id": "$user_id", "seen_at": {"$max": "$seen_at"}}
        with self._database.bounded():
            found = self._sessions.aggregate([{"$match": match}, {"$group": group}])
            return {each["_id"]: each["seen_at"] for each in found}

    def has_been_at(self, user_id: str, address: str) -> bool:
        """Return whether the user has recently logged in from the network of this address."""
        with self._database.bounded():
            known = self._sessions.find({"user_id": user_id}, {"_id": 0, "address": 1})
            return network_of(address) in {network_of(document["address"]) for document in known}

    def touch(self, session: Session) -> None:
        """Store `seen_at` and `expires_at` of a session, unless the session has ended."""
        seen = {"seen_at": session.seen_at, "expires_at": session.expires_at}
        with self._database.bounded():
            self._sessions.update_one({"_id": session.id, "ended_at": None}, {"$set": seen})

    def end(self, user_id: str, session_id: str) -> bool:
        """End a session of a user. Return False if the user has no such session."""
        return self._end({"user_id": user_id, "_id": session_id}) > 0

    def end_all(self, user_id: str, *, but: str = "", before: datetime | None = None) -> int:
        """End a user's sessions and tokens, except `but` and those that began after `before`. Return how many ended."""
        begun = {"created_at": {"$lte": before}} if before is not None else {}
        return self._end({"user_id": user_id, "_id": {"$ne": but}, **begun})

    def forget(self, user_id: str) -> None:
        """Remove the labels and addresses of ended sessions. The documents stay until all processes know of the end."""
        nowhere = {"label": "", "address": "", "expires_at": self._clock()}
        with self._database.bounded():
            self._sessions.update_many({"user_id": user_id, "ended_at": {"$gt": EARLIEST}}, {"$set": nowhere})

    def ended_since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Return the id and the end time of each session that ended after `moment`, the earliest end first.

        The times are from the database's clock. The end of a session may become visible late. So `moment` must be some
        seconds before the newest time that an earlier call returned.
        """
        with self._database.bounded():
            found = self._sessions.find({"ended_at": {"$gt": moment}}, {"ended_at": 1}).sort("ended_at", ASCENDING)
            return [(document["_id"], document["ended_at"]) for document in found]

    def _end(self, query: dict[str, Any]) -> int:
        # The database sets the time, because the clocks of the processes differ.
        with self._database.bounded():
            result = self._sessions.update_many({**query, "ended_at": None}, {"$currentDate": {"ended_at": True}})
        return result.modified_count

    def _valid(self, query: dict[str, Any]) -> dict[str, Any]:
        return {**query, "ended_at": None, "expires_at": {"$gt": self._clock()}}


def _session(document: Document) -> Session:
    # An old token without a list of scopes has all scopes.
    return record_of({"scopes": tuple(SCOPES), **document}, Session)
