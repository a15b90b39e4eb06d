"""D12: a unique key that is held is looked at. For each write: it is held by this very thing, by another, by nobody.

What nobody is seen to hold stands for a document that no majority has yet.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from bson import ObjectId
from pymongo.errors import BulkWriteError, DuplicateKeyError

from chatroom.base.errors import Taken, Unavailable
from chatroom.base.models import Author, Held, Hook, Room, RoomName, User
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.moderation.held_store import HeldStore, make_held_id
from chatroom.moderation.reports_store import Report, ReportStore
from chatroom.mongo.database import Database
from chatroom.mongo.unique import check_own, doubles, write_or_find
from chatroom.outbound.hooks_store import HookStore
from chatroom.outbound.subscriptions_store import SubscriptionStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.direct_store import DirectRoomStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.search.search_store import Entry, SearchStore
from chatroom.site.leases_store import LeaseStore
from tests.people import ALICE, BOB, MALLORY
from tests.waiting import wait_until

AT = datetime(2026, 11, 21, tzinfo=UTC)
DEN = Room(id="den", slug="den", title="Den", kind="private")
HOOK = Hook(id="h" * 24, room="den", kind="incoming", name="CI", made_by=ALICE, created_at=AT)
REPORT = Report(
    id="m:u",
    room=RoomName("den", "den", "Den"),
    message="m",
    sequence=1,
    author=ALICE,
    reporter=BOB,
    reason="spam",
    created_at=AT,
    said=(),
)


def held(client_id: str = "c1", author: Author = ALICE) -> Held:
    return Held(
        id=make_held_id(), room_id="den", is_public=True, author=author, client_id=client_id, text="hi", held_at=AT
    )


def add_user(database: Database) -> User:
    return UserStore(database).add("alice", "Alice", "hash")


class TestWriteOrFind:
    def test_a_write_succeeds(self, database: Database) -> None:
        assert write_or_find(database, lambda: None, lambda: {"never": "asked"}) is None

    def test_it_waits_until_the_holder_is_seen(self, database: Database) -> None:
        """A document that was stored a moment ago, and is not a majority's yet."""
        seen = iter([None, None, {"_id": 1}])
        assert write_or_find(database, collide, lambda: next(seen)) == {"_id": 1}

    def test_it_writes_when_the_holder_was_undone(self, database: Database) -> None:
        tries = iter([collide, lambda: None])
        assert write_or_find(database, lambda: next(tries)(), lambda: None) is None

    def test_it_does_not_wait_for_ever(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "timeout_seconds", 0.05)
        with pytest.raises(Unavailable):
            write_or_find(database, collide, lambda: None)

    def test_only_the_expected_document_counts_as_own(self) -> None:
        check_own(None, a=1)
        check_own({"a": 1, "b": 2}, a=1)
        with pytest.raises(Unavailable):
            check_own({"a": 2}, a=1)
        with pytest.raises(Unavailable):
            check_own({}, a=1)

    def test_another_failure_is_no_double(self) -> None:
        errors = [{"code": code, "op": {"_id": code}} for code in (11000, 121)]
        assert doubles(BulkWriteError({"writeErrors": errors[:1]})) == {11000}
        with pytest.raises(BulkWriteError):
            doubles(BulkWriteError({"writeErrors": errors}))


WRITES: dict[str, tuple[str, str, Callable[[Database], Any]]] = {
    "a room": ("rooms", "insert_one", lambda database: RoomStore(database).add(DEN, ALICE.id)),
    "the lobby": ("rooms", "insert_one", lambda database: RoomStore(database).ensure(DEN)),
    "a direct room": ("rooms", "insert_one", lambda database: DirectRoomStore(database).add("d", [ALICE.id, BOB.id])),
    "a member": ("memberships", "update_one", lambda database: MembershipStore(database).admit(ALICE.id, DEN)),
    "an account": ("users", "insert_one", add_user),
    "a profile": ("users", "update_one", lambda database: rename(database, "Bob")),
    "a webhook": ("hooks", "insert_one", lambda database: HookStore(database).add(HOOK, secret_hash="s")),
    "a report": ("reports", "insert_one", lambda database: ReportStore(database).add(REPORT)),
    "a held message": ("held", "insert_one", lambda database: HeldStore(database).add(held(), 3)),
    "a key": ("push_keys", "insert_one", lambda database: SubscriptionStore(database).keep_key(lambda: "made")),
    "a lease": ("leases", "update_one", lambda database: LeaseStore(database, holder="me").take("work", 30)),
}


@pytest.mark.parametrize("what", WRITES)
def test_a_duplicate_key_without_a_visible_holder_is_unknown(
    database: Database, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """It says that nothing is certain; and never that it is stored, or that somebody else has it."""
    collection, method, write = WRITES[what]
    monkeypatch.setattr(database, "timeout_seconds", 0.2)
    monkeypatch.setattr(database[collection], method, collide)
    with pytest.raises(Unavailable):
        write(database)


class TestRooms:
    def test_a_slug_that_another_has(self, database: Database) -> None:
        rooms = RoomStore(database)
        assert rooms.add(DEN, ALICE.id)
        assert not rooms.add(msgspec.structs.replace(DEN, id="den2"), BOB.id)
        assert database["memberships"].find_one({"user": BOB.id}) is None

    def test_an_id_that_another_has(self, database: Database) -> None:
        rooms = RoomStore(database)
        rooms.add(DEN, ALICE.id)
        assert not rooms.add(msgspec.structs.replace(DEN, slug="den2"), BOB.id)
        assert rooms.find("den") == DEN

    def test_a_room_that_was_stored_by_this_very_write(self, database: Database) -> None:
        rooms = RoomStore(database)
        rooms.add(DEN, ALICE.id)
        database["memberships"].delete_many({})  # what comes before it in the same try
        assert rooms.add(DEN, ALICE.id)

    def test_a_member_admitted_at_the_same_moment(self, database: Database) -> None:
        RoomStore(database).ensure(DEN)
        threads = [threading.Thread(target=MembershipStore(database).admit, args=(ALICE.id, DEN)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert database["memberships"].count_documents({}) == 1


class TestUsers:
    def test_a_name_that_another_has(self, database: Database) -> None:
        add_user(database)
        with pytest.raises(Taken):
            add_user(database)

    def test_a_display_name_that_another_has(self, database: Database) -> None:
        UserStore(database).add("bob", "Bob", "hash")
        with pytest.raises(Taken):
            rename(database, "Bob")
        rename(database, "Alicia")

    def test_ones_own_keys_are_no_others(self, database: Database) -> None:
        rename(database, "ALICE")


def rename(database: Database, name: str) -> None:
    users = UserStore(database)
    user = users.find_by_username("alice") or add_user(database)
    users.set_profile(user, {"display_name": name})


class TestHooks:
    def test_stored_by_this_very_write(self, database: Database) -> None:
        hooks = HookStore(database)
        for _ in range(2):
            hooks.add(HOOK, secret_hash="s")
        assert hooks.list_for("den") == [HOOK]

    @pytest.mark.parametrize("other", [{"secret_hash": "s"}, {"_id": HOOK.id, "secret_hash": "t"}])
    def test_a_secret_or_an_id_that_another_has(self, database: Database, other: dict[str, str]) -> None:
        """Else its maker would be given a secret that posts elsewhere, or nowhere."""
        database["hooks"].insert_one({"_id": "another", "room": "elsewhere", **other})
        with pytest.raises(Unavailable):
            HookStore(database).add(HOOK, secret_hash="s")

    def test_an_id_that_another_of_the_room_has(self, database: Database) -> None:
        HookStore(database).add(HOOK, secret_hash="s")
        with pytest.raises(Unavailable):
            HookStore(database).add(msgspec.structs.replace(HOOK, kind="outgoing"), key="k")


class TestReports:
    def test_sent_twice(self, database: Database) -> None:
        reports = ReportStore(database)
        for reason in ("spam", "again"):
            reports.add(msgspec.structs.replace(REPORT, reason=reason))
        assert [each.reason for each in reports.list_open(None, 9)] == ["spam"]

    @pytest.mark.parametrize("other", [{"message": "other"}, {"reporter": MALLORY}])
    def test_an_id_that_another_has(self, database: Database, other: dict[str, Any]) -> None:
        ReportStore(database).add(msgspec.structs.replace(REPORT, **other))
        with pytest.raises(Unavailable):
            ReportStore(database).add(REPORT)


class TestHeld:
    def test_a_slot_taken_in_the_meantime(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        store = HeldStore(database)
        store.add(held("c1"), 3)
        find = database["held"].find
        before = {"author.id": ALICE.id, "place": {"$gt": ""}}  # asked before it was taken
        monkeypatch.setattr(
            database["held"], "find", lambda query, *more: find({"_id": 0} if query == before else query)
        )
        second = store.add(held("c2"), 3)
        assert second is not None
        assert second.client_id == "c2"

    def test_sent_twice(self, database: Database) -> None:
        store = HeldStore(database)
        first = store.add(held("c1"), 3)
        again = store.add(held("c1"), 3)
        assert (first and first.id) == (again and again.id)

    def test_a_slot_or_an_id_of_another_message(self, database: Database) -> None:
        store, ours = HeldStore(database), held("c1")
        place = {"place": f"{ALICE.id}:0", "author": {"id": BOB.id}, "room": "x", "client_id": "x"}
        database["held"].insert_one(place)
        found = store.add(ours, 2)
        assert found == ours
        database["held"].insert_one({**place, "_id": ObjectId("1" * 24), "place": "x", "client_id": "y"})
        with pytest.raises(Unavailable):
            store.add(msgspec.structs.replace(held("c2", MALLORY), id="1" * 24), 2)


def test_a_key_that_another_process_made(database: Database) -> None:
    store = SubscriptionStore(database)

    def make() -> str:
        database["push_keys"].insert_one({"_id": "vapid", "private_key": "theirs", "created_at": AT})
        return "ours"

    assert store.keep_key(make) == "theirs"


class TestLeases:
    def test_a_lease_of_another_holder(self, database: Database) -> None:
        assert LeaseStore(database, holder="they").take("work", 30)
        assert not LeaseStore(database, holder="me").take("work", 30)

    def test_a_lease_of_another_thread_of_this_process(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        leases = LeaseStore(database, holder="me")
        leases.take("work", 30)
        monkeypatch.setattr(database["leases"], "update_one", collide)
        assert leases.take("work", 30)


def test_a_presence_of_another_process_is_not_prolonged(database: Database) -> None:
    here = PresenceStore(database, process="here", lease_seconds=30, clock=lambda: AT)
    here.take([("den", ALICE)])
    database["presences"].update_one({}, {"$set": {"process": "there", "expires_at": datetime(2020, 1, 1, tzinfo=UTC)}})
    here.take([("den", ALICE), ("den", BOB)])

    def expiries() -> dict[str, int]:
        return {each["user"]["id"]: each["expires_at"].year for each in database["presences"].find({})}

    # A lease does not wait for a majority, and a read sees what a majority has.
    wait_until(lambda: expiries() == {ALICE.id: 2020, BOB.id: 2026}, "the lease of another process was prolonged")


def test_an_entry_of_another_room_is_not_replaced(database: Database) -> None:
    search = SearchStore(database)
    id = str(ObjectId())
    search.put("den", [Entry(id=id, revision=1, words=frozenset({"secret"}))])
    search.put("hall", [Entry(id=id, revision=2, words=frozenset({"open"}))])
    (entry,) = database["search_entries"].find({})
    assert (entry["room"], entry["words"]) == ("den", ["secret"])


def collide(*arguments: Any, **options: Any) -> None:
    raise DuplicateKeyError("E11000 duplicate key error")
