"""First messages of newcomers: held once, decided once, posted once, and seen by nobody before. M12, M13."""

import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chatroom.base.access import Access
from chatroom.base.config import Settings
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Draft, Held, Message, Role, Room, User
from chatroom.files.wiring import FileParts
from chatroom.messages import posting
from chatroom.messages.mentions import Mentions
from chatroom.messages.messages_store import MessageStore, Stored
from chatroom.moderation.approval import Approval
from chatroom.moderation.decisions import UNFINISHED_AFTER, Decisions
from chatroom.moderation.held_store import HeldStore
from chatroom.moderation.holding import MOST_HELD, Holding
from chatroom.moderation.newcomers import LOOK_BACK, MOST, Newcomers
from chatroom.mongo.context import Context
from chatroom.mongo.database import Database
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import Act, AuditStore
from chatroom.site.leases_store import LeaseStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from chatroom.site.settings_store import Site
from tests.databases import make_acts, make_rooms
from tests.messaging import Messaging

LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
DEN = Room(id="den", slug="den", title="Den", kind="private")


class World:
    """A site where the first two messages of newcomers are held: Alice administrates, Bob moderates, Carol is new."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = datetime.now(UTC).replace(microsecond=0)
        clock: Callable[[], datetime] = lambda: self.now  # noqa: E731
        self.users = UserStore(database, clock=clock)
        self.rooms = RoomStore(database)
        self.accesses = AccessStore(database)
        self.members = MemberStore(database)
        self.memberships = MembershipStore(database)
        self.rooms.ensure(LOBBY)
        self.rooms.ensure(DEN)
        self.store = MessageStore(database, origin="here")
        self.held = HeldStore(database, clock=clock)
        find_message, find_held = self.store.find_by_client_id, self.held.find
        context = Context(Settings(), database, "", "here")
        site: Any = SimpleNamespace(context=context, leases=LeaseStore(database, holder="here"))
        self.files = FileParts(site, find_message=find_message, find_held=find_held, clock=clock)
        self.notices = Notices(NoticeStore(database))
        self.audit = Audit(AuditStore(database))
        decided = {"approve_message": self.finish_decision, "reject_message": self.finish_decision}
        self.doing = make_acts(database, self.notices, clock, decided)
        self.newcomers = Newcomers(Site(database), self.users, self.doing, clock=clock)
        self.holding = Holding(
            self.held, self.users, self.store, newcomers=self.newcomers, notices=self.notices, clock=clock
        )
        self.messages = Messaging(
            self.store,
            files=self.files.of_messages,
            find_mentions=Mentions(self.members.find_named).find,
            is_newcomer=self.newcomers.seems_one,
            holding=posting.Holding(
                may_hold=self.newcomers.may_be_held, find=self.holding.find, hold=self.holding.hold
            ),
        )
        stores = (self.held, self.users, self.rooms, self.accesses)
        posting_ = self.messages.posting
        self.decisions = Decisions(*stores, posting_, files=self.files.of_messages, notices=self.notices)
        self.approval = Approval(*stores, posting=posting_, decisions=self.decisions, acts=self.doing)
        self.alice = self.add("alice")
        self.bob = self.add("bob", "moderator")
        self.carol = self.add("carol")
        self.newcomers.set_first(self.alice, 2)

    def finish_decision(self, act: Act) -> None:
        self.decisions.complete_act(act)

    def add(self, name: str, role: Role = "member", **more: Any) -> User:
        user = self.users.add(name, name.title(), "x", role, **more)
        self.memberships.admit(user.id, LOBBY)
        return user

    def access(self, user: User, room: Room = LOBBY) -> Access:
        found = self.accesses.find(user.id, room.slug)
        assert found
        return found

    def draft(self, user: User, client_id: str, text: str = "") -> Draft:
        return Draft(author=Author(user.id, user.display_name), text=text or client_id, client_id=client_id)

    def hold(self, client_id: str, user: User | None = None, room: Room = LOBBY, files: tuple[str, ...] = ()) -> Held:
        user = user or self.carol
        held = self.holding.hold(
            self.access(user, room), self.files.of_messages.attach(room, self.draft(user, client_id), files)
        )
        assert held
        return held

    def is_free(self, user: User, client_id: str = "another", room: Room = LOBBY) -> bool:
        return self.holding.hold(self.access(user, room), self.draft(user, client_id)) is None

    def said(self, room: Room = LOBBY) -> list[Message]:
        return self.store.newest(room.id, 100)

    def texts(self, room: Room = LOBBY) -> list[str]:
        return [message.text for message in self.said(room)]

    def acts(self) -> list[str]:
        return [entry.act for entry in self.audit.page().entries][::-1]

    def told(self, kind: str) -> list[str | None]:
        found = self.database["notices"].find({"kind": kind})
        return [document["user"] for document in found]


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


class TestWho:
    def test_a_newcomer_is_held_until_so_many_are_approved(self, world: World) -> None:
        for number in range(2):
            held = world.hold(f"c{number}")
            world.approval.approve(world.bob, held.id)
        assert world.is_free(world.carol)
        assert world.texts() == ["c0", "c1"]

    def test_moderators_and_bots_are_not_newcomers(self, world: World) -> None:
        for user in (world.alice, world.bob, world.add("robot", is_bot=True)):
            assert world.is_free(user)

    def test_older_accounts_are_not_newcomers(self, world: World) -> None:
        since = world.now - LOOK_BACK - timedelta(seconds=1)
        world.database["users"].update_one({"_id": world.carol.id}, {"$set": {"created_at": since}})
        assert world.is_free(world.carol)
        world.database["users"].update_one(
            {"_id": world.carol.id}, {"$set": {"created_at": since + timedelta(minutes=1)}}
        )
        assert world.hold("c1")

    def test_without_holding_there_are_no_newcomers(self, world: World) -> None:
        held = world.hold("c1")
        world.newcomers.set_first(world.alice, 0)
        assert world.is_free(world.carol)
        assert [each.held.id for each in world.approval.list_all()] == [held.id]
        assert world.holding.hold(world.access(world.carol), world.draft(world.carol, "c1")) == held

    def test_a_moderator_of_the_room_is_not_there(self, world: World) -> None:
        world.memberships.admit(world.carol.id, DEN)
        assert world.hold("c1", room=DEN)
        world.database["memberships"].update_one(
            {"user": world.carol.id, "room": DEN.id}, {"$set": {"role": "moderator"}}
        )
        assert world.is_free(world.carol, room=DEN)
        assert not world.is_free(world.carol)

    def test_direct_rooms_are_left_alone_and_not_begun(self, world: World) -> None:
        rooms = make_rooms(
            world.database,
            world.messages.writer,
            world.notices,
            check_making=world.newcomers.check_making_rooms,
            check_direct=world.newcomers.check_direct,
        )
        carol, dave = Author(world.carol.id, "Carol"), world.add("dave")
        for attempt in (
            lambda: rooms.direct.open(carol, [dave.id]),
            lambda: rooms.direct.open(carol, [world.bob.id, dave.id]),
            lambda: rooms.making.create(carol, "member", title="Bargains"),
        ):
            with pytest.raises(Refused) as refusal:
                attempt()
            assert refusal.value.reason == "newcomer"
        assert world.is_free(world.carol, room=rooms.direct.open(carol, [world.bob.id]))
        # Somebody who is known began it: they may answer.
        room = rooms.direct.open(Author(world.bob.id, "Bob"), [world.carol.id, world.alice.id])
        assert rooms.direct.open(carol, [world.bob.id, world.alice.id]) == room
        assert world.is_free(world.carol, room=room)

    def test_an_approved_message_cannot_be_edited(self, world: World) -> None:
        world.approval.approve(world.bob, world.hold("c1").id)
        with pytest.raises(Refused) as refusal:
            world.messages.changes.editing(world.access(world.carol), world.said()[0].id, "Buy!")
        assert refusal.value.reason == "newcomer"
        world.approval.approve(world.bob, world.hold("c2").id)
        world.messages.change(
            LOBBY, world.messages.changes.editing(world.access(world.carol), world.said()[0].id, "Hi")
        )

    @pytest.mark.parametrize("first", [-1, MOST + 1])
    def test_the_setting_has_bounds(self, world: World, first: int) -> None:
        with pytest.raises(Refused, match="1 to 20"):
            world.newcomers.set_first(world.alice, first)

    def test_only_administrators_set_it(self, world: World) -> None:
        with pytest.raises(Refused, match="administrators"):
            world.newcomers.set_first(world.bob, 0)

    def test_the_hot_path_asks_the_database_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The event loop calls this for each post."""
        access, known = world.access(world.carol), world.access(world.bob)

        def fail(*_: Any, **__: Any) -> None:
            raise AssertionError("the database was asked")

        monkeypatch.setattr(Database, "bounded", fail)
        assert world.newcomers.may_be_held(access)
        assert not world.newcomers.may_be_held(known)

    def test_another_process_holds_before_it_has_read_the_setting(self, world: World) -> None:
        elsewhere = Newcomers(Site(world.database), world.users, world.doing)
        assert elsewhere.may_be_held(world.access(world.carol))
        assert elsewhere.first == 2
        assert elsewhere.may_be_held(world.access(world.carol))


class TestHold:
    def test_it_is_no_part_of_the_room(self, world: World) -> None:
        world.hold("c1")
        assert world.said() == []
        assert world.store.newest_revision(LOBBY.id) == 0
        assert [(each.text, each.state) for each in world.approval.list_of(world.access(world.carol))] == [
            ("c1", "waiting")
        ]
        assert world.approval.list_of(world.access(world.bob)) == []
        assert world.told("held") == [world.carol.id]

    def test_sent_again_it_is_the_same(self, world: World) -> None:
        assert world.hold("c1") == world.hold("c1")
        assert len(world.approval.list_all()) == 1

    def test_simultaneous_repeats_are_held_once(self, world: World) -> None:
        access, found = world.access(world.carol), []
        send = lambda: found.append(world.holding.hold(access, world.draft(world.carol, "c1")))  # noqa: E731
        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({held.id for held in found if held}) == len(world.approval.list_all()) == 1
        assert len(found) == 6

    def test_after_the_approval_it_is_answered_with_its_message(self, world: World) -> None:
        world.approval.approve(world.bob, world.hold("c1").id)
        access, draft = world.access(world.carol), world.draft(world.carol, "c1")
        assert world.holding.hold(access, draft) is None
        assert world.messages.post(LOBBY, draft) == Stored(world.said()[0], is_repeated=True)

    def test_after_the_rejection_it_is_refused_with_the_reason(self, world: World) -> None:
        world.approval.reject(world.bob, world.hold("c1").id, "Advertising.")
        with pytest.raises(Refused, match="Advertising") as refusal:
            world.hold("c1")
        assert refusal.value.reason == "rejected"

    def test_a_repeat_by_a_trusted_author_is_answered(self, world: World) -> None:
        rejected = world.hold("c1")
        world.approval.reject(world.bob, rejected.id, "Advertising.")
        world.approval.approve(world.bob, world.hold("c2").id, is_trusting=True)
        assert world.is_free(world.carol)
        with pytest.raises(Refused, match="Advertising"):
            world.hold("c1")

    def test_a_repeat_of_a_posted_message_is_not_held(self, world: World) -> None:
        draft = world.draft(world.carol, "c1")
        world.messages.post(LOBBY, draft)
        assert world.holding.hold(world.access(world.carol), draft) is None

    def test_held_messages_per_person_are_limited(self, world: World) -> None:
        for number in range(MOST_HELD):
            world.hold(f"c{number}")
        with pytest.raises(Refused, match="waiting for approval") as refusal:
            world.hold("one more")
        assert refusal.value.reason == "too_many_held"
        assert world.hold("c3")
        world.approval.withdraw(world.access(world.carol), world.hold("c0").id)
        assert world.hold("one more")

    def test_the_limit_applies_to_simultaneous_messages(self, world: World) -> None:
        access, outcomes = world.access(world.carol), []

        def send(number: int) -> None:
            try:
                outcomes.append(world.holding.hold(access, world.draft(world.carol, f"c{number}")))
            except Refused:
                outcomes.append(None)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(MOST_HELD + 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(world.approval.list_all()) == len([each for each in outcomes if each]) == MOST_HELD

    def test_the_site_has_a_bound_too(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chatroom.moderation.holding.MOST_ON_SITE", 1)
        world.hold("c1")
        with pytest.raises(Refused, match="here"):
            world.hold("d1", world.add("dave"))

    def test_a_held_mention_notifies_nobody(self, world: World) -> None:
        access = world.access(world.carol)
        held = world.holding.hold(access, world.draft(world.carol, "c1", "@bob, look"))
        assert held
        world.approval.approve(world.bob, held.id)
        assert world.said()[0].mentions == (world.bob.id,)


class TestWithdraw:
    def test_it_is_gone_with_its_words(self, world: World) -> None:
        held = world.hold("c1")
        world.approval.withdraw(world.access(world.carol), held.id)
        assert world.approval.list_all() == world.approval.list_of(world.access(world.carol)) == []
        found = world.database["held"].find_one({})
        assert found
        assert "text" not in found
        with pytest.raises(Refused) as refusal:
            world.hold("c1")
        assert refusal.value.reason == "withdrawn"
        world.approval.withdraw(world.access(world.carol), held.id)

    def test_only_one_s_own(self, world: World) -> None:
        held = world.hold("c1")
        for user in (world.bob, world.alice):
            with pytest.raises(Refused, match="not waiting for approval"):
                world.approval.withdraw(world.access(user), held.id)
        for held_id in ("0" * 24, "guessed"):
            with pytest.raises(Refused, match="not waiting for approval"):
                world.approval.withdraw(world.access(world.carol), held_id)

    def test_an_approved_message_cannot_be_withdrawn(self, world: World) -> None:
        held = world.hold("c1")
        world.approval.approve(world.bob, held.id)
        with pytest.raises(Refused, match="approved in the meantime"):
            world.approval.withdraw(world.access(world.carol), held.id)

    def test_a_rejected_message_is_shown_until_it_is_dismissed(self, world: World) -> None:
        held = world.hold("c1")
        world.approval.reject(world.bob, held.id, "Advertising.")
        (shown,) = world.approval.list_of(world.access(world.carol))
        assert (shown.state, shown.text, shown.reason) == ("rejected", "c1", "Advertising.")
        world.approval.withdraw(world.access(world.carol), held.id)
        assert world.approval.list_of(world.access(world.carol)) == []


class TestDecide:
    def test_approved_it_is_posted_as_its_author_s_under_its_client_id(self, world: World) -> None:
        AccountStateStore(world.database).set_mute(
            world.carol.id, world.now + timedelta(hours=1), "x"
        )  # the moderator knows better
        held = world.held.find_by_id(world.hold("c1").id)
        assert held
        world.approval.approve(world.bob, held.id)
        (message,) = world.said()
        assert (message.author, message.client_id, message.text) == (Author(world.carol.id, "Carol"), "c1", "c1")
        assert world.acts() == ["set_holding", "approve_message"]
        assert world.told("user") == [world.carol.id]
        assert world.access(world.carol).approval_state.approved == 1

    def test_messages_of_a_trusted_author_are_not_held(self, world: World) -> None:
        world.approval.approve(world.bob, world.hold("c1").id, is_trusting=True)
        assert world.is_free(world.carol)

    def test_simultaneous_moderators(self, world: World) -> None:
        """Each is decided once, and the second is told by whom."""
        held = world.hold("c1")
        outcomes: list[str] = []

        def decide(by: User, what: str) -> None:
            try:
                if what == "approve":
                    world.approval.approve(by, held.id)
                else:
                    world.approval.reject(by, held.id, "No.")
                outcomes.append("done")
            except Refused as refusal:
                outcomes.append(refusal.message)

        acts = [(world.alice, "approve"), (world.bob, "reject"), (world.bob, "approve"), (world.alice, "reject")]
        threads = [threading.Thread(target=decide, args=act) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("done") == 1
        assert all(said == "done" or said.startswith("Already decided: ") for said in outcomes)
        assert len(world.acts()) == 2
        assert len(world.said()) <= 1

    def test_the_second_moderator_learns_who_decided(self, world: World) -> None:
        held = world.hold("c1")
        world.approval.approve(world.alice, held.id)
        with pytest.raises(Refused, match="Already decided: Alice approved this message") as refusal:
            world.approval.reject(world.bob, held.id, "No.")
        assert refusal.value.reason == "conflict"

    @pytest.mark.parametrize("dies_in", ["post", "count_approved", "finish"])
    def test_a_process_that_dies_in_between(self, world: World, monkeypatch: pytest.MonkeyPatch, dies_in: str) -> None:
        """Another one finishes it, and nothing is done twice."""
        held = world.hold("c1")
        owner = {"post": world.messages.writer, "count_approved": world.users, "finish": world.held}[dies_in]
        with monkeypatch.context() as patch:
            patch.setattr(owner, dies_in, _die)
            with pytest.raises(Unavailable, match="Your decision is stored"):
                world.approval.approve(world.bob, held.id)
        assert world.holding.hold(world.access(world.carol), world.draft(world.carol, "c1"))
        assert world.decisions.finish() == 0  # whoever decided may still be at it
        world.now += UNFINISHED_AFTER + timedelta(seconds=1)
        assert world.decisions.finish() == 1
        assert world.decisions.finish() == 0
        assert world.texts() == ["c1"]
        assert world.access(world.carol).approval_state.approved == 1
        assert world.acts() == ["set_holding", "approve_message"]

    def test_rejected_it_needs_a_reason_of_some_length(self, world: World) -> None:
        held = world.hold("c1")
        for reason, words in ((" ", "Give a reason"), ("x" * 301, "too long")):
            with pytest.raises(Refused, match=words):
                world.approval.reject(world.bob, held.id, reason)
        world.approval.reject(world.bob, held.id, "x" * 300)
        assert world.said() == []
        assert world.acts() == ["set_holding", "reject_message"]

    def test_rejected_with_all_others_of_the_same_person(self, world: World) -> None:
        for number in range(3):
            held = world.hold(f"c{number}")
        other = world.hold("d1", world.add("dave"))
        assert world.approval.reject(world.bob, held.id, "Advertising.", with_others=True) == 3
        assert [each.held.id for each in world.approval.list_all()] == [other.id]

    def test_permissions_to_decide(self, world: World) -> None:
        """In a private room its own moderators alone, whoever rules over the site; and nobody about themselves."""
        dave = world.add("dave")
        for user in (world.carol, dave):
            world.memberships.admit(user.id, DEN)
        world.database["memberships"].update_one({"user": dave.id, "room": DEN.id}, {"$set": {"role": "moderator"}})
        held, public = world.hold("c1", room=DEN), world.hold("c2")
        assert [each.held.id for each in world.approval.list_for(dave)] == [held.id]
        assert [each.held.id for each in world.approval.list_for(world.alice)] == [public.id]
        assert (world.approval.count_for(dave), world.approval.count_for(world.alice)) == (1, 1)
        for by, each in ((world.alice, held), (dave, public), (world.carol, public)):
            with pytest.raises(Refused, match="may not decide"):
                world.approval.approve(by, each.id)
        with pytest.raises(Refused, match="may not see it"):
            world.approval.list_for(world.carol)
        AccountStateStore(world.database).set_role(world.carol.id, "moderator")
        carol = world.users.find(world.carol.id)
        assert carol
        assert world.approval.list_for(carol) == []
        with pytest.raises(Refused, match="may not decide"):
            world.approval.approve(carol, public.id)
        world.approval.approve(dave, held.id)
        assert world.texts(DEN) == ["c1"]

    def test_a_former_member_or_a_closed_room_prevents_the_approval(self, world: World) -> None:
        held = world.hold("c1")
        world.rooms.change(LOBBY.id, {"archived_at": world.now})
        with pytest.raises(Refused, match="archived"):
            world.approval.approve(world.bob, held.id)
        world.rooms.change(LOBBY.id, {"archived_at": None})
        world.database["memberships"].delete_one({"user": world.carol.id, "room": LOBBY.id})
        with pytest.raises(Refused, match="has left the room"):
            world.approval.approve(world.bob, held.id)
        world.approval.reject(world.bob, held.id, "You left.")


class TestFiles:
    def test_are_kept_until_it_is_decided(self, world: World) -> None:
        file = world.files.uploads.take(world.carol.id, LOBBY, "a.txt", io.BytesIO(b"words"))
        held = world.hold("c1", files=(file.id,))
        assert held.files == (file,)
        kept = world.files.store.get(file.id)
        assert world.approval.may_see(world.bob, kept)
        assert not world.approval.may_see(world.carol, kept)
        assert not world.files.usage.has_message(kept)
        world.now += timedelta(days=3)
        assert world.files.usage.sweep() == 0
        with pytest.raises(Refused, match="belongs to another message"):
            world.hold("c2", files=(file.id,))
        world.approval.approve(world.bob, held.id)
        assert world.said()[0].files == (file,)
        world.now += timedelta(days=8)
        assert world.files.usage.sweep() == 0

    @pytest.mark.parametrize("how", ["rejected", "withdrawn"])
    def test_are_gone_with_it(self, world: World, how: str) -> None:
        file = world.files.uploads.take(world.carol.id, LOBBY, "a.txt", io.BytesIO(b"words"))
        held = world.hold("c1", files=(file.id,))
        if how == "rejected":
            world.approval.reject(world.bob, held.id, "No.")
        else:
            world.approval.withdraw(world.access(world.carol), held.id)
        with pytest.raises(Refused, match="no such file"):
            world.files.store.get(file.id)
        assert world.files.usage.sweep() == 1


def _die(*_: Any, **__: Any) -> None:
    raise Unavailable("The process is gone.")
