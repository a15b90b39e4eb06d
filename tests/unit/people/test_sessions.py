from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chatroom.base.models import User
from chatroom.mongo.database import Database
from chatroom.people.sessions import Sessions
from chatroom.people.sessions_store import SessionStore
from chatroom.people.users_store import UserStore
from chatroom.site.codes_store import hash_of
from tests.conftest import Clock

IDLE, LIFETIME = timedelta(hours=1), timedelta(hours=10)


@pytest.fixture
def users(database: Database, clock: Clock) -> UserStore:
    return UserStore(database, clock=clock)


@pytest.fixture
def sessions(database: Database, users: UserStore, clock: Clock) -> Iterator[Sessions]:
    return Sessions(SessionStore(database, clock=clock), users, idle=IDLE, lifetime=LIFETIME, clock=clock)


@pytest.fixture
def alice(users: UserStore) -> User:
    return users.add("alice", "Alice", "hash")


@pytest.fixture
def bob(users: UserStore) -> User:
    return users.add("bob", "Bob", "hash")


def begin(sessions: Sessions, user: User) -> str:
    return sessions.begin(user, label="Firefox on Linux", address="192.0.2.1")


def test_a_secret_finds_its_session_and_its_user(sessions: Sessions, alice: User, clock: Clock) -> None:
    """A5."""
    found = sessions.find_valid(begin(sessions, alice))
    assert found is not None
    session, user = found
    assert user == alice
    assert (session.kind, session.label, session.address) == ("browser", "Firefox on Linux", "192.0.2.1")
    assert session.created_at == session.seen_at == clock.now
    assert session.expires_at == clock.now + IDLE


def test_the_secret_is_kept_nowhere(sessions: Sessions, alice: User, database: Database) -> None:
    """A01, O06: who reads the database cannot sign in with it."""
    secret = begin(sessions, alice)
    document = database["sessions"].find_one({})
    assert document is not None
    assert document["_id"] == hash_of(secret)
    assert secret not in repr(document)
    assert sessions.find_valid(document["_id"]) is None


@pytest.mark.parametrize("secret", ["", "x", "x" * 101, "x" * 100_000, "\ud800", "\0"])
def test_anything_else_finds_nothing(sessions: Sessions, alice: User, secret: str) -> None:
    begin(sessions, alice)
    assert sessions.find_valid(secret) is None


def test_each_session_is_a_new_one(sessions: Sessions, alice: User) -> None:
    """S02."""
    assert begin(sessions, alice) != begin(sessions, alice)
    assert len(sessions.list_for(alice)) == 2


def test_an_ended_session_is_worth_nothing(sessions: Sessions, alice: User) -> None:
    """S03."""
    secret, other = begin(sessions, alice), begin(sessions, alice)
    assert sessions.end(alice.id, hash_of(secret))
    assert sessions.find_valid(secret) is None
    assert sessions.find_valid(other)
    assert not sessions.end(alice.id, hash_of(secret))


def test_nobody_ends_the_session_of_another_user(sessions: Sessions, alice: User, bob: User) -> None:
    secret = begin(sessions, alice)
    assert not sessions.end(bob.id, hash_of(secret))
    assert sessions.find_valid(secret)


def test_ending_all_but_one(sessions: Sessions, alice: User, bob: User) -> None:
    """S04: tokens are ended too, and nobody else's sessions."""
    kept, other, token = begin(sessions, alice), begin(sessions, alice), sessions.create_token(alice, label="bot")
    of_bob = begin(sessions, bob)
    assert sessions.end_all(alice.id, but=hash_of(kept)) == 2
    assert sessions.find_valid(kept)
    assert sessions.find_valid(of_bob)
    assert sessions.find_valid(other) is None
    assert sessions.find_valid(token) is None


def test_ended_sessions_are_reported(sessions: Sessions, alice: User, clock: Clock) -> None:
    """S04: what every process asks for, to close its connections."""
    secret, other = begin(sessions, alice), begin(sessions, alice)
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)  # the database's clock has nothing to do with ours
    assert sessions.ended_since(long_ago) == []
    sessions.end(alice.id, hash_of(secret))
    [(session_id, ended_at)] = sessions.ended_since(long_ago)
    assert session_id == hash_of(secret)
    sessions.end(alice.id, hash_of(other))
    told = sessions.ended_since(ended_at - timedelta(seconds=10))
    assert [session_id for session_id, _ in told] == [hash_of(secret), hash_of(other)]
    assert sessions.ended_since(told[-1][1] + timedelta(milliseconds=1)) == []


def test_an_idle_session_ends(sessions: Sessions, alice: User, clock: Clock) -> None:
    """S05."""
    secret = begin(sessions, alice)
    clock.advance(minutes=59)
    assert sessions.find_valid(secret)
    clock.advance(minutes=59)
    assert sessions.find_valid(secret)
    clock.advance(minutes=61)
    assert sessions.find_valid(secret) is None
    assert sessions.list_for(alice) == []


def test_a_busy_session_ends_too(sessions: Sessions, alice: User, clock: Clock) -> None:
    """S05: at its lifetime, however often it is used."""
    secret = begin(sessions, alice)
    for _ in range(19):
        clock.advance(minutes=30)
        assert sessions.find_valid(secret)
    found = sessions.find_valid(secret)
    assert found
    assert found[0].expires_at == found[0].created_at + LIFETIME
    clock.advance(minutes=31)
    assert sessions.find_valid(secret) is None


def test_use_is_noted_once_a_minute(sessions: Sessions, alice: User, clock: Clock, database: Database) -> None:
    secret, began = begin(sessions, alice), clock.now
    clock.advance(seconds=59)
    sessions.find_valid(secret)
    assert sessions.list_for(alice)[0].seen_at == began
    clock.advance(seconds=1)
    sessions.find_valid(secret)
    assert sessions.list_for(alice)[0].seen_at == clock.now


def test_a_use_that_crosses_the_end_does_not_revive_it(
    sessions: Sessions, alice: User, clock: Clock, database: Database
) -> None:
    secret = begin(sessions, alice)
    session = sessions.list_for(alice)[0]
    sessions.end(alice.id, session.id)
    SessionStore(database, clock=clock).touch(session)
    assert sessions.find_valid(secret) is None


def test_a_connection_keeps_its_session_while_its_holder_is_active(
    sessions: Sessions, alice: User, clock: Clock
) -> None:
    """S05: a websocket does not outlive its session, and one that only listens does not prolong it."""
    session = hash_of(begin(sessions, alice))
    began = clock.now
    clock.advance(minutes=30)
    assert sessions.prolong(session, is_active=False) == began + IDLE
    assert sessions.prolong(session, is_active=True) == clock.now + IDLE
    clock.advance(minutes=61)
    assert sessions.prolong(session, is_active=True) is None


def test_a_connection_ends_with_its_password(sessions: Sessions, users: UserStore, alice: User) -> None:
    """S04."""
    session = hash_of(begin(sessions, alice))
    users.change_password(alice.id, "another hash")
    assert sessions.prolong(session, is_active=True) is None


def test_a_changed_password_ends_earlier_sessions(sessions: Sessions, users: UserStore, alice: User) -> None:
    """S04: by the same write, whatever comes between it and the marks."""
    secret, token = begin(sessions, alice), sessions.create_token(alice, label="bot")
    changed = users.change_password(alice.id, "another hash")
    assert changed
    late = begin(sessions, alice)  # by somebody who gave the old password a moment ago
    for worthless in (secret, token, late):
        assert sessions.find_valid(worthless) is None
    assert sessions.list_for(changed) == []
    assert sessions.find_valid(begin(sessions, changed))


def test_a_session_without_its_user_is_worth_nothing(sessions: Sessions, alice: User, database: Database) -> None:
    """S04."""
    secret = begin(sessions, alice)
    database["users"].delete_one({"_id": alice.id})
    assert sessions.find_valid(secret) is None


def test_tokens_and_sessions_are_not_interchangeable(sessions: Sessions, alice: User) -> None:
    secret, token = begin(sessions, alice), sessions.create_token(alice, label="bot")
    assert token.startswith("chatroom_")
    assert sessions.find_valid(token, "token")
    assert sessions.find_valid(secret, "browser")
    assert sessions.find_valid(token, "browser") is None
    assert sessions.find_valid(secret, "token") is None


def test_a_token_lasts_as_long_as_it_was_made_for(sessions: Sessions, alice: User, clock: Clock) -> None:
    token = sessions.create_token(alice, label="bot", days=30)
    clock.advance(days=29)
    found = sessions.find_valid(token)
    assert found
    assert found[0].expires_at == found[0].created_at + timedelta(days=30)
    clock.advance(days=1)
    assert sessions.find_valid(token) is None


def test_known_addresses(sessions: Sessions, alice: User, bob: User) -> None:
    begin(sessions, alice)
    assert sessions.has_been_at(alice.id, "192.0.2.1")
    assert not sessions.has_been_at(alice.id, "198.51.100.7")
    assert not sessions.has_been_at(bob.id, "192.0.2.1")
    sessions.begin(alice, label="", address="2001:db8:1:2::1")
    assert sessions.has_been_at(alice.id, "2001:db8:1:2::ffff")
    assert not sessions.has_been_at(alice.id, "2001:db8:1:3::1")


def test_labels_are_bounded(sessions: Sessions, alice: User) -> None:
    sessions.begin(alice, label="x" * 10_000, address="192.0.2.1")
    assert len(sessions.list_for(alice)[0].label) == 200
