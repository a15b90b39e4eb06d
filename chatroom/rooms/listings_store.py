"""List rooms: the rooms of a user with unread counts, and the public rooms.

Counts are bounded. Only rooms with new messages need a count.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from pymongo import ASCENDING

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Membership, Person, Room, RoomEntry
from chatroom.messages.log_store import last_of, newest_of
from chatroom.mongo.database import Database, Document
from chatroom.people.users_store import find_people
from chatroom.rooms.memberships_store import membership_of
from chatroom.rooms.rooms_store import room_of

MOST_ROOMS = 500
MOST_UNREAD = 100
"""The highest count of unread messages in a room. The page then shows "99+"."""
MOST_MENTIONS = 1000
UNTITLED = "Just you"
PAGE = 50
MOST_SHOWN = 100


class PublicRoom(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the list of public rooms. The next page of the list begins after the `place` of the last entry."""

    room: Room
    is_member: bool
    members: int
    """The number of members, at most `MOST_SHOWN`."""
    place: tuple[str, str]


class ListingStore:
    """Read the rooms, memberships and messages collections together."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._rooms = database["rooms"]
        self._memberships = database["memberships"]
        self._messages = database["messages"]
        self._users = database["users"]

    def list_for(self, user_id: str) -> list[RoomEntry]:
        """Return at most 500 rooms of a user, sorted by title."""
        with self._database.bounded():
            now = self._clock()
            found = self._memberships.find({"user": user_id, "removed_at": None}).limit(MOST_ROOMS)
            memberships = {document["room"]: membership_of(document, now) for document in found}
            rooms = [room_of(document) for document in self._rooms.find({"_id": {"$in": list(memberships)}})]
            newest = newest_of(self._messages, memberships)
            last = self._last_of(rooms, memberships)
            unread = {
                room: _unread(membership, newest[room])
                for room, membership in memberships.items()
                if newest.get(room, 0) > membership.read_sequence
            }
            mentions = self._count_mentions(user_id, unread)
            people = find_people(self._users, (id for room in rooms for id in room.people))
            entries = [
                RoomEntry(
                    room=room,
                    membership=memberships[room.id],
                    title=title_for(user_id, room, people),
                    unread=self._count_unread(memberships[room.id], unread[room.id]) if room.id in unread else 0,
                    mentions=mentions.get(room.id, 0),
                    revision=newest.get(room.id, 0),
                    people=tuple(people.get(id) or Person(id, "") for id in room.people if id != user_id),
                    newest=last[room.id][1] if room.id in last else "",
                    newest_sequence=last[room.id][0] if room.id in last else 0,
                )
                for room in rooms
            ]
        return sorted(entries, key=lambda entry: (entry.title.casefold(), entry.room.id))

    def rooms_of(self, user_id: str) -> list[Room]:
        """Return at most 500 rooms of a user, without unread counts. Each room has the title that the user sees."""
        with self._database.bounded():
            found = self._memberships.find({"user": user_id, "removed_at": None}, {"room": 1}).limit(MOST_ROOMS)
            ids = [document["room"] for document in found]
            rooms = [room_of(document) for document in self._rooms.find({"_id": {"$in": ids}})]
            people = find_people(self._users, (id for room in rooms for id in room.people))
        return [msgspec.structs.replace(room, title=title_for(user_id, room, people)) for room in rooms]

    def title_of(self, user_id: str, room: Room) -> str:
        """Return the title of a room for a member."""
        with self._database.bounded():
            return title_for(user_id, room, find_people(self._users, room.people))

    def list_public(self, user_id: str, after: tuple[str, str] = ("", "")) -> list[PublicRoom]:
        """Return the next public rooms in the order of titles, at most 50. Omit archived rooms.

        `after` is the `place` of the last room that was listed.
        """
        title_key, room_id = after
        query = {
            "kind": "public",
            "archived_at": None,
            "$or": [{"title_key": {"$gt": title_key}}, {"title_key": title_key, "_id": {"$gt": room_id}}],
        }
        order = [("kind", ASCENDING), ("title_key", ASCENDING), ("_id", ASCENDING)]
        with self._database.bounded():
            found = list(self._rooms.find(query).sort(order).limit(PAGE))
            own = {"user": user_id, "room": {"$in": [room["_id"] for room in found]}, "removed_at": None}
            mine = {document["room"] for document in self._memberships.find(own, {"room": 1})}
            return [
                PublicRoom(
                    room=room_of(room),
                    is_member=room["_id"] in mine,
                    members=self._memberships.count_documents(_members_of(room["_id"]), limit=MOST_SHOWN),
                    place=(room["title_key"], room["_id"]),
                )
                for room in found
            ]

    def _last_of(self, rooms: Iterable[Room], memberships: Mapping[str, Membership]) -> dict[str, tuple[int, str]]:
        """Return the last message of each room whose place in the list depends on it."""
        ids = [room.id for room in rooms if room.kind == "direct" or memberships[room.id].hidden_to is not None]
        return last_of(self._messages, ids) if ids else {}

    def _count_unread(self, membership: Membership, unread: Document) -> int:
        """Count messages by others, and the message that the user marked as unread, also if it is the user's own.

        Event lines count only if they mention the user.
        """
        written, me = {"kind": {"$ne": "event"}}, membership.user_id
        by_others, marked = {"author.id": {"$ne": me}} | written, {"sequence": membership.unread_from} | written
        query = unread | {"$or": [by_others, marked, {"kind": "event", "mentions": me}]}
        return len(list(self._messages.find(query, {"_id": 1}).sort("sequence", ASCENDING).limit(MOST_UNREAD)))

    def _count_mentions(self, user_id: str, unread: Mapping[str, Document]) -> dict[str, int]:
        if not unread:
            return {}
        me = {"$in": [user_id, "room"]}
        query = {"$or": [part for each in unread.values() for part in (each | {"mentions": me}, _edited(each, me))]}
        return Counter(document["room"] for document in self._messages.find(query, {"room": 1}).limit(MOST_MENTIONS))


def _members_of(room_id: str) -> Document:
    return {"room": room_id, "removed_at": None}


def title_for(user_id: str, room: Room, people: Mapping[str, Person]) -> str:
    """Return the title of a room for a member. For a direct conversation, this is the names of the other members."""
    if room.kind != "direct":
        return room.title
    others = (people[id].name for id in room.people if id != user_id and id in people)
    return ", ".join(sorted(others, key=str.casefold)) or UNTITLED


def _edited(unread: Document, me: Document) -> Document:
    """Return the query for read messages that an edit after the read position has addressed to the user."""
    read_to = unread["sequence"]["$gt"]
    when = {"sequence": {"$lte": read_to}, "text_revision": {"$gt": read_to}}
    return {"room": unread["room"], "new_mentions": me, **when, "deleted_at": None}


def _unread(membership: Membership, revision: int) -> Document:
    # Count only up to `revision`, because clients count later messages themselves.
    return {
        "room": membership.room_id,
        "sequence": {"$gt": membership.read_sequence, "$lte": revision},
        "deleted_at": None,
    }
