"""Every query about accounts and sessions is served by an index, on a real server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pymongo
import pytest

from chatroom.base.models import Author, Held, Hook, RoomName, User
from chatroom.moderation.held_store import HeldStore, make_held_id
from chatroom.moderation.reports_store import Report, ReportStore
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.outbound.hooks_store import HookStore
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.directory_store import DirectoryStore
from chatroom.people.sessions import Sessions
from chatroom.people.sessions_store import SessionStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.current_rights_store import CurrentRightsStore
from chatroom.services import COLLECTIONS
from chatroom.site.acts_store import ActStore, Note
from chatroom.site.audit import Audit
from chatroom.site.audit_store import Act, AuditStore, Subject
from chatroom.site.codes_store import CodeStore, hash_of, make_code
from tests.databases import record
from tests.unit.mongo.plans import Commands, explain, stages_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

PEOPLE = 300
NOW = datetime.now(UTC)
NOTE = Note(
    id="0" * 24,
    key="k",
    place="memberships",
    act=Act(at=NOW, actor=Author("a", "Ann"), act="mute", subject=Subject("user", "b", "ben")),
)


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


@pytest.fixture(scope="module")
def town(mongod: EmbeddedMongo, commands: Commands) -> Iterator["Town"]:
    client: Any = pymongo.MongoClient(mongod.root_uri, tz_aware=True, event_listeners=[commands])
    database = Database(client, "test_plans_of_accounts", timeout_seconds=PATIENCE_SECONDS)
    database.ensure_indexes(COLLECTIONS)
    yield Town(database)
    client.drop_database(database.name)
    client.close()


class Town:
    """Three hundred people with two sessions each, some of them ended."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.users = UserStore(database)
        self.states, self.directory = AccountStateStore(database), DirectoryStore(database)
        self.store = SessionStore(database)
        self.invites = CodeStore(database, database["invites"], owner="made_by_id")
        day = timedelta(days=1)
        self.sessions = Sessions(self.store, self.users, idle=day, lifetime=day)
        self.people = [self.users.add(f"user{n}x", f"User {n}x", "hash") for n in range(PEOPLE)]
        for person in self.people:
            self.secret = self.sessions.begin(person, label="", address="192.0.2.1")
            self.sessions.begin(person, label="", address="192.0.2.2")
        for person in self.people[:50]:
            self.sessions.end_all(person.id)
        self.somebody: User = self.people[-1]
        self.audit = Audit(AuditStore(database))
        for n in range(200):
            person = self.people[n % 10]
            actor = Author(person.id, person.display_name)
            record(database, actor, ("ban", "mute")[n % 2], Subject("user", str(n % 10), "Ann"))
        self.acts, self.rights = ActStore(database), CurrentRightsStore(database)
        self.hooks = HookStore(database)
        for n in range(100):
            made = Hook(
                id=f"h{n}",
                room=f"r{n % 20}",
                kind=("incoming", "outgoing")[n % 2],
                name="CI",
                made_by=Author("a", "Ann"),
                created_at=NOW,
            )
            self.hooks.add(made, secret_hash=f"hash-{n}" if made.kind == "incoming" else "", key="k")
        self.reports = ReportStore(database)
        for n in range(200):
            ann = Author("a", "Ann")
            self.reports.add(
                Report(
                    id=f"m{n}:u",
                    room=RoomName(f"r{n % 10}", "den", "Den"),
                    message=f"m{n}",
                    sequence=n,
                    author=ann,
                    reporter=Author("u", "Ulf"),
                    reason="x",
                    created_at=NOW,
                    said=(),
                )
            )
        self.resets = CodeStore(database, database["resets"], owner="user")
        for person in self.people:
            self.resets.add(make_code(NOW, day, {"user": person.id, "password_version": 0})[1])
        self.invite, code = make_code(NOW, day, {"made_by": "Ann", "made_by_id": "a"}, uses=10)
        self.invites.add(code)
        self.reset, self.code = make_code(NOW, day, {"user": self.somebody.id, "password_version": 0})
        for person in self.people[200:220]:
            self.states.make_former(person.id, is_erased=False)
        self.held = HeldStore(database)
        for n, person in enumerate(self.people):
            for m in range(3):
                self.held.add(self.held_of(person, f"c{m}", f"r{n % 20}", is_public=n % 2 == 0), 10)
        waiting = self.held.list_waiting(None, is_public=True, limit=300)
        for each in waiting[:200]:
            self.held.decide(each.id, "rejected", Author("x", "X"), "why")
        for each in waiting[:190]:
            self.held.finish(msgspec.structs.replace(each, state="rejected"))

    def held_of(self, person: User, client_id: str, room: str, *, is_public: bool = True) -> Held:
        author = Author(person.id, person.display_name)
        fields = {"author": author, "client_id": client_id, "room_id": room, "is_public": is_public}
        return Held(id=make_held_id(), text="hi", held_at=NOW, **fields)


# What is called, and the most documents that any one of its queries may look at.
CALLS: dict[str, tuple[Callable[[Town], Any], int]] = {
    "who is logged in": (lambda t: t.sessions.find_valid(t.secret), 1),
    "a user by name": (lambda t: t.users.find_by_username("USER7X"), 1),
    "a name that nobody has": (lambda t: t.users.find_by_username("nobody"), 0),
    "the first user": (lambda t: t.users.add("newcomer", "Newcomer", "hash"), 1),
    "one's sessions": (lambda t: t.sessions.list_for(t.somebody), 2),
    "where somebody was": (lambda t: t.sessions.has_been_at(t.somebody.id, "192.0.2.1"), 1),
    "a session is used": (lambda t: t.store.touch(t.store.list_for(t.somebody.id)[0]), 2),
    "ending a session": (lambda t: t.sessions.end(t.people[100].id, hash_of("x")), 2),
    "ending others": (lambda t: t.sessions.end_all(t.people[101].id, but="x"), 2),
    "which have ended": (lambda t: t.sessions.ended_since(NOW - timedelta(hours=1)), 110),
    "which have ended just now": (lambda t: t.sessions.ended_since(NOW + timedelta(hours=1)), 0),
    "a new password": (lambda t: t.users.change_password(t.people[102].id, "another"), 1),
    "a renewed hash": (lambda t: t.users.replace_hash(t.people[103].id, "hash", "renewed"), 1),
    "a role": (lambda t: t.states.set_role(t.people[104].id, "member"), 1),
    "a profile": (lambda t: t.users.set_profile(t.people[107], {"display_name": "Newly Named"}), 1),
    "a mute": (lambda t: t.states.set_mute(t.people[105].id, NOW, "why"), 1),
    "a ban lifted": (lambda t: t.states.set_ban(t.people[106].id, None, ""), 1),
    "another administrator": (lambda t: t.users.has_administrator(but=t.somebody.id), 2),
    "a room's webhooks": (lambda t: t.hooks.list_for("r7"), 5),
    "a webhook that posts": (lambda t: t.hooks.find_by_secret("hash-8"), 1),
    "webhooks to tell": (lambda t: t.hooks.list_outgoing(), 50),
    "how a delivery went": (lambda t: t.hooks.note("h9", cursor=1), 1),
    "a webhook's end": (lambda t: t.hooks.end("r9", "h99", NOTE), 1),
    "a reset link": (
        lambda t: (
            t.resets.replace(t.somebody.id),
            t.resets.add(t.code),
            t.resets.find(t.reset),
            t.resets.take(t.reset),
        ),
        1,
    ),
    "open reports": (lambda t: t.reports.list_open(None, 50), 50),
    "reports that wait for a room's moderators": (lambda t: t.reports.list_open(["r3", "r4"], 50), 60),
    "a report": (lambda t: (t.reports.find_open("m7:u"), t.reports.has("m8:u")), 1),
    "a decision": (lambda t: t.reports.close_all("m9", [], Author("x", "X")), 1),
    "the audit log": (lambda t: t.audit.page(), 51),
    "older entries about somebody": (lambda t: t.audit.page("f" * 24, subject="7"), 51),
    "one kind of act": (lambda t: t.audit.page(act="ban"), 51),
    "what somebody did": (lambda t: t.audit.page(actor=t.somebody.id), 51),
    "invitations": (lambda t: (t.invites.list_valid(50), t.invites.end("x", NOTE)), 1),
    "an act that is not recorded": (lambda t: (t.acts.list_left("memberships"), t.acts.settle(NOTE)), 1),
    "what people may do now": (lambda t: t.rights.read([each.id for each in t.people[:3]], ["lobby"], ["x"]), 4),
    "an account is deleted": (lambda t: t.states.make_former(t.people[108].id, is_erased=False), 1),
    "who is gone": (lambda t: (t.states.list_leaving(), t.states.find_former(t.people[200].id)), 21),
    "what a former member had": (lambda t: (t.sessions.forget(t.people[109].id), t.resets.forget("x")), 2),
    "a message is held": (lambda t: t.held.add(t.held_of(t.people[200], "new", "r0"), 10), 4),
    "one that is sent again": (lambda t: t.held.find("r1", t.people[201].id, "c1"), 1),
    "what waits for the site's moderators": (lambda t: t.held.list_waiting(["r1"], is_public=True, limit=50), 120),
    "all that waits": (lambda t: t.held.list_waiting(None, is_public=True, limit=50), 50),
    "one's own that wait in a room": (lambda t: t.held.list_of(t.people[201].id, "r1"), 3),
    "one's own that wait": (lambda t: t.held.list_of(t.people[201].id), 3),
    "what is left to do": (lambda t: t.held.list_unfinished(-timedelta(days=1), 20), 10),
    "accounts by name": (
        lambda t: (t.directory.list_like("user1", "", 20), t.directory.list_like("", "user5x", 20)),
        20,
    ),
    "accounts by display name": (lambda t: t.directory.list_named_like("User 2", 20), 20),
    "accounts by a part of a name": (lambda t: t.directory.list_named_like("25", 20), 20),
    "an invitation": (lambda t: (t.invites.take(t.invite), t.invites.give_back(t.invite)), 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_plan_uses_an_index_and_examines_only_its_results(name: str, town: Town, commands: Commands) -> None:
    """L10."""
    call, most = CALLS[name]
    commands.sent.clear()
    call(town)
    sent = list(commands.sent)
    assert sent, "the call sent no query"
    for command in sent:
        plan = explain(town.database, command)
        stages = set(stages_of(plan["queryPlanner"]["winningPlan"]))
        assert not stages & {"COLLSCAN", "SORT"}, (command, stages)
        assert stages & {"IXSCAN", "IDHACK", "EOF"}, (command, stages)
        assert plan["executionStats"]["totalDocsExamined"] <= most, command
