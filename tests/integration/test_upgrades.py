"""Older data, brought up to date by real processes that are killed, or start together."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bson import ObjectId

from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.site.upgrades import DATA_VERSION
from tests.databases import new_database
from tests.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
MANY = 60_000


def upgrade(uri: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "flask", "--app", "test_mongo", "upgrade", "--yes"]
    environ = os.environ | {"MONGO_URI": uri, "MONGO_DB": name, "SECRET_KEY": "k" * 32}
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stderr=subprocess.STDOUT, stdout=subprocess.PIPE)


def test_a_killed_upgrade_continues_and_two_processes_share_it(mongod: EmbeddedMongo) -> None:
    database = new_database(mongod.root_uri)
    start = mongod.root_uri, database.name
    rooms = database["rooms"]
    slugs = [f"dm-{secrets.token_hex(10)}" for _ in range(MANY)]
    rooms.insert_many({"_id": str(ObjectId()), "slug": slug, "kind": "direct", "title": ""} for slug in slugs)

    def count_moved() -> int:
        return rooms.count_documents({"former_slug": {"$gt": ""}})

    killed = upgrade(*start)
    wait_until(count_moved)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert 0 < count_moved() < MANY
    together = [upgrade(*start), upgrade(*start)]
    for process in together:
        said, _ = process.communicate(timeout=4 * PATIENCE_SECONDS)
        assert process.returncode == 0, said
        assert "The data is up to date" in said
    moved = list(rooms.find({"kind": "direct"}, {"slug": 1, "former_slug": 1}))
    assert sorted(room["former_slug"] for room in moved) == sorted(slugs)
    assert len({room["slug"] for room in moved} - set(slugs)) == MANY
    version = database["data_version"].find_one({})
    assert version is not None
    assert version["number"] == DATA_VERSION
    database.client.drop_database(database.name)
    database.close()
