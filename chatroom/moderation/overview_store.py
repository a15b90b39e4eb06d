"""The figures of the site, for administrators: counts that read no documents."""

from datetime import UTC, datetime

import msgspec

from chatroom.base.clock import utc_now
from chatroom.mongo.database import Database


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of the site. With mongomock, `stored_bytes` is 0, and `database` is `in memory`."""

    people: int
    rooms: int
    messages: int
    reports: int
    held: int
    here: int
    stored_bytes: int
    database: str
    complaint: str
    """The known problem of the database's release, or ""."""


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
            messages=database["messages"].estimated_document_count(),
            reports=database["reports"].count_documents({"is_open": True}),
            held=database["held"].count_documents({"state": "waiting"}),
            here=len(here),
            stored_bytes=int(stats.get("storageSize", 0) + stats.get("indexSize", 0)),
            database=version,
            complaint=database.complaint(),
        )
