"""Push subscriptions (one document for each browser), and the site's key for Web Push.

A subscription ends with the session that created it.
"""

from collections.abc import Callable, Collection

import msgspec
from pymongo import ASCENDING, DESCENDING, IndexModel

from chatroom.base.clock import Clock, utc_now
from chatroom.mongo.database import Database
from chatroom.mongo.records import record_of
from chatroom.mongo.unique import write_or_find

INDEXES = [IndexModel([("user_id", ASCENDING)])]
KEY_ID = "vapid"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a browser at its push service, and the browser's keys; `id` is the SHA-256 of `endpoint`."""

    id: str
    user_id: str
    session_id: str
    endpoint: str
    p256dh: str
    auth: str


class SubscriptionStore:
    """The subscriptions and push_keys collections."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._subscriptions = database["subscriptions"]
        self._keys = database["push_keys"]
        self._sessions = database["sessions"]
        self._clock = clock

    def keep_key(self, make: Callable[[], str]) -> str:
        """Return the site's private key; the first process creates it."""
        with self._database.bounded():
            found = self._keys.find_one({"_id": KEY_ID})
            if found is None:
                made = {"_id": KEY_ID, "private_key": make(), "created_at": self._clock()}
                # Another process may have created a key at the same moment; then that key is the site's.
                found = write_or_find(
                    self._database, lambda: self._keys.insert_one(made), lambda: self._keys.find_one({"_id": KEY_ID})
                )
        return str((found or made)["private_key"])

    def put(self, subscription: Subscription, most: int) -> None:
        """Store or replace the subscription of a browser. If a user has more than `most`, delete the oldest."""
        fields = msgspec.structs.asdict(subscription) | {"created_at": self._clock()}
        fields["_id"] = fields.pop("id")
        with self._database.bounded():
            self._subscriptions.replace_one({"_id": subscription.id}, fields, upsert=True)
            mine = self._subscriptions.find({"user_id": subscription.user_id}, {"_id": 1})
            surplus = [document["_id"] for document in mine.sort("created_at", DESCENDING).skip(most)]
            if surplus:
                self._subscriptions.delete_many({"_id": {"$in": surplus}})

    def remove(self, user_id: str, subscription_id: str) -> None:
        """Remove the subscription of a browser of this user."""
        with self._database.bounded():
            self._subscriptions.delete_one({"_id": subscription_id, "user_id": user_id})

    def forget(self, user_id: str) -> None:
        """Remove all subscriptions of this user."""
        with self._database.bounded():
            self._subscriptions.delete_many({"user_id": user_id})

    def subscribers(self) -> set[str]:
        """Return the ids of all users with a subscription."""
        with self._database.bounded():
            return set(self._subscriptions.distinct("user_id"))

    def good_ones(self, user_ids: Collection[str]) -> list[Subscription]:
        """Return the subscriptions of these users; remove those whose session has ended."""
        with self._database.bounded():
            rows = self._subscriptions.find({"user_id": {"$in": list(user_ids)}})
            found = [record_of(row, Subscription) for row in rows]
            sessions = list({subscription.session_id for subscription in found})
            query = {"_id": {"$in": sessions}, "ended_at": None, "expires_at": {"$gt": self._clock()}}
            alive = {row["_id"] for row in self._sessions.find(query, {"_id": 1})}
            dead = [subscription.id for subscription in found if subscription.session_id not in alive]
            if dead:
                self._subscriptions.delete_many({"_id": {"$in": dead}})
        return [subscription for subscription in found if subscription.session_id in alive]
