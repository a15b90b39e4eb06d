"""The data of each earlier version, brought up to date.

tests/corpus/upgrades has one file for each version. The code of this version has written its documents, and each
collection has some. A new version adds a file with the name of the version.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bson import json_util
from flask import Flask

from chatroom.names import is_former_direct
from chatroom.services import COLLECTIONS, Services
from chatroom.site.upgrades import DATA_VERSION
from tests.conftest import services_of, visitor

FOLDER = Path(__file__).parents[2] / "corpus/upgrades"
EXPIRING = {each.name for each in COLLECTIONS if any("expireAfterSeconds" in index.document for index in each.indexes)}
CHANGED = {"slug", "former_slug", "title_keys", "name_parts", "name_keys", "name_rule"}
"""The fields that upgrade steps change, in `rooms` and `users`."""


def documents_of(path: Path) -> list[tuple[str, dict[str, Any]]]:
    options = json_util.JSONOptions(tz_aware=True)
    lines = [json_util.loads(line, json_options=options) for line in path.read_text("utf-8").splitlines()]
    return [(line["collection"], line["document"]) for line in lines]


@pytest.fixture(params=sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def older(request: pytest.FixtureRequest, app: Flask) -> list[tuple[str, dict[str, Any]]]:
    """Start on older data, and return the older documents."""
    services, documents = services_of(app), documents_of(request.param)
    for collection in COLLECTIONS:
        services.database[collection.name].delete_many({})
    for name, document in documents:
        services.database[name].insert_one(dict(document))
    services.upgrade(lambda *_: None)
    return documents


def without(document: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in fields}


def test_no_document_is_lost_or_changed_elsewhere(older: list[tuple[str, dict[str, Any]]], services: Services) -> None:
    kept = [(name, document) for name, document in older if name not in EXPIRING | {"data_version"}]
    for name, document in kept:
        changed = CHANGED if name in {"rooms", "users"} else set()
        found = services.database[name].find_one({"_id": document["_id"]})
        assert found is not None, f"{name}: {document['_id']}"
        assert without(found, changed) == without(document, changed)
    for name, count in Counter(name for name, _ in kept).items():
        assert services.database[name].count_documents({}) == count, name
    version = services.database["data_version"].find_one()
    assert version is not None
    assert version["number"] == DATA_VERSION


def test_people_find_their_rooms_messages_and_files(older: list[tuple[str, dict[str, Any]]], app: Flask) -> None:
    services, bob = services_of(app), visitor(app)
    bob.log_in("bob")
    page = bob.get("/chatroom").text
    for text in ("apples and <em>plums</em>", "a reply", "hello", "a.txt", "🎉"):
        assert text in page
    assert "pears" not in page
    file = services.database["files.files"].find_one({"filename": "a.txt", "length": 15})
    assert file is not None
    assert bob.get(f"/files/{file['_id']}/a.txt").data == b"words of a file"
    rooms = {document["_id"]: document for name, document in older if name == "rooms"}
    direct = next(
        rooms[each["room"]] for name, each in older if name == "messages" and each["text"] == "between us two"
    )
    moved = bob.get(f"/chatroom/{direct['slug']}", follow_redirects=True)
    assert (moved.request.path != f"/chatroom/{direct['slug']}") == is_former_direct(direct["slug"])
    assert "between us two" in moved.text
    assert "plums" in bob.get("/search?q=plums").text
    lobby = services.rooms.store.find("lobby")
    assert lobby is not None
    assert [person.username for person in services.rooms.members.list_like(lobby, "ali", 5)[0]] == ["alice"]
