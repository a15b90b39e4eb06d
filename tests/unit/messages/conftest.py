from datetime import timedelta

import pytest

from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from tests.databases import in_memory
from tests.messaging import Messaging
from tests.unit.messages.lobby import LONGEST, NOW


@pytest.fixture
def memory() -> Database:
    """A database in memory; the fixture `database` also runs on a real server."""
    return in_memory()


@pytest.fixture
def store(memory: Database) -> MessageStore:
    return MessageStore(memory, origin="here", clock=lambda: NOW)


@pytest.fixture
def messages(store: MessageStore) -> Messaging:
    return Messaging(store, max_length=LONGEST, clock=lambda: NOW + timedelta(minutes=1))
