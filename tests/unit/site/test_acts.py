"""Every act of moderators and administrators, with a fault at each of its writes: change, announce, record.

After each fault: nobody keeps a revoked right, connections are told, and the audit log has one entry.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import pytest

from chatroom.base.access import Access
from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Notice, RoomValues, User
from chatroom.live import wiring
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.people.profiles import Profile
from chatroom.services import Services
from chatroom.site.acts_store import PLACES
from tests.databases import PATIENT
from tests.faulty import MODES, Writes
from tests.messaging import new_draft

END = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


class Place:
    """A site with its administrators Alice and Dave, a public room and a private one of Alice's, and Bob in both."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: list[Notice] = []
        self.fill({})
        services = self.services
        services.rooms.making.ensure_lobby()
        self.alice, self.dave, self.bob = self.add("alice"), self.add("dave"), self.add("bob")
        services.people.states.set_role(self.dave.id, "administrator")
        self.author = Author(self.alice.id, "Alice")
        self.room = services.rooms.making.create(self.author, "administrator", title="Tea", is_private=True)
        self.rooms.membership.add(self.access(self.alice), self.bob.id, "Bob")
        database["audit"].delete_many({})
        self.cached = self.access(self.bob)
        """What an open connection of Bob's remembers."""
        self.session = services.people.sessions.begin(self.bob, label="", address="")

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """All documents, by their collection."""
        collections = self.database.client[self.database.name]
        return {name: list(collections[name].find()) for name in collections.list_collection_names()}

    def fill(self, documents: dict[str, list[dict[str, Any]]]) -> None:
        """Replace the data, as in a process that has just started."""
        collections = self.database.client[self.database.name]
        for name in collections.list_collection_names():
            collections[name].delete_many({})
            if documents.get(name):
                collections[name].insert_many(documents[name])
        settings = Settings(mongo_uri="mongomock://", bcrypt_rounds=4, **PATIENT)
        self.services = Services(settings)
        self.services._wire(Context(settings, self.database, "k" * 32, "here"))
        self.services._preparation._is_done = True
        self.services.site.notices._apply = self.told.append

    @property
    def rooms(self) -> Any:
        return self.services.rooms

    def add(self, name: str) -> User:
        return self.services.people.users.add(name, name.title(), "hash")

    def access(self, user: User) -> Access:
        return self.services.rooms.access.get_for(user.id, self.room.slug)

    def find(self, user: User) -> Access | None:
        return self.services.rooms.access.find_for(user.id, self.room.slug)

    def again(self, user: User) -> User:
        """The account as it is now, as each request finds it."""
        return self.services.people.users.find(user.id) or user

    def is_signed_in(self) -> bool:
        return self.services.people.sessions.find_valid(self.session) is not None

    def may_post(self, access: Access | None = None) -> bool:
        access = access or self.find(self.bob)
        try:
            if access is not None:
                self.services.messages.rules.check("post", access, "person")
        except Refused:
            return False
        return access is not None and self.is_signed_in()

    def is_told(self) -> bool:
        """Whether Bob's connections have heard that they must ask anew."""
        about = (self.bob.id, self.room.id)
        return any(notice.user == about[0] or notice.room == about[1] for notice in self.told)

    def finish(self) -> None:
        """What the chores of a process do a moment later."""
        self.services.site.acts.finish(is_urgent=True)
        self.services.erasure.account_deletion.finish()

    def entries(self) -> list[str]:
        return [entry.act for entry in reversed(self.services.site.audit.page().entries)]


class Deed:
    """One act: `do` it, and then `is_done`; `prepare` makes what it needs, for `do` to be given."""

    def __init__(
        self,
        act: str,
        do: Callable[[Place, Any], object],
        is_done: Callable[[Place, Any], bool],
        prepare: Callable[[Place], Any] = lambda _: None,
        *,
        is_told: bool = False,
    ) -> None:
        self.act = act
        self.do = do
        self.is_done = is_done
        self.prepare = prepare
        self.is_told = is_told


def may_not_post(place: Place, _: Any) -> bool:
    return not place.may_post()


def leave(place: Place) -> None:
    place.rooms.membership.leave(place.access(place.bob))


def wanted(**fields: Any) -> RoomValues:
    plain = {"title": "Tea", "topic": "", "is_read_only": False, "slow_seconds": 0, "retention_days": 0}
    return RoomValues(**{**plain, **fields})


def mute_in(place: Place, _: Any) -> None:
    place.services.moderation.moderation.mute_in(place.access(place.alice), place.alice, place.bob, END, "noise")


def is_muted_in(place: Place, _: Any) -> bool:
    return place.database["memberships"].count_documents({"user": place.bob.id, "muted_until": END}) > 0


def hold(place: Place) -> str:
    place.services.moderation.newcomers.set_first(None, 2)
    place.database["audit"].delete_many({})
    draft = new_draft(Author(place.bob.id, "Bob"), "buy", "c1")
    held = place.services.moderation.holding.hold(place.access(place.bob), draft)
    assert held is not None
    return held.id


def state_of(place: Place, held_id: str) -> tuple[str, bool]:
    held = place.services.moderation.approval._get(held_id)
    return held.state, held.is_done


def say(place: Place) -> str:
    draft = new_draft(Author(place.bob.id, "Bob"), "rude", "c1")
    return place.services.messages.writer.post(place.room, draft).message.id


def delete(place: Place, message_id: str) -> None:
    changes = place.services.messages.changes
    place.services.messages.writer.change(place.room, changes.deleting(place.access(place.alice), message_id, "rude"))


def is_deleted(place: Place, message_id: str) -> bool:
    (found,) = place.services.messages.store.find_all([message_id], [place.room.id])
    return found[0].deleted_at is not None


def report(place: Place) -> Any:
    say(place)
    message = place.services.messages.store.newest(place.room.id, 1)[0]
    place.services.moderation.reports.make(place.access(place.alice), place.author, message, "rude")
    return place.services.moderation.reports.list_open()[0]


def link(place: Place) -> str:
    place.services.rooms.links.make(place.access(place.alice), uses=1, hours=1)
    place.database["audit"].delete_many({})
    return place.services.rooms.links.list_for(place.access(place.alice))[0].id


def invite(place: Place) -> str:
    place.services.moderation.admission.make_invite(None, uses=1, days=1)
    place.database["audit"].delete_many({})
    return place.services.moderation.admission.list_invites()[0].id


def webhook(place: Place) -> Any:
    secret = place.services.outbound.webhooks.make_incoming(place.access(place.alice), place.author, "CI")
    place.database["audit"].delete_many({})
    return place.services.outbound.incoming.find(secret)[0].id, secret


def is_no_webhook(place: Place, made: Any) -> bool:
    try:
        place.services.outbound.incoming.find(made[1])
    except Refused:
        return True
    return False


def unmanaged(place: Place) -> None:
    place.database["memberships"].update_many({}, {"$unset": {"role": ""}})


def settled(place: Place, **fields: Any) -> None:
    place.services.rooms.settings.change(place.access(place.alice), wanted(**fields))


DEEDS = {
    "remove": Deed(
        "remove_member",
        lambda place, _: place.rooms.membership.remove(place.access(place.alice), place.bob.id),
        lambda place, _: place.find(place.bob) is None,
        is_told=True,
    ),
    "remove who left": Deed(
        "remove_member",
        lambda place, _: place.rooms.membership.remove(place.access(place.alice), place.bob.id),
        lambda place, _: place.rooms.membership_store.was_removed(place.bob.id, place.room),
        leave,
    ),
    "add": Deed(
        "add_member",
        lambda place, _: place.rooms.membership.add(place.access(place.alice), place.bob.id, "Bob"),
        lambda place, _: place.find(place.bob) is not None,
        leave,
    ),
    "mute": Deed(
        "mute",
        lambda place, _: place.services.moderation.moderation.mute(place.alice, place.bob, END, "noise"),
        may_not_post,
        is_told=True,
    ),
    "mute in a room": Deed("mute", mute_in, is_muted_in, is_told=True),
    "mute who left": Deed("mute", mute_in, is_muted_in, leave),
    "ban": Deed(
        "ban",
        lambda place, _: place.services.moderation.moderation.ban(place.alice, place.bob, END, "noise"),
        lambda place, _: not place.is_signed_in(),
        is_told=True,
    ),
    "end sessions": Deed(
        "end_sessions",
        lambda place, _: place.services.moderation.moderation.end_sessions(place.alice, place.bob),
        lambda place, _: not place.is_signed_in(),
    ),
    "role": Deed(
        "set_role",
        lambda place, _: place.services.moderation.moderation.set_role(place.alice, place.again(place.dave), "member"),
        lambda place, _: place.again(place.dave).role == "member",
    ),
    "role in a room": Deed(
        "set_room_role",
        lambda place, _: place.rooms.membership.set_role(place.access(place.alice), place.bob.id, "moderator"),
        lambda place, _: place.access(place.bob).role == "moderator",
        is_told=True,
    ),
    "read-only": Deed("change_room", lambda place, _: settled(place, is_read_only=True), may_not_post, is_told=True),
    "slow": Deed(
        "change_room",
        lambda place, _: settled(place, slow_seconds=60),
        lambda place, _: place.access(place.bob).room.slow_seconds == 60,
        is_told=True,
    ),
    "archive": Deed(
        "archive_room",
        lambda place, _: place.services.rooms.settings.archive(place.access(place.alice), is_archived=True),
        may_not_post,
        is_told=True,
    ),
    "appoint": Deed(
        "appoint",
        lambda place, _: place.services.moderation.site_rooms.appoint(
            place.room.slug, place.author, place.bob, "nobody is"
        ),
        lambda place, _: place.access(place.bob).role == "administrator",
        unmanaged,
        is_told=True,
    ),
    "end a link": Deed(
        "end_room_link",
        lambda place, made: place.services.rooms.links.end(place.access(place.alice), made),
        lambda place, _: place.services.rooms.links.list_for(place.access(place.alice)) == [],
        link,
    ),
    "revoke an invite": Deed(
        "revoke_invite",
        lambda place, made: place.services.moderation.admission.revoke_invite(None, made),
        lambda place, _: place.services.moderation.admission.list_invites() == [],
        invite,
    ),
    "remove a webhook": Deed(
        "remove_webhook",
        lambda place, made: place.services.outbound.webhooks.remove(place.access(place.alice), made[0]),
        is_no_webhook,
        webhook,
    ),
    "registration": Deed(
        "set_registration",
        lambda place, _: place.services.moderation.admission.set_registration(None, "closed"),
        lambda place, _: place.services.moderation.admission.registration() == "closed",
    ),
    "holding": Deed(
        "set_holding",
        lambda place, _: place.services.moderation.newcomers.set_first(None, 2),
        lambda place, _: place.services.moderation.newcomers.first == 2,
    ),
    "approve": Deed(
        "approve_message",
        lambda place, made: place.services.moderation.approval.approve(place.alice, made),
        lambda place, made: state_of(place, made) == ("approved", True),
        hold,
    ),
    "reject": Deed(
        "reject_message",
        lambda place, made: place.services.moderation.approval.reject(place.alice, made, "an advertisement"),
        lambda place, made: state_of(place, made) == ("rejected", True),
        hold,
    ),
    "close a report": Deed(
        "uphold_report",
        lambda place, made: place.services.moderation.reports.close(place.alice, made, ["muted"], "rude"),
        lambda place, _: place.services.moderation.reports.list_open() == [],
        report,
    ),
    "delete a message": Deed("delete_message", delete, is_deleted, say),
    "clear": Deed(
        "clear_history",
        lambda place, _: place.services.erasure.clearing.begin(place.room, place.author, "a new beginning"),
        lambda place, _: place.access(place.bob).room.cleared_sequence > 0,
        say,
    ),
    "delete an account": Deed(
        "delete_account",
        lambda place, _: place.services.erasure.account_deletion.delete(None, place.bob, "", is_erased=False),
        lambda place, _: not place.is_signed_in() and place.find(place.bob) is None,
        is_told=True,
    ),
    "delete an administrator": Deed(
        "delete_account",
        lambda place, _: place.services.erasure.account_deletion.delete(
            None, place.again(place.dave), "", is_erased=True
        ),
        lambda place, _: place.services.people.users.find(place.dave.id) is None,
    ),
    "rename": Deed(
        "rename",
        lambda place, _: place.services.people.profiles.change(place.again(place.bob), Profile(display_name="Robert")),
        lambda place, _: place.again(place.bob).display_name == "Robert",
        is_told=True,
    ),
}


ON_MONGOD = [pytest.mark.integration, pytest.mark.long]
"""A minute of every run, for what mongomock shows as well: before a release is often enough."""


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    return Writes(monkeypatch)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", DEEDS)
@pytest.mark.parametrize("database", ["mongomock", pytest.param("mongod", marks=ON_MONGOD)], indirect=True)
class TestEveryWriteFails:
    def test_a_second_try_completes_it_and_it_is_noted_once(
        self, name: str, mode: str, database: Database, writes: Writes
    ) -> None:
        """M14."""
        deed = DEEDS[name]
        for number, place, made, is_answered in failures(deed, mode, database, writes):
            if not is_answered:
                deed.do(place, made)
            assert deed.is_done(place, made), number
            if deed.is_told:
                assert place.is_told(), number
            place.finish()
            assert place.entries() == [deed.act], number

    def test_without_one_it_is_done_and_noted_or_neither(
        self, name: str, mode: str, database: Database, writes: Writes
    ) -> None:
        """M14."""
        deed = DEEDS[name]
        for number, place, made, is_answered in failures(deed, mode, database, writes):
            if deed.is_told and deed.is_done(place, made):
                assert place.is_told(), number
            place.finish()
            is_done = deed.is_done(place, made)
            assert is_done or not is_answered, number
            assert place.entries() == [deed.act] * is_done, number
            left = [
                place.services.site.acts._store.list_left(each) for each in ("users", "memberships", "rooms", "held")
            ]
            assert left == [[], [], [], []]


def failures(deed: Deed, mode: str, database: Database, writes: Writes) -> Iterator[tuple[int, Place, Any, bool]]:
    """Do it again and again on the same data, each time with a later write that fails, until none is left to fail."""
    place = Place(database)
    made = deed.prepare(place)
    documents = place.documents()
    for number in count(1):
        place.fill(documents)
        is_answered = attempt(deed, place, made, writes, number, mode)
        if not writes.has_failed:
            assert number > 3, "change, announce or record, and settle: at least three writes"
            return
        yield number, place, made, is_answered


def attempt(deed: Deed, place: Place, made: Any, writes: Writes, number: int, mode: str) -> bool:
    """Do it while a write fails; whether it was answered as done."""
    place.told.clear()
    with writes.failing(number, mode):
        try:
            deed.do(place, made)
        except Unavailable:
            return False
    return True


@pytest.mark.parametrize("mode", MODES)
def test_a_reset_link_that_was_used_is_noted(mode: str, database: Database, writes: Writes) -> None:
    """M14."""
    place = Place(database)
    secret = place.services.people.resets.make(None, place.bob)
    database["audit"].delete_many({})
    documents = place.documents()
    for number in count(1):
        place.fill(documents)
        with writes.failing(number, mode), suppress(Unavailable):
            place.services.people.resets.use(secret, "another quiet evening")
        if not writes.has_failed:
            break
        place.finish()
        is_used = place.again(place.bob).password_version == 2
        assert place.entries() == ["use_reset_link"] * is_used, number
        assert place.is_signed_in() != is_used, number


MAKING: dict[str, tuple[Callable[[Place], object], str]] = {
    "make_invite": (lambda place: place.services.moderation.admission.make_invite(None, uses=1, days=1), "invites"),
    "make_room_link": (
        lambda place: place.services.rooms.links.make(place.access(place.alice), uses=1, hours=1),
        "room_invites",
    ),
    "make_webhook": (
        lambda place: place.services.outbound.webhooks.make_incoming(place.access(place.alice), place.author, "CI"),
        "hooks",
    ),
    "make_reset_link": (lambda place: place.services.people.resets.make(None, place.bob), "resets"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("act", MAKING)
def test_each_creation_is_recorded(act: str, mode: str, database: Database, writes: Writes) -> None:
    """M14."""
    make, collection = MAKING[act]
    place = Place(database)
    documents = place.documents()
    for number in count(1):
        place.fill(documents)
        with writes.failing(number, mode), suppress(Unavailable):
            make(place)
        if not writes.has_failed:
            break
        place.finish()
        made = place.database.client[database.name][collection].count_documents({})
        assert place.entries() == [act] * made, number


def test_unfinished_acts_are_finished_in_the_background(services: Services) -> None:
    """M14: by one process at a time."""
    (thread,) = [each for each in services.threads if each.name == "acts"]
    assert thread.lease is not None
    assert thread._work == services.site.acts.finish


def test_every_process_refreshes_the_rights_of_its_connections(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M16: it holds that against what is true."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(wiring, "Engine", lambda *_, **options: given.update(options))
    cast("Any", services.live).make_engine(None, None, posted_here=None)
    assert given["application"].read_rights == services.rooms.current_rights.read


class TestLate:
    """What follows from an act is done when the act may be undone, and somebody has come again."""

    @pytest.mark.parametrize("act", ["ban", "end_sessions", "use_reset_link"])
    def test_sessions_after_the_act_continue(
        self, act: str, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M18."""
        place = Place(database)
        with monkeypatch.context() as patch:
            patch.setattr(place.services.site.acts._entries, "add", away)
            LATE[act](place)
        if act == "ban":
            place.services.moderation.moderation.ban(place.alice, place.bob, None)
        place.told.clear()
        monkeypatch.setattr(place.services.people.sessions, "_clock", lambda: datetime.now(UTC) + timedelta(seconds=1))
        later = [
            place.services.people.sessions.begin(place.again(place.bob), label="", address=""),
            place.services.people.sessions.create_token(place.again(place.bob), label="bot"),
        ]
        place.finish()
        assert all(place.services.people.sessions.find_valid(secret) for secret in later)
        assert not place.is_signed_in()
        assert [notice.data for notice in place.told] == [{}] * (act == "ban")
        assert place.entries().count(act) == 1

    @pytest.mark.parametrize("end", ["webhook", "link", "invite", "reset link", "another reset link"])
    def test_an_item_ended_early_is_also_recorded_as_created(
        self, end: str, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M14: made while the log is away, and ended when it is back."""
        place = Place(database)
        make, make_end, acts = ENDS[end]
        with monkeypatch.context() as patch:
            patch.setattr(place.services.site.acts._entries, "add", away)
            made = make(place)
        make_end(place, made)
        for _ in range(2):
            place.finish()
        assert sorted(place.entries()) == sorted(acts)
        assert [place.services.site.acts._store.list_left(each) for each in PLACES] == [[]] * len(PLACES)
        left = [database["hooks"], database["room_invites"], database["invites"]]
        assert [each.count_documents({}) for each in left] == [0, 0, 0]

    def test_a_longer_mute_is_recorded_separately(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        place = Place(database)
        with monkeypatch.context() as patch:
            patch.setattr(place.services.site.acts._entries, "add", away)
            for days in (1, 2):
                place.services.moderation.moderation.mute(place.alice, place.bob, END + timedelta(days=days), "noise")
        place.finish()
        assert place.entries() == ["mute", "mute"]

    def test_a_failing_act_blocks_no_other(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        """M18: nor whoever comes next."""
        place = Place(database)
        with monkeypatch.context() as patch:
            patch.setattr(place.services.site.acts._entries, "add", away)
            for act in ("ban", "end_sessions"):
                LATE[act](place)
        place.services.site.acts._follow_ups["ban"] = broken
        place.finish()
        place.services.site.acts.finish_in("users")
        assert place.entries() == ["end_sessions"]
        assert [note.act.act for note in place.services.site.acts._store.list_left("users")] == ["ban"]


LATE: dict[str, Callable[[Place], object]] = {
    "ban": lambda place: place.services.moderation.moderation.ban(place.alice, place.bob, END, "noise"),
    "end_sessions": lambda place: place.services.moderation.moderation.end_sessions(place.alice, place.bob),
    "use_reset_link": lambda place: place.services.people.resets.use(
        place.services.people.resets.make(None, place.bob), "another quiet evening"
    ),
}


ENDS: dict[str, tuple[Callable[[Place], Any], Callable[[Place, Any], object], list[str]]] = {
    "webhook": (webhook, DEEDS["remove a webhook"].do, ["make_webhook", "remove_webhook"]),
    "link": (link, DEEDS["end a link"].do, ["make_room_link", "end_room_link"]),
    "invite": (invite, DEEDS["revoke an invite"].do, ["make_invite", "revoke_invite"]),
    "reset link": (
        lambda place: place.services.people.resets.make(None, place.bob),
        lambda place, made: place.services.people.resets.use(made, "another quiet evening"),
        ["make_reset_link", "use_reset_link"],
    ),
    "another reset link": (
        lambda place: place.services.people.resets.make(None, place.bob),
        lambda place, _: place.services.people.resets.make(None, place.bob),
        ["make_reset_link", "make_reset_link"],
    ),
}


def away(*_: Any) -> None:
    raise Unavailable("the database is away")


def broken(_: Any) -> None:
    raise ValueError("a programming error")
