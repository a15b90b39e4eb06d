from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from tests.databases import new_database
from tests.integration.live.nodes import Node

MakeNode = Callable[..., Node]


@pytest.fixture
def room_database(mongod: EmbeddedMongo) -> Iterator[Database]:
    """A separate database, because a change stream would also report the writes of other tests."""
    database = new_database(mongod.root_uri)
    yield database
    database.client.drop_database(database.name)
    database.close()


@pytest.fixture
def make_node(mongod: EmbeddedMongo, room_database: Database) -> Iterator[MakeNode]:
    """Make nodes on one database, each with its own client."""
    nodes: list[Node] = []

    def make(name: str, **options: Any) -> Node:
        client = type(room_database.client)(mongod.root_uri, tz_aware=True)
        nodes.append(Node(Database(client, room_database.name, uri=mongod.root_uri), name, **options))
        return nodes[-1]

    yield make
    if nodes:
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(Node.stop, nodes))
    for node in nodes:
        node.database.close()
