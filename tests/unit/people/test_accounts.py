from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Taken, Unavailable
from chatroom.base.models import User
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.people.accounts import Accounts, Registration
from chatroom.people.wiring import PeopleParts
from chatroom.site.codes_store import make_code
from chatroom.site.limits import Limits
from chatroom.site.limits_store import MemoryWindows
from tests.conftest import Clock
from tests.databases import in_memory
from tests.visitors import PASSWORD

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def make(clock: Clock, database: Database | None = None, **changes: Any) -> PeopleParts:
    settings = Settings(mongo_uri="mongomock://", **{"bcrypt_rounds": 4, **changes})
    site: Any = SimpleNamespace(
        context=Context(settings, database or in_memory(), "", "here"),
        limits=Limits(settings, MemoryWindows()),
        acts=None,
        notices=SimpleNamespace(tell=None),
    )
    return PeopleParts(
        site,
        cast("Any", SimpleNamespace(drawing=None, processes=None)),
        registration=lambda: settings.registration,
        find_emoji=lambda text: text,
        clock=clock,
    )


def wanted(username: str = "alice", **changes: str) -> Registration:
    return Registration(**{"username": username, "display_name": username.title(), "password": PASSWORD, **changes})


def make_invite(people: PeopleParts, clock: Clock, *, uses: int = 1, days: int = 7) -> str:
    about = {"made_by": "Alice", "made_by_id": "a"}
    secret, code = make_code(clock(), timedelta(days=days), about, uses=uses)
    people.invites.add(code)
    return secret


@pytest.fixture
def database() -> Database:
    return in_memory()


@pytest.fixture
def people(clock: Clock, database: Database) -> PeopleParts:
    return make(clock, database)


@pytest.fixture
def accounts(people: PeopleParts) -> Accounts:
    return people.accounts


@pytest.fixture
def alice(accounts: Accounts) -> User:
    return accounts.register(wanted(), HOME)


def test_registering_and_logging_in(accounts: Accounts, alice: User) -> None:
    """C3."""
    assert alice.role == "administrator"
    assert accounts.authenticate("ALICE", PASSWORD, HOME) == alice


def test_the_password_is_kept_as_a_hash_alone(accounts: Accounts, alice: User, database: Database) -> None:
    """A01, C4."""
    document = database["users"].find_one({})
    assert document is not None
    assert document["password_hash"].startswith("$2b$04$")
    assert PASSWORD not in repr(document)


@pytest.mark.parametrize(
    "changes",
    [{"username": "a\u200blice"}, {"display_name": "admin"}, {"password": "short"}, {"password": "alice123"}],
    ids=lambda changes: next(iter(changes)),
)
def test_invalid_input_creates_no_account(accounts: Accounts, database: Database, changes: dict[str, str]) -> None:
    with pytest.raises(Refused) as refusal:
        accounts.register(wanted(**changes), HOME)
    assert refusal.value.reason == "invalid"
    assert database["users"].count_documents({}) == 0


def test_a_taken_name(accounts: Accounts, alice: User) -> None:
    with pytest.raises(Taken):
        accounts.register(wanted("ALICE", display_name="Somebody"), HOME)


@pytest.mark.parametrize(
    ("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("x" * 100_000, PASSWORD)]
)
def test_a_wrong_password_and_an_unknown_name_are_indistinguishable(
    accounts: Accounts, alice: User, username: str, password: str
) -> None:
    """A05."""
    with pytest.raises(Refused) as refusal:
        accounts.authenticate(username, password, HOME)
    assert (refusal.value.reason, refusal.value.message) == ("wrong_password", "Wrong user name or password.")


def test_too_many_failures_lock_the_account_for_a_while(accounts: Accounts, alice: User) -> None:
    """A07."""
    for number in range(10):
        with pytest.raises(Refused, match="Wrong"):
            accounts.authenticate("alice", "wrong", f"203.0.113.{number % 5}")
    with pytest.raises(Refused) as refusal:
        accounts.authenticate("Alice", PASSWORD, HOME)
    assert refusal.value.reason == "too_fast"
    assert refusal.value.retry_after
    assert 0 < refusal.value.retry_after <= 15 * 60


def test_the_owner_can_log_in_from_a_known_address(people: PeopleParts, accounts: Accounts, alice: User) -> None:
    """A07: no stranger locks them out."""
    people.sessions.begin(alice, label="", address=HOME)
    for _ in range(10):
        with pytest.raises(Refused, match="Wrong"):
            accounts.authenticate("alice", "wrong", ELSEWHERE)
    assert accounts.authenticate("alice", PASSWORD, HOME) == alice


def test_logging_in_renews_a_hash_of_another_cost(clock: Clock, database: Database) -> None:
    """A11: and no session ends by it."""
    old = make(clock, database)
    alice = old.accounts.register(wanted(), HOME)
    secret = old.sessions.begin(alice, label="", address=HOME)
    new = make(clock, database, bcrypt_rounds=5)
    new.accounts.authenticate("alice", PASSWORD, HOME)
    renewed = new.users.find(alice.id)
    assert renewed
    assert renewed.password_hash.startswith("$2b$05$")
    assert new.accounts.authenticate("alice", PASSWORD, HOME) == renewed
    assert new.sessions.find_valid(secret)


def test_a_hash_is_renewed_another_time_when_it_is_busy(
    clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = make(clock, database).accounts.register(wanted(), HOME)
    new = make(clock, database, bcrypt_rounds=5)

    def refuse(_: str) -> str:
        raise Refused("busy", "Later.", retry_after=1)

    monkeypatch.setattr(new.passwords, "hash", refuse)
    assert new.accounts.authenticate("alice", PASSWORD, HOME) == alice


def test_a_damaged_hash_is_a_wrong_password(accounts: Accounts, alice: User, database: Database) -> None:
    """A11."""
    for damaged in (None, "x"):
        database["users"].update_one({"_id": alice.id}, {"$set": {"password_hash": damaged}})
        with pytest.raises(Refused) as refusal:
            accounts.authenticate("alice", PASSWORD, HOME)
        assert refusal.value.reason == "wrong_password"


def test_changing_the_password(people: PeopleParts, accounts: Accounts, alice: User) -> None:
    """S04."""
    secret, token = (
        people.sessions.begin(alice, label="", address=HOME),
        people.sessions.create_token(alice, label=""),
    )
    changed = accounts.change_password(alice, PASSWORD, "another good one", HOME)
    assert people.sessions.find_valid(secret) is None
    assert people.sessions.find_valid(token) is None
    assert accounts.authenticate("alice", "another good one", HOME) == changed
    with pytest.raises(Refused):
        accounts.authenticate("alice", PASSWORD, HOME)


def test_a_password_is_changed_though_the_end_of_the_sessions_fails(
    people: PeopleParts, accounts: Accounts, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M14: nobody is told that the old one is good still; the new one makes every session worthless."""
    secret = people.sessions.begin(alice, label="", address=HOME)

    def away(*_: object, **__: object) -> int:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(people.sessions, "end_all", away)
    accounts.change_password(alice, PASSWORD, "another quiet evening", HOME)
    assert people.sessions.find_valid(secret) is None
    assert accounts.authenticate("alice", "another quiet evening", HOME).id == alice.id


def test_changing_the_password_requires_the_current_one(people: PeopleParts, accounts: Accounts, alice: User) -> None:
    """And guesses are counted, like those at the door."""
    secret = people.sessions.begin(alice, label="", address=HOME)
    for _ in range(10):
        with pytest.raises(Refused, match="Wrong"):
            accounts.change_password(alice, "wrong", "another good one", HOME)
    with pytest.raises(Refused, match="too many"):
        accounts.change_password(alice, PASSWORD, "another good one", HOME)
    assert people.sessions.find_valid(secret)


@pytest.mark.parametrize("new", ["short", "alice123", "password1"])
def test_a_bad_new_password_changes_nothing(accounts: Accounts, alice: User, new: str) -> None:
    with pytest.raises(Refused):
        accounts.change_password(alice, PASSWORD, new, HOME)
    assert accounts.authenticate("alice", PASSWORD, HOME) == alice


def test_an_account_that_is_gone_gets_no_password(accounts: Accounts, alice: User, database: Database) -> None:
    database["users"].delete_one({"_id": alice.id})
    with pytest.raises(Refused) as refusal:
        accounts.set_password(alice, "another good one")
    assert refusal.value.reason == "not_found"


def test_registration_can_be_closed(clock: Clock) -> None:
    accounts = make(clock, registration="closed").accounts
    with pytest.raises(Refused) as refusal:
        accounts.register(wanted(), HOME)
    assert refusal.value.reason == "forbidden"
    assert accounts.create(wanted())  # at the console


def test_by_invitation(clock: Clock) -> None:
    people = make(clock, registration="invite")
    accounts = people.accounts
    code = make_invite(people, clock, uses=2)
    for name in ("alice", "bob"):
        assert accounts.register(wanted(name, invite=f" {code} "), HOME)
    for invite in (code, "", "nonsense", "\ud800"):
        with pytest.raises(Refused) as refusal:
            accounts.register(wanted("carol", invite=invite), HOME)
        assert refusal.value.reason == "forbidden"
    with pytest.raises(Refused, match="You need an invite to register here"):
        accounts.register(wanted("carol", invite=" "), HOME)


def test_a_failed_registration_does_not_use_the_invite(clock: Clock) -> None:
    people = make(clock, registration="invite")
    accounts = people.accounts
    accounts.create(wanted())
    code = make_invite(people, clock)
    with pytest.raises(Taken):
        accounts.register(wanted(invite=code), HOME)
    assert accounts.register(wanted("bob", invite=code), HOME)


def test_an_old_invitation_is_worth_nothing(clock: Clock) -> None:
    people = make(clock, registration="invite")
    accounts = people.accounts
    code = make_invite(people, clock, days=7)
    clock.now += timedelta(days=7)
    with pytest.raises(Refused, match="invite"):
        accounts.register(wanted(invite=code), HOME)


def test_only_the_hash_of_an_invitation_is_kept(clock: Clock, database: Database) -> None:
    code = make_invite(make(clock, database, registration="invite"), clock)
    assert code not in repr(database["invites"].find_one({}))


def test_too_many_registrations_from_one_address(clock: Clock) -> None:
    accounts = make(clock, register_limit_address="2 per hour").accounts
    accounts.register(wanted("alice"), HOME)
    accounts.register(wanted("bob"), HOME)
    with pytest.raises(Refused) as refusal:
        accounts.register(wanted("carol"), HOME)
    assert refusal.value.reason == "too_fast"
    assert accounts.register(wanted("carol"), ELSEWHERE)


def test_the_site_and_its_name_are_no_passwords(clock: Clock) -> None:
    """A10."""
    accounts = make(clock, site_name="Our Corner").accounts
    for password in ("chatroom1", "ourcorner", "corner12"):
        with pytest.raises(Refused):
            accounts.register(wanted(password=password), HOME)


def test_logs_contain_no_secrets(accounts: Accounts, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    """O06: nor what was typed as a name, which may be a password."""
    caplog.set_level("DEBUG")
    for username, password in (("alice", "guess-one"), ("hunter22", "guess-two")):
        with pytest.raises(Refused):
            accounts.authenticate(username, password, HOME)
    told = " ".join(str(vars(record)) for record in caplog.records)
    assert "a log-in failed" in told
    for secret in ("guess-one", "guess-two", "hunter22", PASSWORD, alice.password_hash):
        assert secret not in told


def test_only_users_who_may_not_log_in_are_excluded(
    people: PeopleParts, accounts: Accounts, alice: User, clock: Clock
) -> None:
    assert accounts.find_exclusion(alice.id) is None
    people.states.set_ban(alice.id, clock() + timedelta(hours=1), "Advertising.")
    assert "Advertising." in (accounts.find_exclusion(alice.id) or "")
    clock.advance(hours=2)
    assert accounts.find_exclusion(alice.id) is None
    people.states.make_former(alice.id, is_erased=False)
    assert accounts.find_exclusion(alice.id) == "This account was deleted."
