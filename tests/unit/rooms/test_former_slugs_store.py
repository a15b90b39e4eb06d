import threading
from typing import Any

import pytest

from chatroom.base.errors import Unavailable
from chatroom.mongo.database import Database
from chatroom.names import is_former_direct
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.former_slugs_store import FormerSlugs
from chatroom.rooms.rooms_store import RoomStore
from tests.faulty import Writes
from tests.people import ALICE, BOB, MALLORY

OLD = "dm-" + "0123456789" * 2
FORMED_ALIKE = "dm-" + "f" * 20


def make_former(database: Database, slug: str = OLD, room_id: str = "direct-1") -> None:
    """A direct conversation as they were made before."""
    people = sorted([ALICE.id, BOB.id])
    room = {"_id": room_id, "slug": slug, "title": "", "kind": "direct", "people": people}
    database["rooms"].insert_one(room)
    for person in people:
        database["memberships"].insert_one({"user": person, "room": room_id})


def slug_of(database: Database, room_id: str = "direct-1") -> str:
    room = database["rooms"].find_one({"_id": room_id})
    assert room
    return str(room["slug"])


def test_a_direct_room_gets_an_address_that_nobody_can_guess(database: Database) -> None:
    """U08."""
    for number in range(2):
        make_former(database, f"dm-{number:020x}", f"direct-{number}")
    FormerSlugs(database).move()

    slugs = {slug_of(database, f"direct-{number}") for number in range(2)}
    assert len(slugs) == 2
    assert all(slug.startswith("dm_") and not is_former_direct(slug) for slug in slugs)


def test_the_old_address_finds_it_for_its_people_alone(database: Database) -> None:
    """U09."""
    make_former(database)
    FormerSlugs(database).move()
    rooms = RoomStore(database)
    accesses = AccessStore(database)

    access = accesses.find(ALICE.id, OLD)
    assert access is not None
    assert access.room.slug == slug_of(database)
    assert accesses.find(MALLORY.id, OLD) is None
    assert rooms.find_public(OLD) is None
    found = rooms.find_by_slug(OLD)  # at the console
    assert found is not None
    assert (found.id, found.slug) == (access.room.id, access.room.slug)


def test_it_is_done_once_however_often_it_is_begun(database: Database) -> None:
    make_former(database)
    FormerSlugs(database).move()
    before = database["rooms"].find_one({"_id": "direct-1"})
    FormerSlugs(database).move()

    assert database["rooms"].find_one({"_id": "direct-1"}) == before


def test_several_processes_at_once_agree(real_database: Database) -> None:
    """On a mongod alone: mongomock changes its dictionaries while other threads read them."""
    for number in range(40):
        make_former(real_database, f"dm-{number:020x}", f"direct-{number}")
    threads = [threading.Thread(target=FormerSlugs(real_database).move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    rooms = list(real_database["rooms"].find({}))
    assert {room["former_slug"] for room in rooms} == {f"dm-{number:020x}" for number in range(40)}
    assert not any(is_former_direct(room["slug"]) for room in rooms)


def test_an_interrupted_move_is_finished(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash after any write: the next start does what is left."""
    monkeypatch.setattr("chatroom.rooms.former_slugs_store.AT_ONCE", 1)
    for number in range(3):
        make_former(database, f"dm-{number:020x}", f"direct-{number}")
    tokens(database, ["dm-" + "0" * 20])
    update = database.update_in_order
    calls = []

    def crash(*arguments: Any) -> None:
        if len(calls) == 2:
            raise Unavailable("gone")
        calls.append(arguments)
        update(*arguments)

    monkeypatch.setattr(database, "update_in_order", crash)
    with pytest.raises(Unavailable):
        FormerSlugs(database).move()
    monkeypatch.setattr(database, "update_in_order", update)
    FormerSlugs(database).move()

    assert not any(is_former_direct(slug_of(database, f"direct-{number}")) for number in range(3))
    assert slug_of(database, "direct-0") in rooms_of_token(database)


def test_ordinary_rooms_keep_their_addresses(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    for slug in ("dm-ideas", FORMED_ALIKE):
        database["rooms"].insert_one({"_id": slug, "slug": slug, "title": slug, "kind": "public"})
    FormerSlugs(database).move()

    assert [slug_of(database, slug) for slug in ("dm-ideas", FORMED_ALIKE)] == ["dm-ideas", FORMED_ALIKE]
    assert [FORMED_ALIKE in record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [True]


def test_a_token_for_such_a_room_stays_valid(database: Database) -> None:
    make_former(database)
    tokens(database, [OLD, "lobby"])
    for _ in range(2):
        FormerSlugs(database).move()

    assert rooms_of_token(database) == [OLD, "lobby", slug_of(database)]


def test_tokens_are_moved_some_at_a_time_and_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.rooms.former_slugs_store.AT_ONCE", 2)
    slugs = [f"dm-{number:020x}" for number in range(5)]
    for number, slug in enumerate(slugs):
        make_former(database, slug, f"direct-{number}")
        tokens(database, [slug, slugs[0], FORMED_ALIKE], f"t{number}")
    rounds = Rounds(database, monkeypatch)
    FormerSlugs(database).move()

    for number in range(5):
        rooms = {slug_of(database, f"direct-{number}"), slug_of(database, "direct-0")}
        assert set(rooms_of_token(database, f"t{number}")) == {slugs[number], slugs[0], FORMED_ALIKE} | rooms
    assert rounds.most == 2
    rounds.most = 0
    with Writes(monkeypatch).failing(1, "dead"):
        FormerSlugs(database).move()
    assert rounds.most == 0


def test_titles_get_keys_some_at_a_time_and_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.rooms.rooms_store.AT_ONCE", 2, raising=False)
    for number in range(5):
        database["rooms"].insert_one(
            {"_id": f"r{number}", "slug": f"r{number}", "title": f"R{number}", "kind": "public"}
        )
    rounds = Rounds(database, monkeypatch)
    RoomStore(database).key_titles()

    assert database["rooms"].count_documents({"title_keys": None}) == 0
    assert rounds.most == 2
    rounds.most = 0
    RoomStore(database).key_titles()
    assert rounds.most == 0


@pytest.mark.integration
def test_a_downgrade_restores_the_former_addresses_and_an_update_the_new_ones(real_database: Database) -> None:
    """As docs/operating.md says it."""
    make_former(real_database)
    FormerSlugs(real_database).move()
    real_database["rooms"].update_many({"former_slug": {"$gt": ""}}, [{"$set": {"slug": "$former_slug"}}])
    assert slug_of(real_database) == OLD
    FormerSlugs(real_database).move()
    assert not is_former_direct(slug_of(real_database))
    assert AccessStore(real_database).find(ALICE.id, OLD) is not None


class Rounds:
    """Counts the updates within one bound; `most` is the largest number."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = self._count = 0
        self._bounded, self._update = database.bounded, database.update_in_order
        monkeypatch.setattr(database, "bounded", self.bounded)
        monkeypatch.setattr(database, "update_in_order", self.update)

    def bounded(self, *arguments: Any) -> Any:
        self._count = 0
        return self._bounded(*arguments)

    def update(self, collection: Any, updates: Any) -> None:
        self._count += len(updates)
        self.most = max(self.most, self._count)
        self._update(collection, updates)


def tokens(database: Database, rooms: list[str], token_id: str = "t") -> None:
    database["sessions"].insert_one({"_id": token_id, "user_id": ALICE.id, "kind": "token", "rooms": rooms})


def rooms_of_token(database: Database, token_id: str = "t") -> list[str]:
    token = database["sessions"].find_one({"_id": token_id})
    assert token
    return list(token["rooms"])
