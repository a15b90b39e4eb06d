"""Every field of an account has its marks, and they are kept."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatroom.base.models import Person, User
from chatroom.mongo.database import Database
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.fields import EXPORTED, FIELDS, person_of
from chatroom.people.users_store import UserStore
from chatroom.services import Services
from tests.visitors import Visitor

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BY_DELETION = {"deleted_at", "is_erased", "is_leaving"}
NAMES = {"_id": "id", "display_name": "name"}
SAID = "said-in-"


def fill(database: Database, user: User) -> dict[str, Any]:
    """An account with every field that one can have before it is deleted."""
    stored: dict[str, Any] = database["users"].find_one({"_id": user.id}) or {}
    missing = {name: SAID + name for name in FIELDS.keys() - stored.keys() - BY_DELETION - {"acts"}}
    missing |= {"status": {"text": SAID + "status"}, "quiet": {"start": "22:00", "end": "07:00", "time_zone": "UTC"}}
    missing |= {"muted_until": NOW, "banned_until": NOW, "is_bot": True, "acts": []}
    database["users"].update_one({"_id": user.id}, {"$set": missing})
    return stored | missing


def test_deletion_does_what_the_marks_say(database: Database) -> None:
    users = UserStore(database, clock=lambda: NOW)
    user = users.add("alice", "Alice", "hash", "moderator")
    before = fill(database, user)
    assert AccountStateStore(database, clock=lambda: NOW).make_former(user.id, is_erased=False)
    after = database["users"].find_one({"_id": user.id}) or {}
    assert set(before) | BY_DELETION == set(FIELDS)
    became = {
        name: "removed" if name not in after else "kept" if after[name] == before.get(name, after[name]) else "replaced"
        for name in FIELDS
    }
    assert became == {name: field.on_deletion for name, field in FIELDS.items()}


def test_a_deleted_user_is_shown_without_a_user_name(database: Database) -> None:
    users = UserStore(database, clock=lambda: NOW)
    user = users.add("alice", "Alice", "hash")
    AccountStateStore(database, clock=lambda: NOW).make_former(user.id, is_erased=False)
    assert person_of(database["users"].find_one({}) or {}) == Person(user.id, "Former member")


def test_fields_shown_everywhere_are_those_of_a_person(database: Database) -> None:
    user = UserStore(database).add("robot", "Robot", "hash", is_bot=True)
    shown = {NAMES.get(name, name) for name, field in FIELDS.items() if field.shown == "everywhere"}
    assert shown == set(Person.__struct_fields__)
    assert (
        person_of(database["users"].find_one({}) or {}) == user.person == Person(user.id, "Robot", "robot", is_bot=True)
    )


def test_exported_fields_are_fields_of_a_user() -> None:
    assert set(EXPORTED) <= set(User.__struct_fields__)


@pytest.mark.parametrize(("reader", "levels"), [("mallory", {"profile"}), ("alice", {"profile", "moderators"})])
def test_a_page_shows_what_its_reader_may_see(
    services: Services, alice: Visitor, mallory: Visitor, reader: str, levels: set[str]
) -> None:
    bob = services.people.users.add("bob", "Bob", "hash")
    filled = fill(services.database, bob)
    said = {name for name, value in filled.items() if value == SAID + name} - {"time_zone"} | {"status"}
    until = {"muted_until": datetime(9999, 1, 1, tzinfo=UTC), "banned_until": datetime(9999, 1, 1, tzinfo=UTC)}
    services.database["users"].update_one({"_id": bob.id}, {"$set": until | {"approved": []}})
    page = {"alice": alice, "mallory": mallory}[reader].get(f"/people/{bob.id}").text
    shown = {name for name in FIELDS if SAID + name in page}
    assert shown == {name for name in said if FIELDS[name].shown in {"everywhere", *levels}}
