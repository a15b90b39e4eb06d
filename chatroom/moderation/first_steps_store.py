"""Facts about a new site: whether others were invited, whether there are rooms, who is notified."""

from chatroom.mongo.database import Database

KINDS = ["public", "private"]


class FactStore:
    """Reads whether there is a document of a kind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_invited(self) -> bool:
        """Return whether a link or an invite was created, or a second person came."""
        return (
            self._database.has("users", {"is_first": None, "is_bot": None})
            or self._database.has("room_invites", {})
            or self._database.has("invites", {})
        )

    def has_room(self) -> bool:
        """Return whether there is a room besides the lobby."""
        return self._database.has("rooms", {"kind": {"$in": KINDS}, "_id": {"$ne": "lobby"}})

    def has_notifications(self, user_id: str) -> bool:
        """Return whether a browser of this user gets notifications."""
        return self._database.has("subscriptions", {"user_id": user_id})
