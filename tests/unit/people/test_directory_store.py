import json

import pytest

from chatroom.mongo.database import Database
from chatroom.names import person_keys
from chatroom.people.directory_store import DirectoryStore
from chatroom.people.users_store import UserStore
from tests.corpus import HERE

PEOPLE = json.loads((HERE / "people.json").read_text(encoding="utf-8"))


@pytest.fixture
def directory(database: Database) -> DirectoryStore:
    users = UserStore(database)
    for number, person in enumerate(PEOPLE):
        users.add(f"user{number}", person["name"], "hash")
    return DirectoryStore(database)


def test_people_are_found_by_any_part_of_their_names(directory: DirectoryStore) -> None:
    for person in PEOPLE:
        for query in person["found"]:
            assert person["name"] in {user.display_name for user in directory.search(query)}, query
        for query in person["not"]:
            assert person["name"] not in {user.display_name for user in directory.search(query)}, query
    assert directory.search("-") == []
    assert len(directory.search("")) == len(PEOPLE)


def test_accounts_of_older_versions_are_found(
    directory: DirectoryStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.people.directory_store.AT_ONCE", 5)
    database["users"].update_many({}, {"$unset": {"name_parts": ""}})
    assert directory.search("weaver") == []
    for _ in range(2):
        directory.renew_names()
        assert [user.display_name for user in directory.search("weaver")] == ["José Weaver"]


def test_accounts_of_older_versions_get_the_keys_that_no_other_account_has(database: Database) -> None:
    users = UserStore(database)
    for username in ("Modern1", "Lone1"):
        users.add(username, username, "hash")
    without = {key for key in person_keys("modem1", "modem1") if key[0] != "^"}
    database["users"].update_many({}, {"$unset": {"name_parts": ""}, "$pull": {"name_keys": {"$regex": "^\\^"}}})
    database["users"].insert_one(
        {"_id": "m", "username": "modem1", "display_name": "modem1", "username_key": "modem1"}
        | {"display_name_key": "modem1", "name_keys": sorted(without), "deleted_at": None}
    )
    assert not users.has_name("1one1")
    for _ in range(2):
        DirectoryStore(database).renew_names()
        assert users.has_name("1one1")
        keys = {user["username"]: set(user["name_keys"]) for user in database["users"].find()}
        assert keys["Lone1"] == set(person_keys("Lone1", "Lone1"))
        assert not keys["Modern1"] & keys["modem1"]
