import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson import json_util

from chatroom.live.change_stream_store import pipeline_for, watch
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from tests.people import ALICE, BOB, rendered
from tests.waiting import PATIENCE_SECONDS

ROOM = "lobby"
pytestmark = pytest.mark.integration  # mongomock has no change streams


class Listener:
    """Somebody who listens in a thread."""

    def __init__(self, database: Database, origin: str) -> None:
        self.heard: list[tuple[str | None, int]] = []
        self.listens = threading.Event()
        self.has_heard_the_last = threading.Event()
        self.is_over = False
        self._thread = threading.Thread(target=self._run, args=[database, origin])
        self._thread.start()

    def _run(self, database: Database, origin: str) -> None:
        for hint in watch(database, origin, lambda: self.is_over):
            if hint == (None, 0):
                self.listens.set()
            elif hint[0] == "last":
                self.has_heard_the_last.set()
            else:
                self.heard.append(hint)

    def stop(self) -> None:
        self.is_over = True
        self._thread.join()


@contextmanager
def listening(database: Database, origin: str) -> Iterator[Listener]:
    listener = Listener(database, origin)
    try:
        assert listener.listens.wait(PATIENCE_SECONDS)
        yield listener
    finally:
        listener.stop()


@pytest.mark.parametrize("others", ["a", "here0", "her", "z", "0"])
def test_the_feed_reports_writes_of_others_and_not_own_writes(real_database: Database, others: str) -> None:
    own, other = (MessageStore(real_database, origin=origin) for origin in ("here", others))
    with listening(real_database, "here") as listener:
        own.append(ROOM, [rendered("a1", author=ALICE)])
        (message,) = other.append(ROOM, [rendered("b1", author=BOB)])
        own.change(ROOM, message.message.id, lambda _: {"text": "mine now"})
        other.change(ROOM, message.message.id, lambda _: {"text": "theirs again"})
        real_database["messages"].insert_one({"room": ROOM, "revision": 9, "revisions": [9], "client_id": "by hand"})
        other.append("last", [rendered("b2", author=BOB)])

        assert listener.has_heard_the_last.wait(PATIENCE_SECONDS)
    # An edited message is looked up when the stream comes to the edit: it may be in its next state by then.
    assert listener.heard in ([(ROOM, 2), (ROOM, 4), (ROOM, 9)], [(ROOM, 2), (ROOM, 4), (ROOM, 4), (ROOM, 9)])


def test_own_messages_are_excluded_by_the_server(real_database: Database) -> None:
    """Or mongod makes an event of each of them, which is a third of what a message costs it."""
    stages: list[dict[str, Any]] = [{"$changeStream": {"fullDocument": "updateLookup"}}, *pipeline_for("here")]
    aggregate = {"aggregate": "messages", "pipeline": stages, "cursor": {}}
    plan = real_database.client[real_database.name].command("explain", aggregate, verbosity="queryPlanner")
    reading = json_util.dumps(plan["stages"][0]["$cursor"]["queryPlanner"]["parsedQuery"])
    for test in ('{"o.origin": {"$gt": "here"}}', '{"o.origin": {"$lt": "here"}}', '{"o.origin": {"$eq": null}}'):
        assert test in reading
