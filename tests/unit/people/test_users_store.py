import threading
from datetime import UTC, datetime

import pytest
from pymongo.errors import DuplicateKeyError

from chatroom.base.errors import Taken
from chatroom.base.models import User
from chatroom.mongo.database import Database
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.users_store import UserStore
from chatroom.services import COLLECTIONS

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def users(database: Database) -> UserStore:
    return UserStore(database, clock=lambda: NOW)


@pytest.fixture
def real_users(real_database: Database) -> UserStore:
    return UserStore(real_database, clock=lambda: NOW)


def test_an_account_is_found_by_id_and_by_any_spelling(users: UserStore) -> None:
    """C4, U01."""
    alice = users.add("Alice", "Alice L.", "hash")
    assert alice.created_at == NOW
    assert users.find(alice.id) == users.find_by_username("ALICE") == users.find_by_username("ａｌｉｃｅ") == alice
    assert users.find("nobody") is None
    assert users.find_by_username("bob") is None


@pytest.mark.parametrize(
    ("username", "display_name"),
    [("alice", "Somebody"), ("ALICE", "Somebody"), ("somebody", "Alice"), ("somebody", "aLICE")],
)
def test_names_belong_to_one_person(users: UserStore, username: str, display_name: str) -> None:
    """C3, U01: the index decides; the words are those of the course."""
    users.add("alice", "Alice", "hash")
    with pytest.raises(Taken, match=r"^User or displayname existed$"):
        users.add(username, display_name, "hash")
    assert users.find_by_username("somebody") is None


@pytest.mark.integration
@pytest.mark.parametrize(
    ("username", "display_name"),
    [("annlee", "The Boss"), ("somebody", "Alice"), ("aIice", "Other"), ("other", "aIice")],
)
def test_no_name_is_anothers_other_name_nor_looks_like_it(
    real_users: UserStore, username: str, display_name: str
) -> None:
    """U04: a unique index over an array, which only mongod enforces."""
    real_users.add("alice", "Annlee", "hash")
    real_users.add("boss", "The boss", "hash")
    with pytest.raises(Taken):
        real_users.add(username, display_name, "hash")


@pytest.mark.integration
def test_ones_own_names_may_be_the_same(real_users: UserStore) -> None:
    assert real_users.add("alice", "Alice", "hash")
    assert real_users.add("bob", "bob", "hash")


def test_the_first_account_is_the_administrator(users: UserStore, database: Database) -> None:
    """And only the first, whatever role the others ask for."""
    assert users.add("alice", "Alice", "hash").role == "administrator"
    assert users.add("bob", "Bob", "hash").role == "member"
    assert users.add("carol", "Carol", "hash", "administrator").role == "administrator"
    assert database["users"].count_documents({"is_first": True}) == 1


def test_the_first_is_decided_by_the_index(
    users: UserStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who read "nobody is here yet" a moment too early is a member all the same."""
    users.add("alice", "Alice", "hash")
    find_one = database["users"].find_one
    first = {"is_first": True}
    monkeypatch.setattr(database["users"], "find_one", lambda query, *more: None if query == first else find_one(query))
    assert users.add("bob", "Bob", "hash").role == "member"
    with pytest.raises(Taken):
        users.add("alice", "Somebody", "hash")


@pytest.mark.integration
def test_many_first_accounts_at_once(real_users: UserStore) -> None:
    """Of twenty who register at the same moment, one is the administrator."""
    made: list[User] = []
    threads = [
        threading.Thread(target=lambda n=n: made.append(real_users.add(f"user{n:02}x", f"User {n:02}x", "hash")))
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(user.role for user in made) == ["administrator"] + ["member"] * 19


@pytest.mark.integration
def test_forty_simultaneous_registrations_of_one_name(real_users: UserStore, real_database: Database) -> None:
    """A06: one success, 39 refusals, one document."""
    assert _race(real_users) == (1, 39)
    assert real_database["users"].count_documents({}) == 1


@pytest.mark.integration
def test_without_the_indexes_the_race_is_lost(real_database: Database) -> None:
    """A06, the negative control: it is the index that decides, so without it the test above fails."""
    real_database["users"].drop_indexes()
    try:
        succeeded, _ = _race(UserStore(real_database))
    finally:
        real_database["users"].delete_many({})
        real_database.ensure_indexes(COLLECTIONS)
    assert succeeded > 1


def test_a_password_change_raises_its_version(users: UserStore) -> None:
    alice = users.add("alice", "Alice", "hash")
    changed = users.change_password(alice.id, "another")
    assert changed
    assert (changed.password_hash, changed.password_version) == ("another", alice.password_version + 1)
    assert users.change_password("nobody", "another") is None


def test_a_renewed_hash_is_no_change(users: UserStore) -> None:
    """A11: and it never undoes a change that came in between."""
    alice = users.add("alice", "Alice", "hash")
    users.replace_hash(alice.id, "hash", "renewed")
    users.replace_hash(alice.id, "hash", "too late")
    found = users.find(alice.id)
    assert found
    assert (found.password_hash, found.password_version) == ("renewed", alice.password_version)


def test_roles(users: UserStore, database: Database) -> None:
    alice = users.add("alice", "Alice", "hash")
    AccountStateStore(database).set_role(alice.id, "member")
    found = users.find(alice.id)
    assert found
    assert found.role == "member"


def test_fields_of_a_document(users: UserStore, database: Database) -> None:
    """I05, C4: these fields, whatever a request holds."""
    users.add("Alice", "Alice L.", "hash")
    document = database["users"].find_one({})
    assert document is not None
    assert set(document) == {
        "_id",
        "username",
        "username_key",
        "display_name",
        "display_name_key",
        "name_keys",
        "name_rule",
        "name_parts",
        "password_hash",
        "password_version",
        "role",
        "is_first",
        "created_at",
    }


def test_names_are_unique_by_index(users: UserStore, database: Database) -> None:
    document = {"_id": "1", "username_key": "alice", "display_name_key": "alice", "name_keys": ["alice"]}
    database["users"].insert_one(document)
    with pytest.raises(DuplicateKeyError):
        database["users"].insert_one({**document, "_id": "2"})


def _race(users: UserStore) -> tuple[int, int]:
    outcomes: list[bool] = []
    barrier = threading.Barrier(40)

    def register() -> None:
        barrier.wait()
        try:
            users.add("alice", "Alice", "hash")
        except Taken:
            outcomes.append(False)
        else:
            outcomes.append(True)

    threads = [threading.Thread(target=register) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes.count(True), outcomes.count(False)
