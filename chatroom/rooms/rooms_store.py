"""Rooms and who is in them.

A room is found through its member, so that the query is the permission.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel

from chatroom.base.access import Access
from chatroom.base.errors import SettingsError, Unavailable
from chatroom.base.models import Membership, Notify, Person, Room, Slug
from chatroom.mongo.database import Database, Document, beginning_with
from chatroom.mongo.unique import check_own, write_or_find
from chatroom.names import fold, is_former_direct, make_direct_slug, title_keys
from chatroom.people.fields import SHOWN, approval_state_of, person_of
from chatroom.site.acts_store import INDEX, Note, noted, noting

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
MEMBERSHIP_INDEXES = [
    IndexModel([("user", ASCENDING), ("room", ASCENDING)], unique=True),
    IndexModel([("room", ASCENDING), ("user", ASCENDING)]),
    # Few members have a role of their own: who manages a room is found without a look at the others.
    IndexModel(
        [("room", ASCENDING), ("role", ASCENDING)],
        partialFilterExpression={"role": {"$exists": True}},
        name="room_role",
    ),
    INDEX,
]
NAME_KEYS = ("username_key", "display_name_key")
NAMES = SHOWN | dict.fromkeys(NAME_KEYS, 1)
TRIES = 5
AT_ONCE = 300
"""Rooms that are changed in one round trip, each of which has its own bound."""
MOST_NAMED = 1000
"""Members of a private room among whom names are looked for, so that no question grows with the room."""

USER_FIELDS = SHOWN | dict.fromkeys(("role", "muted_until", "mute_reason", "deleted_at"), 1)
STANDING_FIELDS = dict.fromkeys(("created_at", "is_bot", "approved", "is_trusted", "held_at"), 1)


class RoomStore:
    """The rooms and memberships collections."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._rooms = database["rooms"]
        self._memberships = database["memberships"]
        self._users = database["users"]
        self._messages = database["messages"]
        self._clock = clock

    def ensure(self, room: Room) -> None:
        """Create a room unless it is there; a public one admits everybody who is signed in.

        Raises `SettingsError` where another room has its address: that is for whoever runs the site to put right.
        """
        fields = {"slug": room.slug, "title": room.title, "kind": room.kind, "created_at": self._clock()}
        document = {"_id": room.id, **fields, **_title_fields(room.title, is_public=room.kind == "public")}
        with self._database.bounded():
            if self._rooms.find_one({"_id": room.id}, {"_id": 1}) is None:
                holder = self._insert(document)
                if holder is not None and holder["_id"] != room.id:  # else another process was quicker
                    raise SettingsError(f"The room {holder['_id']} has the address {room.slug}: give it another slug.")
            # From before there were kinds, when `is_open` said the same.
            self._rooms.update_one(
                {"_id": room.id, "kind": None}, {"$set": {"kind": room.kind}, "$unset": {"is_open": ""}}
            )

    def find_access(self, user_id: str, slug: str) -> Access | None:
        """Find the room of that name among those that the user is a member of, and what they may do in it.

        A direct room is found by its former address too; its slug says what it is called now.
        """
        with self._database.bounded():
            room = self._find_named(slug)
            if room is None:
                return None
            membership = self._memberships.find_one({"user": user_id, "room": room["_id"], "removed_at": None})
            if membership is None:
                return None
            user = self._users.find_one({"_id": user_id}, USER_FIELDS | STANDING_FIELDS) or {}
        if user.get("deleted_at"):  # their last requests are still on the way
            return None
        mutes = [document for document in (membership, user) if document.get("muted_until")]
        mute = max(mutes, key=lambda document: document["muted_until"], default={})
        return Access(
            room=room_of(room),
            membership=membership_of(membership),
            site_role=user.get("role", "member"),
            person=person_of(user) if user else Person(user_id, ""),
            muted_until=mute.get("muted_until"),
            mute_reason=mute.get("mute_reason", ""),
            approval_state=approval_state_of(user, membership.get("role", "member")),
        )

    def moderated_by(self, user_id: str) -> list[str]:
        """The ids of the rooms in which the user has a role of the room's own that lets them moderate."""
        query = {"user": user_id, "role": {"$in": ["administrator", "moderator"]}}
        with self._database.bounded():
            return [document["room"] for document in self._memberships.find(query, {"room": 1})]

    def set_mute(
        self, user_id: str, room_id: str, until: datetime | None, reason: str, note: Note | None = None
    ) -> None:
        """Mute who is, or was, a member of a room until a moment; with None, no longer."""
        fields = {"muted_until": until, "mute_reason": reason}
        update = {"$set": fields} if until else {"$unset": fields}
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room_id}, noting(update, note))

    def mute_of(self, user_id: str, room_id: str) -> tuple[datetime | None, str]:
        """Until when somebody is muted in a room, and why."""
        with self._database.bounded():
            found = self._memberships.find_one({"user": user_id, "room": room_id}, {"muted_until": 1, "mute_reason": 1})
        return ((found or {}).get("muted_until"), (found or {}).get("mute_reason", ""))

    def find(self, room_id: str) -> Room | None:
        """Find a room by its id, whoever asks: for the engine, not for people."""
        with self._database.bounded():
            room = self._rooms.find_one({"_id": room_id})
        return room_of(room) if room else None

    def find_all(self, ids: Collection[str]) -> dict[str, Room]:
        """These rooms as they are now, by id."""
        with self._database.bounded():
            return {room["_id"]: room_of(room) for room in self._rooms.find({"_id": {"$in": list(ids)}})}

    def find_by_slug(self, slug: str) -> Room | None:
        """Find a room by its name in addresses, whoever asks."""
        with self._database.bounded():
            room = self._find_named(slug)
        return room_of(room) if room else None

    def start_clearing(self, room_id: str, sequence: int, note: Note | None = None) -> None:
        """Hide everything up to a sequence, and note that it is still to be erased."""
        with self._database.bounded():
            hidden = {"$max": {"cleared_sequence": sequence}, "$set": {"is_being_cleared": True}}
            self._rooms.update_one({"_id": room_id}, noting(hidden, note))

    def end_clearing(self, room: Room) -> None:
        """Note that all is erased; not if more was asked for meanwhile."""
        done = {"_id": room.id, "cleared_sequence": room.cleared_sequence}
        with self._database.bounded():
            self._rooms.update_one(done, {"$unset": {"is_being_cleared": ""}})

    def list_being_cleared(self) -> list[Room]:
        """The rooms in which something is still to be erased."""
        with self._database.bounded():
            return [room_of(document) for document in self._rooms.find({"is_being_cleared": True})]

    def slugs_of(self, ids: Collection[str]) -> dict[str, str]:
        """The names in addresses of these rooms, by their ids."""
        with self._database.bounded():
            found = self._rooms.find({"_id": {"$in": list(ids)}}, {"slug": 1})
            return {document["_id"]: document["slug"] for document in found}

    def list_ids(self) -> list[str]:
        """The ids of all rooms."""
        with self._database.bounded():
            return [document["_id"] for document in self._rooms.find({}, {"_id": 1})]

    def find_public(self, slug: str) -> Room | None:
        """Find a room that everybody may enter."""
        with self._database.bounded():
            room = self._rooms.find_one({"slug": slug, "kind": "public"})
        return room_of(room) if room else None

    def find_people(self, room: Room, usernames: Collection[str]) -> list[Person]:
        """Those of these folded user names who can read the room: its members, and everybody where it is public."""
        with self._database.bounded():
            named = {"username_key": {"$in": list(usernames)}, "deleted_at": None}
            found = [person_of(user) for user in self._users.find(named, NAMES)]
            if room.kind == "public" or not found:
                return found
            among = {"room": room.id, "user": {"$in": [person.id for person in found]}, "removed_at": None}
            ids = {membership["user"] for membership in self._memberships.find(among, {"user": 1})}
        return [person for person in found if person.id in ids]

    def people_like(self, room: Room, beginning: str, limit: int) -> list[Person]:
        """At most `limit` who can read the room and one of whose folded names begins like this, by that name."""
        found: dict[str, Person] = {}
        with self._database.bounded():
            users = self._users_like(beginning, limit) if room.kind == "public" else self._users_in(room)
        for key in NAME_KEYS:
            alike = [user for user in users if user[key].startswith(beginning)]
            found |= {user["_id"]: person_of(user) for user in sorted(alike, key=lambda user: str(user[key]))}
        return list(found.values())[:limit]

    def _users_like(self, beginning: str, limit: int) -> list[Document]:
        queries = [(key, {key: beginning_with(beginning), "deleted_at": None}) for key in NAME_KEYS]
        found = [self._users.find(query, NAMES).sort(key, ASCENDING).limit(limit) for key, query in queries]
        return [user for users in found for user in users]

    def _users_in(self, room: Room) -> list[Document]:
        memberships = self._memberships.find({"room": room.id, "removed_at": None}, {"_id": 0, "user": 1})
        ids = [each["user"] for each in memberships.limit(MOST_NAMED)]
        return list(self._users.find({"_id": {"$in": ids}, "deleted_at": None}, NAMES))

    def add(self, room: Room, created_by: str) -> bool:
        """Store a new room, whose maker is its administrator; False when its slug is taken."""
        fields = {name: value for name, value in msgspec.structs.asdict(room).items() if value and name != "id"}
        made = {"created_by": created_by, "created_at": self._clock()}
        made |= _title_fields(room.title, is_public=room.kind == "public")
        with self._database.bounded():
            # Before the room, so that there is no moment at which nobody could reach it.
            self._memberships.insert_one(
                {"user": created_by, "room": room.id, "role": "administrator", "joined_at": self._clock()}
            )
            holder = self._insert({"_id": room.id, **fields, **made})
            if holder is not None and (holder["_id"], holder.get("created_by")) != (room.id, created_by):
                self._memberships.delete_one({"user": created_by, "room": room.id})
                return False
        return True

    def find_direct(self, room_id: str, people: Sequence[str]) -> Room | None:
        """The direct room with this id; raise `Unavailable` where it is not one of exactly these people."""
        with self._database.bounded():
            document = self._rooms.find_one({"_id": room_id})
        check_own(document, kind="direct", people=list(people))
        return room_of(document) if document else None

    def add_direct(self, room_id: str, people: Sequence[str]) -> Room:
        """Store a direct room and those who are in it, unless they are there; its id is made of its people."""
        made = {"_id": room_id, "title": "", "kind": "direct", "people": list(people), "created_at": self._clock()}
        for _ in range(TRIES):
            with self._database.bounded():
                holder = self._insert({**made, "slug": make_direct_slug()})
            if holder is None or holder["_id"] == room_id:  # another of them may have made it at the same moment
                break
        room = self.find_direct(room_id, people)
        if room is None:
            raise Unavailable("The conversation could not be made. Please try again.")
        for person in people:
            self.admit(person, room)
        return room

    def count_made_by(self, user_id: str, most: int) -> int:
        """How many rooms a user has made; no more than `most` are counted."""
        with self._database.bounded():
            return self._rooms.count_documents({"created_by": user_id}, limit=max(most, 1))

    def change(self, room_id: str, fields: Document, note: Note | None = None, *, is_public: bool = False) -> None:
        """Give a room other settings."""
        if "title" in fields:
            fields = {**fields, **_title_fields(fields["title"], is_public=is_public)}
        with self._database.bounded():
            self._rooms.update_one({"_id": room_id}, noting({"$set": fields}, note))

    def has_title(self, title: str, *, but: str = "") -> bool:
        """Whether a public room, but this one, is called so, or so that it looks the same."""
        with self._database.bounded():
            taken = {"title_keys": {"$in": title_keys(title)}, "_id": {"$ne": but}}
            return self._rooms.find_one(taken, {"_id": 1}) is not None

    def key_titles(self) -> None:
        """Give public rooms of before the keys of their titles. It can be done again, and by several at once."""
        last: str | None = ""
        while last is not None:
            last = self._key_some(last)

    def _key_some(self, after: str) -> str | None:
        query = {"kind": "public", "title_keys": None, "_id": {"$gt": after}}
        with self._database.bounded():
            found = list(self._rooms.find(query, {"title": 1}).sort("_id", ASCENDING).limit(AT_ONCE))
            updates: list[tuple[Document, Document]] = [
                (room, {"$set": {"title_keys": title_keys(room["title"])}}) for room in found
            ]
            self._database.update_in_order(self._rooms, updates)
        return found[-1]["_id"] if found else None

    def list_public(self, after: tuple[str, str], limit: int) -> list[tuple[Room, tuple[str, str]]]:
        """Public rooms that are not archived, by title, each with its place; those after a place."""
        title_key, room_id = after
        query = {
            "kind": "public",
            "archived_at": None,
            "$or": [{"title_key": {"$gt": title_key}}, {"title_key": title_key, "_id": {"$gt": room_id}}],
        }
        with self._database.bounded():
            found = self._rooms.find(query).sort([("kind", ASCENDING), ("title_key", ASCENDING), ("_id", ASCENDING)])
            return [(room_of(room), (room["title_key"], room["_id"])) for room in found.limit(limit)]

    def find_memberships(self, user_id: str, room_ids: Sequence[str]) -> set[str]:
        """Which of these rooms a user is in."""
        with self._database.bounded():
            found = self._memberships.find(
                {"user": user_id, "room": {"$in": list(room_ids)}, "removed_at": None}, {"room": 1}
            )
            return {document["room"] for document in found}

    def list_retaining(self) -> list[tuple[Room, int]]:
        """The rooms that delete what is old, each with the sequence up to which all is deleted."""
        with self._database.bounded():
            found = self._rooms.find({"retention_days": {"$gt": 0}})
            return [(room_of(room), room.get("retained_after", 0)) for room in found]

    def retained_after(self, room_id: str) -> int:
        """The sequence up to which all is deleted, because it was too old."""
        with self._database.bounded():
            room = self._rooms.find_one({"_id": room_id}, {"retained_after": 1})
        return room.get("retained_after", 0) if room else 0

    def preferences(self, room_id: str, user_ids: Collection[str]) -> dict[str, Notify]:
        """What those of these users who are members want to be told of in a room."""
        query = {"room": room_id, "user": {"$in": list(user_ids)}, "removed_at": None}
        with self._database.bounded():
            found = list(self._memberships.find(query, {"_id": 0, "user": 1, "notify": 1}))
        return {document["user"]: document.get("notify", "mentions") for document in found}

    def set_wish(self, user_id: str, room_id: str, notify: Notify) -> None:
        """Change what a member wants to be told of in a room."""
        with self._database.bounded():
            self._memberships.update_one({"user": user_id, "room": room_id}, {"$set": {"notify": notify}})

    def admit(self, user_id: str, room: Room, note: Note | None = None) -> None:
        """Make a user a member, who begins to read at the room's end; one who is already stays one."""
        with self._database.bounded():
            known = self._memberships.find_one({"user": user_id, "room": room.id}, {"left_at": 1})
            if known is not None and known.get("left_at") is None:
                return
            newest = self._messages.find_one(
                {"room": room.id}, {"sequence": 1}, sort=[("room", DESCENDING), ("sequence", DESCENDING)]
            )
            fields = {"joined_at": self._clock(), "read_sequence": newest["sequence"] if newest else 0}
            if known is not None:
                self._memberships.update_one(
                    {"user": user_id, "room": room.id, "left_at": known["left_at"]},
                    {"$set": fields, "$unset": {"removed_at": "", "left_at": ""}},
                )
                return
            member = {"user": user_id, "room": room.id}
            # What may be in the way is the same member, admitted by another request at the same moment.
            write_or_find(
                self._database,
                lambda: self._memberships.update_one(member, {"$setOnInsert": noted(fields, note)}, upsert=True),
                lambda: self._memberships.find_one(member),
            )

    def mark_read(self, user_id: str, room_id: str, sequence: int) -> bool:
        """Move a member's read position forward; False when it is there, or further, already."""
        with self._database.bounded():
            result = self._memberships.update_one(
                {"user": user_id, "room": room_id}, {"$max": {"read_sequence": sequence}}
            )
        return result.modified_count > 0

    def _find_named(self, slug: str) -> Document | None:
        found = self._rooms.find_one({"slug": slug})
        return self._rooms.find_one({"former_slug": slug}) if found is None and is_former_direct(slug) else found

    def _insert(self, room: Document) -> Document | None:
        """Store a new room; None, or the room that has its id or its slug."""
        return write_or_find(
            self._database,
            lambda: self._rooms.insert_one(room),
            lambda: self._rooms.find_one({"$or": [{"_id": room["_id"]}, {"slug": room["slug"]}]}),
        )


def _title_fields(title: str, *, is_public: bool) -> Document:
    return {"title_key": fold(title), **({"title_keys": title_keys(title)} if is_public else {})}


def room_of(document: Document) -> Room:
    """The room that a document is."""
    return Room(
        id=document["_id"],
        slug=Slug(document["slug"]),
        title=document["title"],
        kind=document["kind"],
        topic=document.get("topic", ""),
        is_read_only=document.get("is_read_only", False),
        slow_seconds=document.get("slow_seconds", 0),
        retention_days=document.get("retention_days", 0),
        archived_at=document.get("archived_at"),
        cleared_sequence=document.get("cleared_sequence", 0),
        people=tuple(document.get("people", ())),
        former_slug=document.get("former_slug", ""),
    )


def membership_of(document: Document) -> Membership:
    """The membership that a document is."""
    return Membership(
        user_id=document["user"],
        room_id=document["room"],
        role=document.get("role", "member"),
        read_sequence=document.get("read_sequence", 0),
        notify=document.get("notify", "mentions"),
    )
