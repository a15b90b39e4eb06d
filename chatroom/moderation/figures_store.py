"""The figures of the site, and of its public and private rooms. No text of a message is read.

The counts of a room are bounded, because counting must not make the page of all rooms slow.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, DESCENDING

from chatroom.base.clock import utc_now
from chatroom.base.models import Person, Room
from chatroom.mongo.database import Database, Document, beginning_with
from chatroom.names import fold
from chatroom.people.users_store import find_people
from chatroom.rooms.rooms_store import room_of

PAGE = 25
KINDS = ["public", "private"]
MOST_COUNTED = 100_000
"""The largest count of members or messages of a room."""
MOST_NAMED = 5
"""The maximum number of listed administrators of a room."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the site. With mongomock, `stored_bytes` is 0, and `database` is `in memory`."""

    people: int
    rooms: int
    messages: int
    files: int
    reports: int
    held: int
    here: int
    stored_bytes: int
    database: str
    complaint: str
    """The known problem of the database's release, or ""."""


class SiteRoom(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a room. `messages` includes deleted messages, but not cleared ones."""

    room: Room
    created_at: datetime
    members: int
    messages: int
    file_bytes: int
    last_at: datetime | None
    managers: tuple[Person, ...]
    place: tuple[str, str]
    """The key of the title, and the id. The next page of the list starts after this place."""


class SiteRoomStore:
    """Finds rooms, and counts their members, messages and files."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._memberships = database["memberships"]
        self._messages = database["messages"]
        self._files = database["files.files"]
        self._users = database["users"]

    def list_like(self, beginning: str, after: tuple[str, str], limit: int) -> list[SiteRoom]:
        """Return rooms whose titles start with `beginning`, in order of title, after a place (title key, room id)."""
        title_key, room_id = after
        query = {
            "kind": {"$in": KINDS},
            "title_key": beginning_with(fold(beginning)),
            "$or": [{"title_key": {"$gt": title_key}}, {"title_key": title_key, "_id": {"$gt": room_id}}],
        }
        with self._database.bounded():
            found = self._rooms.find(query).sort([("title_key", ASCENDING), ("_id", ASCENDING)]).limit(limit)
            return self._counted(found)

    def find(self, slug: str) -> SiteRoom | None:
        """Find the room with this slug."""
        with self._database.bounded():
            return next(iter(self._counted(self._rooms.find({"slug": slug, "kind": {"$in": KINDS}}))), None)

    def _counted(self, found: Iterable[Document]) -> list[SiteRoom]:
        rooms = list(found)
        ids = [room["_id"] for room in rooms]
        managers, sizes = self._managers(ids), self._file_bytes(ids)
        return [
            SiteRoom(
                room=room_of(room),
                created_at=room["created_at"],
                members=self._memberships.count_documents(
                    {"room": room["_id"], "removed_at": None}, limit=MOST_COUNTED
                ),
                messages=self._count_messages(room),
                file_bytes=sizes.get(room["_id"], 0),
                last_at=self._last_at(room["_id"]),
                managers=tuple(managers.get(room["_id"], ())),
                place=(room["title_key"], room["_id"]),
            )
            for room in rooms
        ]

    def _count_messages(self, room: Document) -> int:
        # The index alone gives this count. Without the deleted messages, MongoDB would have to read every document.
        query = {"room": room["_id"], "sequence": {"$gt": room.get("cleared_sequence", 0)}}
        return self._messages.count_documents(query, limit=MOST_COUNTED)

    def _last_at(self, room_id: str) -> datetime | None:
        newest = [("room", DESCENDING), ("sequence", DESCENDING)]
        found = self._messages.find_one({"room": room_id}, {"_id": 0, "sent_at": 1}, sort=newest)
        return found["sent_at"] if found else None

    def _file_bytes(self, ids: Collection[str]) -> dict[str, int]:
        pipeline: list[Document] = [
            {"$match": {"metadata.room": {"$in": list(ids)}}},
            {"$group": {"_id": "$metadata.room", "bytes": {"$sum": "$length"}}},
        ]
        return {document["_id"]: document["bytes"] for document in self._files.aggregate(pipeline)}

    def _managers(self, ids: Collection[str]) -> dict[str, list[Person]]:
        found = self._memberships.find(
            {"room": {"$in": list(ids)}, "role": "administrator", "removed_at": None}, {"room": 1, "user": 1}
        )
        rooms: dict[str, list[str]] = {}
        for each in found:
            rooms.setdefault(each["room"], []).append(each["user"])
        wanted = {user for users in rooms.values() for user in users[:MOST_NAMED]}
        people = find_people(self._users, wanted)
        return {room: [people[user] for user in users[:MOST_NAMED] if user in people] for room, users in rooms.items()}


def read_overview(database: Database) -> Overview:
    """Read the figures; some are estimates."""
    with database.bounded():
        here = database["presences"].distinct("user.id", {"expires_at": {"$gt": utc_now()}})
        gone = database["users"].count_documents({"deleted_at": {"$gt": datetime.min.replace(tzinfo=UTC)}})
        try:
            stats = database.client[database.name].command("dbStats")
            version = "MongoDB " + database.client.server_info()["version"]
        except NotImplementedError:  # mongomock
            stats, version = {}, "in memory"
        return Overview(
            people=database["users"].estimated_document_count() - gone,
            rooms=database["rooms"].estimated_document_count(),
            messages=_count_written(database),
            files=database["files.files"].estimated_document_count(),
            reports=database["reports"].count_documents({"is_open": True}),
            held=database["held"].count_documents({"state": "waiting"}),
            here=len(here),
            stored_bytes=int(stats.get("storageSize", 0) + stats.get("indexSize", 0)),
            database=version,
            complaint=database.complaint(),
        )


def _count_written(database: Database) -> int:
    """Count what people wrote, without event lines. On a large site, return an estimate with these lines."""
    estimate = database["messages"].estimated_document_count()
    if estimate >= MOST_COUNTED:
        return estimate
    return database["messages"].count_documents({"kind": {"$ne": "event"}})
