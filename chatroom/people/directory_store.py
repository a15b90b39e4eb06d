"""Find users by the beginning of a name: at most one page, read from an index."""

from pymongo import ASCENDING

from chatroom.base.models import User
from chatroom.mongo.database import Database, Document, beginning_with
from chatroom.names import fold
from chatroom.people.fields import user_of
from chatroom.people.users_store import HERE

MOST_FOUND = 50


class DirectoryStore:
    """The users collection in the order of names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]

    def search(self, beginning: str) -> list[User]:
        """List at most 50 users. Matches of the display name come before matches of the user name."""
        named = self.list_named_like(beginning.strip(), MOST_FOUND) + self.list_like(beginning.strip(), "", MOST_FOUND)
        return list({user.id: user for user in named}.values())[:MOST_FOUND]

    def list_like(self, beginning: str, after: str, limit: int) -> list[User]:
        """List accounts, ordered by user name: the user names begin with `beginning`, and come later than `after`."""
        beyond = {"$gt": fold(after)} if after else {}
        return self._list("username_key", beginning_with(fold(beginning)) | beyond, limit)

    def list_named_like(self, beginning: str, limit: int) -> list[User]:
        """List accounts whose display name begins with a text, ordered by display name."""
        return self._list("display_name_key", beginning_with(fold(beginning)), limit)

    def _list(self, key: str, beginning: Document, limit: int) -> list[User]:
        with self._database.bounded():
            found = self._users.find({key: beginning, **HERE}).sort(key, ASCENDING).limit(limit)
            return [user_of(document) for document in found]
