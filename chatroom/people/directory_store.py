"""Find users by the beginning of a part of a name: at most one page, read from an index."""

from collections import defaultdict
from collections.abc import Sequence

from pymongo import ASCENDING

from chatroom.base.models import User
from chatroom.mongo.database import Database, Document, beginning_with
from chatroom.names import RULE_VERSION, beginning_of_part, fold, name_parts, person_keys
from chatroom.people.fields import user_of
from chatroom.people.users_store import HERE
from chatroom.site.upgrades import Changed, ignore

MOST_FOUND = 50
AT_ONCE = 300


class DirectoryStore:
    """The users collection in the order of names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = database["users"]

    def search(self, beginning: str) -> list[User]:
        """List at most 50 users, by display name."""
        named = self.list_named_like(beginning.strip(), MOST_FOUND) + self.list_like(beginning.strip(), "", MOST_FOUND)
        return list({user.id: user for user in named}.values())[:MOST_FOUND]

    def list_like(self, beginning: str, after: str, limit: int) -> list[User]:
        """List accounts, ordered by user name: the user names begin with `beginning`, and come later than `after`."""
        beyond = {"$gt": fold(after)} if after else {}
        return self._list("username_key", beginning_with(fold(beginning)) | beyond, limit)

    def list_named_like(self, beginning: str, limit: int) -> list[User]:
        """List accounts of which a part of a name begins with a text, with or without accents, by display name."""
        key = beginning_of_part(beginning)
        if not key:
            return [] if beginning.strip() else self._list("display_name_key", beginning_with(""), limit)
        with self._database.bounded():
            found = list(self._users.find({"name_parts": {"$elemMatch": beginning_with(key)}, **HERE}).limit(limit))
        return [user_of(user) for user in sorted(found, key=lambda user: str(user["display_name_key"]))]

    def find_named(self, name: str) -> list[User]:
        """List the account with this name; or those that have the name as a word; or those that are named like it."""
        exact: Document = {"$or": [{"username_key": fold(name)}, {"display_name_key": fold(name)}]}
        with self._database.bounded():
            if found := self._users.find_one(exact | HERE):
                return [user_of(found)]
        alike, word = self.list_named_like(name, MOST_FOUND), beginning_of_part(name)
        return [user for user in alike if _has_word(user, word)] or alike

    def administrators(self, limit: int) -> list[User]:
        """List administrators of the site, without bots."""
        people: Document = {"role": "administrator", "is_bot": None, **HERE}
        with self._database.bounded():
            return [user_of(document) for document in self._users.find(people).limit(limit)]

    def renew_names(self, changed: Changed = ignore) -> None:
        """Add the parts and the keys of names to accounts of older versions. Several processes may do this at once."""
        while count := self._renew_some():
            changed(count)

    def _renew_some(self) -> int:
        with self._database.bounded():
            found = list(self._users.find({"name_parts": None, **HERE}).limit(AT_ONCE))
            free = self._free_keys(found)
            updates: list[tuple[Document, Document]] = [
                (
                    {"_id": user["_id"], **HERE},
                    {
                        "$set": {"name_parts": name_parts(*_names_of(user)), "name_rule": RULE_VERSION},
                        "$addToSet": {"name_keys": {"$each": free[user["_id"]]}},
                    },
                )
                for user in found
            ]
            self._database.update_in_order(self._users, updates)
        return len(found)

    def _free_keys(self, users: Sequence[Document]) -> dict[str, list[str]]:
        """Return the keys of these accounts that no other account has: older versions allowed more names."""
        wanted = {user["_id"]: person_keys(*_names_of(user)) for user in users}
        owners: dict[str, set[str]] = defaultdict(set)
        every = [key for keys in wanted.values() for key in keys]
        held = {user["_id"]: user["name_keys"] for user in self._users.find({"name_keys": {"$in": every}})}
        for user_id, key in ((id, key) for each in (wanted, held) for id, keys in each.items() for key in keys):
            owners[key].add(user_id)
        return {user_id: [key for key in keys if owners[key] == {user_id}] for user_id, keys in wanted.items()}

    def _list(self, key: str, beginning: Document, limit: int) -> list[User]:
        with self._database.bounded():
            found = self._users.find({key: beginning, **HERE}).sort(key, ASCENDING).limit(limit)
            return [user_of(document) for document in found]


def _names_of(user: Document) -> tuple[str, str]:
    return user.get("username", ""), user.get("display_name", "")


def _has_word(user: User, word: str) -> bool:
    return any(f"{part} ".startswith(f"{word} ") for part in name_parts(user.username, user.display_name))
