"""The members of a room: list them, find them by name, and find administrators."""

from collections.abc import Collection, Iterable

import msgspec
from pymongo import ASCENDING

from chatroom.base.clock import Clock, utc_now
from chatroom.base.models import Person, Role, Room
from chatroom.messages.mentions import Addressee
from chatroom.mongo.database import Database, Document, beginning_with
from chatroom.names import beginning_of_part, fold
from chatroom.people.fields import SHOWN, person_of
from chatroom.people.users_store import find_people

MEMBERS_PAGE = 50
MOST_COUNTED = 10_000
MOST_MEMBERS = 500
"""The most members of a small room. The members of a larger room are looked for among all users."""
BATCH = 200
MOST_PROPOSED = 10
MOST_NAMED = 1000
"""The most members of a private room that a search for a name reads."""
NAME_KEYS = ("username_key", "display_name_key")
LISTED = SHOWN | {"role": 1, "username_key": 1}
NAMES = SHOWN | dict.fromkeys((*NAME_KEYS, "name_parts"), 1)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a room with the roles in this room and on the site."""

    person: Person
    role: Role
    site_role: Role = "member"


class MemberStore:
    """Read the memberships and users collections together."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._memberships = database["memberships"]
        self._users = database["users"]

    def list_page(self, room: Room, beginning: str = "", after: str = "") -> list[Member]:
        """Return at most `MEMBERS_PAGE` members by user name, and one more if there are more.

        `beginning` is the beginning of a part of a name; `after` is the user name of the last member that was shown.
        """
        key = beginning_of_part(beginning)
        if beginning.strip() and not key:
            return []
        query: Document = {"deleted_at": None, "username_key": {"$gt": fold(after)}}
        if key:
            query["name_parts"] = {"$elemMatch": beginning_with(key)}
        with self._database.bounded():
            some = list(self._memberships.find({"room": room.id, "removed_at": None}).limit(MOST_MEMBERS + 1))
            if len(some) > MOST_MEMBERS:
                return self._page_of_users(room, query)
            query["_id"] = {"$in": [membership["user"] for membership in some]}
            users = sorted(self._users.find(query, LISTED), key=lambda user: user["username_key"])
            return _members(users[: MEMBERS_PAGE + 1], some)

    def count(self, room: Room) -> int:
        """Return the number of members, at most `MOST_COUNTED`."""
        with self._database.bounded():
            return self._memberships.count_documents({"room": room.id, "removed_at": None}, limit=MOST_COUNTED)

    def find_named(self, room: Room, usernames: Collection[str]) -> list[Addressee]:
        """Return the people with these folded user names, and whether they are in the room.

        Nobody may be added to a direct conversation. A user who was removed from the room, or is banned from the site,
        is not proposed for it.
        """
        named = {"username_key": {"$in": list(usernames)}, "deleted_at": None}
        with self._database.bounded():
            users = list(self._users.find(named, SHOWN | {"banned_until": 1}))
            if not users:
                return []
            among = {"room": room.id, "user": {"$in": [user["_id"] for user in users]}}
            fields = {"user": 1, "removed_at": 1, "left_at": 1}
            memberships = {each["user"]: each for each in self._memberships.find(among, fields)}
        return [self._addressee(room, user, memberships.get(user["_id"])) for user in users]

    def list_like(
        self, room: Room, beginning: str, limit: int = MOST_PROPOSED, *, may_add: bool = False
    ) -> tuple[list[Person], list[Person]]:
        """Return members, and then others, of whose names a part starts with `beginning`: at most `limit` in all.

        In each list, user names that start with it come first, and display names that start with it second. Others are
        proposed in public rooms, and in a private room to those who `may_add` them.
        """
        key = beginning_of_part(beginning)
        if beginning.strip() and not key:
            return [], []
        start = fold(beginning.strip())
        with self._database.bounded():
            members = self._users_in(room, key)
            others: list[Document] = []
            if len(members) < limit and (room.kind == "public" or (may_add and room.kind == "private")):
                others = self._users_like(key, limit + len(members))
                among = {"room": room.id, "user": {"$in": [user["_id"] for user in others]}, "removed_at": None}
                ids = {each["user"] for each in self._memberships.find(among, {"user": 1})}
                known = {user["_id"] for user in members}
                # A large room has more members than were read.
                members += [user for user in others if user["_id"] in ids - known]
                others = [user for user in others if user["_id"] not in ids | known]
        for users in (members, others):
            users.sort(
                key=lambda user: ([not user[name].startswith(start) for name in NAME_KEYS], user["username_key"])
            )
        members = members[:limit]
        return [person_of(user) for user in members], [person_of(user) for user in others[: limit - len(members)]]

    def username_of(self, user_id: str) -> str:
        """Return the user name of an account, or "" for a deleted account."""
        with self._database.bounded():
            found = self._users.find_one({"_id": user_id}, {"username": 1})
        return found["username"] if found else ""

    def name_of(self, user_id: str) -> str:
        """Return the display name of an account, or "" for a deleted account."""
        with self._database.bounded():
            return find_people(self._users, [user_id]).get(user_id, Person(user_id, "")).name

    def has_another(self, user_id: str, room: Room) -> bool:
        return self._database.has("memberships", {"room": room.id, "user": {"$ne": user_id}, "removed_at": None})

    def has_another_administrator(self, user_id: str, room: Room) -> bool:
        """Return whether a member other than this user is an administrator of the room."""
        query = {"room": room.id, "role": "administrator", "user": {"$ne": user_id}, "removed_at": None}
        return self._database.has("memberships", query)

    def list_managed_by(self, user_id: str) -> list[str]:
        """Return the ids of the rooms in which this user is an administrator."""
        with self._database.bounded():
            found = self._memberships.find({"user": user_id, "role": "administrator", "removed_at": None}, {"room": 1})
            return [document["room"] for document in found]

    def find_heir(self, user_id: str, room: Room) -> str | None:
        """Choose the next administrator, never a bot: the moderator who joined first, or else the first member."""
        with self._database.bounded():
            others = {"room": room.id, "user": {"$ne": user_id}, "removed_at": None}
            found = list(self._memberships.find(others).sort("user", ASCENDING).limit(MOST_MEMBERS))
            ids = [document["user"] for document in found]
            query = {"_id": {"$in": ids}, "deleted_at": None, "is_bot": {"$ne": True}}
            people = {document["_id"] for document in self._users.find(query, {"_id": 1})}
        able = [document for document in found if document["user"] in people]
        able.sort(key=lambda document: (document.get("role", "member") == "member", document["joined_at"]))
        return able[0]["user"] if able else None

    def _page_of_users(self, room: Room, query: Document) -> list[Member]:
        """Look for members of a large room among the users, by user name."""
        found: list[Member] = []
        while len(found) <= MEMBERS_PAGE:
            users = list(self._users.find(query, LISTED).sort("username_key", ASCENDING).limit(BATCH))
            among = {"room": room.id, "user": {"$in": [user["_id"] for user in users]}, "removed_at": None}
            found += _members(users, self._memberships.find(among))
            if len(users) < BATCH:
                break
            query["username_key"] = {"$gt": users[-1]["username_key"]}
        return found[: MEMBERS_PAGE + 1]

    def _addressee(self, room: Room, user: Document, membership: Document | None) -> Addressee:
        if membership is not None and membership.get("removed_at") is None:
            return Addressee(person_of(user))
        was_removed = membership is not None and membership.get("left_at") is None
        banned_until = user.get("banned_until")
        is_banned = banned_until is not None and banned_until > self._clock()
        may_be_added = not (was_removed or is_banned or room.kind == "direct")
        return Addressee(person_of(user), is_in=False, may_be_added=may_be_added)

    def _users_like(self, key: str, limit: int) -> list[Document]:
        if key:
            like = {"name_parts": {"$elemMatch": beginning_with(key)}, "deleted_at": None}
            return list(self._users.find(like, NAMES).limit(limit))
        return list(self._users.find({"deleted_at": None}, NAMES).sort("username_key", ASCENDING).limit(limit))

    def _users_in(self, room: Room, key: str) -> list[Document]:
        memberships = self._memberships.find({"room": room.id, "removed_at": None}, {"_id": 0, "user": 1})
        ids = [each["user"] for each in memberships.limit(MOST_NAMED)]
        users = self._users.find({"_id": {"$in": ids}, "deleted_at": None}, NAMES)
        return [user for user in users if any(part.startswith(key) for part in user.get("name_parts", ("",)))]


def _members(users: Iterable[Document], memberships: Iterable[Document]) -> list[Member]:
    roles = {each["user"]: each.get("role", "member") for each in memberships}
    return [
        Member(person=person_of(user), role=roles[user["_id"]], site_role=user.get("role", "member"))
        for user in users
        if user["_id"] in roles
    ]
