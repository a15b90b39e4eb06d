"""Lists of people, found by the start of their names: a range of an index, at most one page."""

from pymongo import ASCENDING

from chatroom.base.models import User
from chatroom.mongo.database import Database, beginning_with
from chatroom.names import fold
from chatroom.people.fields import user_of
from chatroom.people.users_store import HERE

MOST_FOUND = 50


class DirectoryStore:
    """The users collection, in order."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]

    def search(self, beginning: str) -> list[User]:
        """People one of whose names begins like this, by name; at most 50."""
        found: dict[str, User] = {}
        with self._database.bounded():
            for key in ("display_name_key", "username_key"):
                query = {key: beginning_with(fold(beginning.strip())), **HERE}
                for document in self._users.find(query).sort(key, ASCENDING).limit(MOST_FOUND):
                    found.setdefault(document["_id"], user_of(document))
        return list(found.values())[:MOST_FOUND]

    def list_like(self, beginning: str, after: str, limit: int) -> list[User]:
        """Accounts whose user name begins like this, beyond one name, by user name."""
        first = fold(beginning)
        beyond = {"$gt": fold(after)} if after else {}
        query = {"username_key": {**beginning_with(first), **beyond}, **HERE}
        with self._database.bounded():
            return [user_of(each) for each in self._users.find(query).sort("username_key", ASCENDING).limit(limit)]

    def list_named_like(self, beginning: str, limit: int) -> list[User]:
        """Accounts whose display name begins like this, by display name."""
        query = {"display_name_key": beginning_with(fold(beginning)), **HERE}
        with self._database.bounded():
            return [user_of(each) for each in self._users.find(query).sort("display_name_key", ASCENDING).limit(limit)]
