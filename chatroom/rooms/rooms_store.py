"""Rooms: their names, addresses and settings.

This module does not check access. Requests of users use `access_store`.
"""

from collections.abc import Collection

import msgspec
from pymongo import ASCENDING, IndexModel
from pymongo.collection import Collection as Documents

from chatroom.base.clock import Clock, utc_now
from chatroom.base.errors import SettingsError
from chatroom.base.models import Room
from chatroom.mongo.database import Database, Document
from chatroom.mongo.unique import write_or_find
from chatroom.names import fold, is_former_direct, title_keys
from chatroom.rooms.memberships_store import notify_of_new_room
from chatroom.site.acts_store import INDEX, Note, noting, taking_back
from chatroom.site.upgrades import Changed, ignore

INDEXES = [
    IndexModel("slug", unique=True),
    IndexModel([("kind", ASCENDING), ("title_key", ASCENDING), ("_id", ASCENDING)]),
    IndexModel("created_by", sparse=True),
    IndexModel("retention_days", sparse=True),
    IndexModel("is_being_cleared", sparse=True),
    IndexModel("former_slug", sparse=True),
    INDEX,
    IndexModel("title_keys", sparse=True),
]
AT_ONCE = 300
"""The number of rooms that one round trip changes."""


class RoomStore:
    """The rooms collection."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._memberships = database["memberships"]
        self._users = database["users"]
        self._clock = clock

    def ensure(self, room: Room) -> None:
        """Create a room unless it exists. Raises `SettingsError` if another room has its address."""
        fields = {"slug": room.slug, "title": room.title, "kind": room.kind, "created_at": self._clock()}
        document = {"_id": room.id, **fields, **_title_fields(room.title, is_public=room.kind == "public")}
        with self._database.bounded():
            if self._rooms.find_one({"_id": room.id}, {"_id": 1}) is None:
                holder = insert_or_find(self._database, document)
                if holder is not None and holder["_id"] != room.id:
                    raise SettingsError(f"The room {holder['_id']} has the address {room.slug}: give it another slug.")
            # Rooms of former versions have `is_open` instead of `kind`.
            self._rooms.update_one(
                {"_id": room.id, "kind": None}, {"$set": {"kind": room.kind}, "$unset": {"is_open": ""}}
            )

    def find(self, room_id: str) -> Room | None:
        return _find(self._database, {"_id": room_id})

    def find_by_slug(self, slug: str) -> Room | None:
        """Find a room by its slug, or a direct conversation by its former slug."""
        with self._database.bounded():
            room = find_named(self._rooms, slug)
        return room_of(room) if room else None

    def find_public(self, slug: str) -> Room | None:
        return _find(self._database, {"slug": slug, "kind": "public"})

    def slugs_of(self, ids: Collection[str]) -> dict[str, str]:
        with self._database.bounded():
            found = self._rooms.find({"_id": {"$in": list(ids)}}, {"slug": 1})
            return {document["_id"]: document["slug"] for document in found}

    def list_ids(self) -> list[str]:
        with self._database.bounded():
            return [document["_id"] for document in self._rooms.find({}, {"_id": 1})]

    def add(self, room: Room, created_by: str) -> bool:
        """Store a new room, with its creator as administrator. Return False if the slug is taken."""
        fields = {name: value for name, value in msgspec.structs.asdict(room).items() if value and name != "id"}
        made = {"created_by": created_by, "created_at": self._clock()}
        made |= _title_fields(room.title, is_public=room.kind == "public")
        with self._database.bounded():
            # Store the membership before the room, so that the room always has a member.
            chosen = notify_of_new_room(self._users, created_by)
            self._memberships.insert_one(
                {"user": created_by, "room": room.id, "role": "administrator", "joined_at": self._clock(), **chosen}
            )
            holder = insert_or_find(self._database, {"_id": room.id, **fields, **made})
            if holder is not None and (holder["_id"], holder.get("created_by")) != (room.id, created_by):
                self._memberships.delete_one({"user": created_by, "room": room.id})
                return False
        return True

    def count_made_by(self, user_id: str, most: int) -> int:
        """Return the number of rooms that a user has created; stop counting at `most`."""
        with self._database.bounded():
            return self._rooms.count_documents({"created_by": user_id}, limit=max(most, 1))

    def change(self, room_id: str, fields: Document, note: Note | None = None, *, is_public: bool = False) -> None:
        if "title" in fields:
            fields = {**fields, **_title_fields(fields["title"], is_public=is_public)}
        with self._database.bounded():
            self._rooms.update_one({"_id": room_id}, noting({"$set": fields}, note))

    def undo_change(self, room: Room, fields: Document, note: Note | None = None, *, is_public: bool = False) -> None:
        """Restore the fields of a room that `change` has set, and remove the note of the act.

        A field that has changed again since stays as it is.
        """
        before = {name: getattr(room, name) for name in fields}
        if "title" in fields:
            before |= _title_fields(room.title, is_public=is_public)
        with self._database.bounded():
            self._rooms.update_one({"_id": room.id, **fields}, taking_back({"$set": before}, note))

    def remove(self, room_id: str) -> None:
        """Delete a room that was just created, with its memberships."""
        with self._database.bounded():
            self._rooms.delete_one({"_id": room_id})
            self._memberships.delete_many({"room": room_id})

    def has_title(self, title: str, *, but: str = "") -> bool:
        """Return whether a public room other than `but` has this title, or a title that looks the same."""
        return self._database.has("rooms", {"title_keys": {"$in": title_keys(title)}, "_id": {"$ne": but}})

    def key_titles(self, changed: Changed = ignore) -> None:
        """Add the keys of titles to public rooms that older versions created. Several processes may do this at once."""
        while count := self._key_some():
            changed(count)

    def _key_some(self) -> int:
        with self._database.bounded():
            found = list(self._rooms.find({"kind": "public", "title_keys": None}, {"title": 1}).limit(AT_ONCE))
            updates: list[tuple[Document, Document]] = [
                (room, {"$set": {"title_keys": title_keys(room["title"])}}) for room in found
            ]
            self._database.update_in_order(self._rooms, updates)
        return len(found)


def find_named(rooms: Documents[Document], slug: str) -> Document | None:
    """Return the document of the room with this slug, or of the direct conversation with this former slug."""
    found = rooms.find_one({"slug": slug})
    return rooms.find_one({"former_slug": slug}) if found is None and is_former_direct(slug) else found


def insert_or_find(database: Database, room: Document) -> Document | None:
    """Store a new room and return None; if another room has its id or slug, return that room."""
    return write_or_find(
        database,
        lambda: database["rooms"].insert_one(room),
        lambda: database["rooms"].find_one({"$or": [{"_id": room["_id"]}, {"slug": room["slug"]}]}),
    )


def _find(database: Database, query: Document) -> Room | None:
    with database.bounded():
        room = database["rooms"].find_one(query)
    return room_of(room) if room else None


def _title_fields(title: str, *, is_public: bool) -> Document:
    return {"title_key": fold(title), **({"title_keys": title_keys(title)} if is_public else {})}


def room_of(document: Document) -> Room:
    return msgspec.convert({**document, "id": document["_id"], "kind": document["kind"]}, Room)
