"""Store presence leases.

A lease belongs to one process. The process renews all its leases in one write.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from pymongo import ASCENDING, IndexModel, WriteConcern
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Person
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import doubles

INDEXES = [
    IndexModel([("room", ASCENDING), ("expires_at", ASCENDING)]),
    IndexModel([("process", ASCENDING)]),
    IndexModel([("user.id", ASCENDING)]),
    IndexModel("expires_at", expireAfterSeconds=0, name="ttl"),
]
VISIT = timedelta(seconds=15)


class PresenceStore:
    """Read and write the leases of one process, and read the leases of other processes."""

    def __init__(self, database: Database, *, process: str, lease_seconds: float, clock: Clock = utc_now) -> None:
        self._database = database
        # A lost lease is soon written again, so these writes need no majority of the nodes.
        self._presences = database["presences"].with_options(
            write_concern=WriteConcern(w=1), read_concern=ReadConcern("local")
        )
        self._process = process
        self._lease = timedelta(seconds=lease_seconds)
        self._clock = clock

    def take(self, leases: Iterable[tuple[str, Person]]) -> None:
        """Write leases for people in rooms. While these people are connected, `renew` prolongs the leases."""
        self._take(self._process, leases, self._lease)

    def visit(self, room: str, person: Person) -> None:
        """Show a person without a connection (a user of a page or the API) as present for some seconds."""
        # This process name is not the name of a process, so no process renews the lease, and each engine reads it.
        self._take(f"{self._process}-pages", [(room, person)], VISIT)

    def renew(self) -> int:
        """Prolong all leases of this process, and count them."""
        with self._database.bounded():
            result = self._presences.update_many(
                {"process": self._process}, {"$set": {"expires_at": self._clock() + self._lease}}
            )
        return result.matched_count

    def end(self, leases: Iterable[tuple[str, str]]) -> None:
        """End the leases of people (room, user id) who left."""
        keys = [self._key(room, user_id) for room, user_id in leases]
        if keys:
            with self._database.bounded():
                self._presences.delete_many({"_id": {"$in": keys}})

    def end_all(self) -> None:
        """End all leases of this process when it stops."""
        with self._database.bounded():
            self._presences.delete_many({"process": self._process})

    def elsewhere(self, rooms: Collection[str]) -> dict[str, list[Person]]:
        """The people in these rooms who are connected to other processes."""
        people: dict[str, list[Person]] = {room: [] for room in rooms}
        for room, person, _ in self._find({"room": {"$in": list(rooms)}, "process": {"$ne": self._process}}):
            people[room].append(person)
        return people

    def mark_typing(self, typed: Iterable[tuple[str, str]], at: datetime | None) -> None:
        """Note in the leases of these people (room, user id) that they are typing, or (None) that they have stopped."""
        keys = [self._key(room, user_id) for room, user_id in typed]
        if keys:
            with self._database.bounded():
                mark = {"$set": {"typed_at": at}} if at else {"$unset": {"typed_at": ""}}
                self._presences.update_many({"_id": {"$in": keys}}, mark)

    def typing_elsewhere(self, rooms: Collection[str], within: timedelta) -> dict[str, list[tuple[Person, datetime]]]:
        """The people who typed recently in these rooms through other processes, with the time."""
        people: dict[str, list[tuple[Person, datetime]]] = {room: [] for room in rooms}
        typed = {"typed_at": {"$gt": self._clock() - within}}
        for room, person, at in self._find({"room": {"$in": list(rooms)}, "process": {"$ne": self._process}} | typed):
            people[room].append((person, at))
        return people

    def here(self, room: str) -> list[Person]:
        """The people in a room, without duplicates, sorted by name."""
        people = {person.id: person for _, person, _ in self._find({"room": room})}
        return sorted(people.values(), key=lambda person: person.name.casefold())

    def here_among(self, user_ids: Collection[str]) -> set[str]:
        """Return those of these users who have a page of any room open."""
        query = {"user.id": {"$in": list(user_ids)}, "expires_at": {"$gt": self._clock()}}
        if not user_ids:
            return set()
        with self._database.bounded():
            return set(self._presences.distinct("user.id", query))

    def _take(self, process: str, leases: Iterable[tuple[str, Person]], lasts: timedelta) -> None:
        until = self._clock() + lasts
        documents: list[Document] = [
            {
                "_id": f"{process}:{room}:{person.id}",
                "process": process,
                "room": room,
                "user": msgspec.to_builtins(person),
                "expires_at": until,
            }
            for room, person in leases
        ]
        if not documents:
            return
        with self._database.bounded():
            try:
                self._presences.insert_many(documents, ordered=False)
            except BulkWriteError as error:  # some leases exist already: prolong them, and update the names
                there = doubles(error)
                updates: list[tuple[Document, Document]] = [
                    ({"_id": each["_id"], "process": process}, {"$set": {"user": each["user"], "expires_at": until}})
                    for each in documents
                    if each["_id"] in there
                ]
                self._database.update_in_order(self._presences, updates)

    def _find(self, query: dict[str, object]) -> list[tuple[str, Person, Any]]:
        """The room, the person and the time of typing (None: never typed) of each lease that has not expired."""
        query = query | {"expires_at": {"$gt": self._clock()}}
        with self._database.bounded():
            found = list(self._presences.find(query, {"_id": 0, "room": 1, "user": 1, "typed_at": 1}))
        return [(each["room"], msgspec.convert(each["user"], Person), each.get("typed_at")) for each in found]

    def _key(self, room: str, user_id: str) -> str:
        return f"{self._process}:{room}:{user_id}"
