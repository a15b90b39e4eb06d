"""Accounts on a real mongod, in two applications that stand for two processes."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from chatroom.app import create_app, open_app
from chatroom.base.config import Settings
from chatroom.live.checks import EndedSessions
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.people.sessions_store import SessionStore
from chatroom.site.codes_store import hash_of
from tests.busy import give_plenty
from tests.conftest import services_of, signed_in, visitor
from tests.visitors import Visitor
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

Apps = tuple[Flask, Flask]


@pytest.fixture
def make_apps(mongod: EmbeddedMongo, real_database: Database) -> Iterator[Callable[..., Apps]]:
    made: list[Flask] = []

    def make(**changes: object) -> Apps:
        settings = Settings(  # type: ignore[call-overload]
            **{
                "mongo_uri": mongod.root_uri,
                "mongo_db": real_database.name,
                "secret_key": "k" * 32,
                "bcrypt_rounds": 4,
                "store_timeout_seconds": PATIENCE_SECONDS,
                **changes,
            }
        )
        for _ in range(2):
            app = create_app(settings)
            services = open_app(app)
            services.prepare()
            give_plenty(services.people.passwords._workers)
            made.append(app)
        return made[-2], made[-1]

    yield make
    for app in made:
        services_of(app).close()


def at_once(tasks: list[Callable[[], int]]) -> list[int]:
    """Run all at the same moment, and collect what they answer."""
    answers: list[int] = []
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], int]) -> None:
        barrier.wait()
        answers.append(task())

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_forty_registrations_of_one_name(make_apps: Callable[..., Apps], real_database: Database) -> None:
    """A06: through two processes: one success, 39 times "taken", one document."""
    apps = make_apps(register_limit_address="0")
    visitors = [visitor(apps[n % 2]) for n in range(40)]
    forms = [each.fields("/register") for each in visitors]
    typed = {
        "username": "alice",
        "display_name": "Alice",
        "password": "correct horse battery",
        "password_again": "correct horse battery",
    }
    answers = at_once(
        [
            lambda each=each, form=form: each.post("/register", data={**form, **typed}).status_code
            for each, form in zip(visitors, forms, strict=True)
        ]
    )
    assert answers.count(303) == 1
    assert answers.count(409) == 39
    assert real_database["users"].count_documents({}) == 1
    [alice] = real_database["users"].find()
    assert alice["role"] == "administrator"


def test_one_limit_for_all_processes(make_apps: Callable[..., Apps]) -> None:
    """A08: ten failures in all, not ten in each."""
    apps = make_apps()
    signed_in(apps[0], "alice").log_out()
    services_of(apps[0]).database["sessions"].delete_many({})
    statuses = [visitor(apps[n % 2]).log_in("alice", "guess").status_code for n in range(14)]
    assert statuses == [401] * 10 + [429] * 4
    assert visitor(apps[0]).log_in("alice").status_code == 429


def test_attempts_at_the_same_moment(make_apps: Callable[..., Apps]) -> None:
    """A08: nor does it help to try all at once."""
    apps = make_apps(login_limit_account="5 per minute")
    signed_in(apps[0], "alice").log_out()
    services_of(apps[0]).database["sessions"].delete_many({})
    visitors = [visitor(apps[n % 2]) for n in range(20)]
    forms = [each.fields("/login") for each in visitors]
    answers = at_once(
        [
            lambda each=each, form=form: (
                each.post("/login", data={**form, "username": "alice", "password": "guess"}).status_code
            )
            for each, form in zip(visitors, forms, strict=True)
        ]
    )
    assert answers.count(401) == 5
    assert answers.count(429) == 15


@pytest.mark.parametrize("how", ["log out", "password", "elsewhere", "deleted"])
def test_a_session_ends_in_every_process(make_apps: Callable[..., Apps], how: str, real_database: Database) -> None:
    """S03, S04: the other process refuses it at once, and is told so that it can close its connections."""
    apps = make_apps()
    alice, elsewhere = signed_in(apps[0], "alice"), visitor(apps[1])
    cookie = alice.get_cookie("session")
    assert cookie
    elsewhere.set_cookie("session", cookie.value)
    assert elsewhere.is_signed_in
    ended = EndedSessions(services_of(apps[1]).people.sessions.ended_since)
    [document] = real_database["sessions"].find()
    assert document["_id"] not in ended()
    if how == "log out":
        alice.log_out()
    elif how == "password":
        alice.submit(
            "/account",
            to="/account/password",
            current_password="correct horse battery",
            password="another good one",
            password_again="another good one",
        )
    elif how == "elsewhere":
        other = visitor(apps[0])
        other.log_in("alice")
        other.submit("/account", to="/account/sessions/end-others")
    else:
        real_database["users"].delete_many({})
    assert not elsewhere.is_signed_in
    if how != "deleted":
        assert document["_id"] in ended()


def test_expiry_uses_the_clock_of_the_database(make_apps: Callable[..., Apps], real_database: Database) -> None:
    """F11: a process whose clock is an hour ahead ends a session at the same time as all others."""
    [app, _] = make_apps()
    alice = signed_in(app, "alice")
    user = services_of(app).people.users.find_by_username("alice")
    assert user
    ahead = SessionStore(real_database, clock=lambda: now_in(real_database) + timedelta(hours=1))
    before = now_in(real_database)
    assert ahead.end_all(user.id) == 1
    assert not alice.is_signed_in
    margin = timedelta(minutes=1)  # mongod has a rough clock, too
    [(_, ended_at)] = ahead.ended_since(before - margin)
    assert before - margin < ended_at < now_in(real_database) + margin


def now_in(database: Database) -> datetime:
    """What time it is by the database's clock."""
    now: datetime = database.client.admin.command("hello")["localTime"]
    return now.replace(tzinfo=UTC)


def test_sessions_of_a_crashed_password_change_are_worthless(make_apps: Callable[..., Apps]) -> None:
    """S04: the process died between the new password and the marks."""
    [app, other] = make_apps()
    alice = signed_in(app, "alice")
    services = services_of(app)
    user = services.people.users.find_by_username("alice")
    assert user
    services.people.users.change_password(user.id, "hash")
    assert not alice.is_signed_in
    late = services_of(other).people.sessions.begin(user, label="", address="")
    assert services.people.sessions.find_valid(late) is None
    assert hash_of(late)


# How far apart the medians may be: a dozen tries are enough to notice that no hash is made, many show less than that.
@pytest.mark.parametrize(("tries", "difference"), [(12, 0.5), pytest.param(60, 0.1, marks=pytest.mark.long)])
def test_an_unknown_name_takes_as_long_as_a_wrong_password(
    make_apps: Callable[..., Apps], tries: int, difference: float
) -> None:
    """A05: measured in the processor's time, which the load of the machine does not change."""
    [app, _] = make_apps(bcrypt_rounds=9, login_limit_account="0", login_limit_address="0")
    signed_in(app, "alice")
    client = visitor(app)
    form = client.fields("/login")
    spent: dict[str, list[float]] = {"alice": [], "nobody": []}
    for n in range(tries):
        for name in spent if n % 2 else reversed(spent):
            began = time.process_time()
            assert client.post("/login", data={**form, "username": name, "password": "guess"}).status_code == 401
            spent[name].append(time.process_time() - began)
    known, unknown = (statistics.median(times[2:]) for times in spent.values())
    assert abs(known - unknown) / known < difference


@pytest.mark.parametrize("username", ["[$ne]", "[$gt]", "[$regex]"])
def test_no_operator_reaches_the_database(make_apps: Callable[..., Apps], username: str) -> None:
    """I01: each of these finds Alice, when it does."""
    [app, _] = make_apps()
    signed_in(app, "alice")
    client = visitor(app)
    form = client.fields("/login")
    for body in ({f"username{username}": "", "password": "x"}, {"username": "", f"password{username}": ""}):
        assert client.post("/login", data={**form, **body}).status_code == 400
    response = client.post("/login", json={"username": {username[1:-1]: ""}, "password": "x"})
    assert response.status_code == 400


def test_the_page_of_a_person(make_apps: Callable[..., Apps]) -> None:
    """A1 to A5, C1 to C5, on a real database."""
    apps = make_apps()
    alice = signed_in(apps[0], "alice")
    assert alice.say("hello").status_code == 303
    bob: Visitor = signed_in(apps[1], "bob")
    assert "hello" in bob.get("/chatroom").text
    assert bob.get("/chatroom/lobby/messages").status_code == 200
    assert bob.get("/account").status_code == 200
    assert 'person__name">Bob</bdi>' in alice.get("/chatroom").text
    assert visitor(apps[0]).register("Alice", "Somebody").status_code == 409
