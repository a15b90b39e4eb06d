"""One-time codes: so many uses and no more, until they expire or are ended, also those of earlier releases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chatroom.base.models import Author
from chatroom.mongo.database import Database
from chatroom.site.acts_store import Note
from chatroom.site.audit_store import Act, Subject
from chatroom.site.codes_store import CodeStore, hash_of, make_code
from tests.conftest import Clock

HOUR = timedelta(hours=1)


class Desk:
    """Makes room links."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.database = database
        self.store = CodeStore(database, database["room_invites"], owner="created_by_id", clock=clock)

    def make(self, room: str = "den", by: str = "alice", *, uses: int = 1, lifetime: timedelta = HOUR) -> str:
        about = {"room": room, "created_by": by.title(), "created_by_id": by}
        secret, code = make_code(self.clock(), lifetime, about, uses=uses)
        self.store.add(code)
        return secret

    def note(self) -> Note:
        act = Act(
            at=self.clock(),
            actor=Author("a", "A"),
            act="x",
            subject=Subject("room", "den", "Den"),
            room=None,
            reason="",
            details={},
        )
        return Note(id="n", key="k", place="room_invites", act=act)


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(database, clock)


def test_only_the_hash_of_the_secret_is_kept(desk: Desk) -> None:
    secret = desk.make()
    assert secret not in str(list(desk.database["room_invites"].find()))
    assert desk.database["room_invites"].find_one({"_id": hash_of(secret)})


def test_it_is_valid_for_so_many_uses(desk: Desk) -> None:
    secret = desk.make(uses=2)
    found = desk.store.find(secret)
    assert found is not None
    assert (found.uses_left, found.about) == (2, {"room": "den", "created_by": "Alice", "created_by_id": "alice"})
    assert desk.store.take(secret)
    assert desk.store.take(secret)
    assert desk.store.take(secret) is None
    assert desk.store.find(secret) is None


def test_a_failed_use_is_returned(desk: Desk) -> None:
    secret = desk.make()
    assert desk.store.take(secret)
    desk.store.give_back(secret)
    assert desk.store.take(secret)


@pytest.mark.integration
def test_simultaneous_uses_get_the_last_use_once(real_database: Database, clock: Clock) -> None:
    desk = Desk(real_database, clock)
    secret = desk.make()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(desk.store.take, [secret] * 8))
    assert sum(each is not None for each in taken) == 1


def test_it_expires(desk: Desk) -> None:
    secret = desk.make(lifetime=HOUR)
    desk.clock.advance(seconds=3599)
    assert desk.store.find(secret)
    desk.clock.advance(seconds=1)
    assert desk.store.find(secret) is None
    assert desk.store.take(secret) is None


@pytest.mark.parametrize("secret", ["", "nonsense", "\ud800", "x" * 10_000])
def test_another_secret_finds_nothing(desk: Desk, secret: str) -> None:
    desk.make()
    assert desk.store.find(secret) is None
    assert desk.store.take(secret) is None


def test_a_returned_use_does_not_revive_an_ended_code(desk: Desk) -> None:
    secret = desk.make()
    assert desk.store.take(secret)
    assert desk.store.end(hash_of(secret), desk.note(), room="den")
    desk.store.give_back(secret)
    assert desk.store.find(secret) is None
    assert not desk.store.end(hash_of(secret), desk.note(), room="den")


def test_a_code_is_ended_only_by_its_context(desk: Desk) -> None:
    secret = desk.make("den")
    assert not desk.store.end(hash_of(secret), desk.note(), room="cellar")
    assert desk.store.find(secret)


def test_the_valid_ones_are_listed(desk: Desk) -> None:
    used, short, long = desk.make(), desk.make(lifetime=HOUR), desk.make(lifetime=2 * HOUR)
    desk.make("cellar")
    desk.store.take(used)
    assert [each.id for each in desk.store.list_valid(10, room="den")] == [hash_of(short), hash_of(long)]
    assert len(desk.store.list_valid(2)) == 2


def test_codes_of_a_user_end_with_the_account(desk: Desk) -> None:
    theirs, others = desk.make(by="alice"), desk.make(by="bob")
    desk.store.forget("alice")
    assert desk.store.find(theirs) is None
    assert desk.store.find(others)


def test_a_new_code_replaces_earlier_codes_of_the_user(desk: Desk) -> None:
    plain, noted, others = desk.make(), desk.make(), desk.make(by="bob")
    desk.database["room_invites"].update_one({"_id": hash_of(noted)}, {"$set": {"acts": [{"key": "k"}]}})
    desk.store.replace("alice")
    assert desk.store.find(plain) is None
    assert desk.store.find(noted) is None
    assert desk.store.find(others)
    assert desk.database["room_invites"].count_documents({"created_by_id": "alice"}) == 1
