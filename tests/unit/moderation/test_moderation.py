"""Who may do what to whom, and what becomes of it: on both databases."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chatroom.base.durations import FOREVER, end_of, until
from chatroom.base.errors import Refused
from chatroom.base.models import Notice, Role, Room, User
from chatroom.messages.messages_store import MessageStore
from chatroom.moderation.moderation import Moderation
from chatroom.mongo.database import Database
from chatroom.people.account_states_store import AccountStateStore
from chatroom.people.sessions import Sessions
from chatroom.people.sessions_store import SessionStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.access import LOBBY
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import Act, AuditStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.conftest import Clock
from tests.databases import make_acts, make_rooms
from tests.messaging import Messaging, make_rules

DEN = Room(id="den", slug="den", title="Den", kind="private")


class Place:
    """A site with an administrator, a moderator and members."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.clock = clock
        self.users, self.states = UserStore(database, clock=clock), AccountStateStore(database, clock=clock)
        self.rooms = RoomStore(database, clock=clock)
        self.accesses = AccessStore(database)
        self.memberships = MembershipStore(database, clock=clock)
        day = timedelta(days=1)
        self.sessions = Sessions(SessionStore(database, clock=clock), self.users, idle=day, lifetime=day, clock=clock)
        self.audit = Audit(AuditStore(database))
        self.told: list[Notice] = []
        notices = Notices(NoticeStore(database), apply=self.told.append)
        ends = {"ban": self.end_sessions_of, "end_sessions": self.end_sessions_of}
        self.doing = acts = make_acts(database, notices, clock, ends)
        rooms = make_rooms(database, Messaging(MessageStore(database, origin="here")).writer, notices, acts)
        membership, sessions = rooms.membership, self.sessions
        self.moderation = Moderation(
            self.users, self.states, self.memberships, membership, sessions, acts=acts, clock=clock
        )
        self.alice, self.bob = self.add("alice"), self.add("bob", "moderator")
        self.carol, self.dave = self.add("carol"), self.add("dave", "moderator")
        for room in (LOBBY, DEN):
            self.rooms.ensure(room)
            for user in (self.bob, self.carol, self.dave):
                self.memberships.admit(user.id, room)

    def add(self, name: str, role: Role = "member") -> User:
        return self.users.add(name, name.title(), "hash", role)

    def end_sessions_of(self, act: Act) -> None:
        self.moderation.end_sessions_of(act)

    def acts(self) -> list[tuple[str, str, str]]:
        return [(entry.actor.name, entry.act, entry.subject.name) for entry in reversed(self.audit.page().entries)]

    def check_posting(self, user: User, slug: str) -> None:
        access = self.accesses.find(user.id, slug)
        assert access
        make_rules(clock=self.clock).check("post", access, "person")

    def end(self, **duration: Any) -> Any:
        return self.clock.now + timedelta(**duration)


@pytest.fixture
def place(database: Database, clock: Clock) -> Place:
    return Place(database, clock)


class TestRoles:
    def test_administrators_give_them(self, place: Place) -> None:
        user = place.moderation.set_role(place.alice, place.carol, "moderator", "she is good at it")
        assert user.role == "moderator"
        assert place.acts() == [("Alice", "set_role", "carol")]
        assert place.told == [Notice(kind="user", user=place.carol.id)]

    def test_others_may_not(self, place: Place) -> None:
        for by in (place.bob, place.carol):
            with pytest.raises(Refused, match="Only administrators"):
                place.moderation.set_role(by, place.carol, "administrator")
        assert place.acts() == []

    def test_the_same_again_is_no_act(self, place: Place) -> None:
        place.moderation.set_role(None, place.carol, "member")
        assert place.acts() == []

    def test_the_last_administrator_stays_one(self, place: Place) -> None:
        for by in (place.alice, None):
            with pytest.raises(Refused) as refusal:
                place.moderation.set_role(by, place.alice, "member")
            assert refusal.value.reason == "last_administrator"
        place.moderation.set_role(None, place.carol, "administrator")
        assert place.moderation.set_role(None, place.alice, "member").role == "member"

    def test_also_when_two_take_it_from_each_other_at_the_same_moment(self, place: Place) -> None:
        """M02."""
        carol = place.moderation.set_role(None, place.carol, "administrator")

        def demote(user: User) -> None:
            with suppress(Refused):
                place.moderation.set_role(None, user, "member")

        for _ in range(10):
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(demote, [place.alice, carol]))
            assert place.users.has_administrator()
            for user in (place.alice, carol):
                place.states.set_role(user.id, "administrator")


class TestMute:
    def test_a_muted_user_sees_the_reason_and_the_end(self, place: Place) -> None:
        place.moderation.mute(place.bob, place.carol, place.end(hours=1), " too loud ")
        with pytest.raises(Refused, match=r"muted here until 21 November 2026, 13:00 UTC: too loud") as refusal:
            place.check_posting(place.carol, "lobby")
        assert (refusal.value.reason, refusal.value.retry_after) == ("muted", 3600)
        assert place.acts() == [("Bob", "mute", "carol")]
        place.clock.advance(hours=1)
        place.check_posting(place.carol, "lobby")

    def test_until_it_is_lifted(self, place: Place) -> None:
        place.moderation.mute(None, place.carol, FOREVER, "x")
        with pytest.raises(Refused, match="until it is lifted: x") as refusal:
            place.check_posting(place.carol, "den")
        assert refusal.value.retry_after is None
        place.moderation.mute(place.bob, place.carol, None)
        place.check_posting(place.carol, "den")
        assert place.acts() == [("the console", "mute", "carol"), ("Bob", "unmute", "carol")]

    def test_the_reason_to_lift_stays_in_the_audit_log_alone(self, place: Place) -> None:
        place.moderation.mute(place.bob, place.carol, FOREVER, "x")
        place.moderation.mute(place.bob, place.carol, None, "a mistake")
        place.moderation.ban(place.bob, place.carol, FOREVER, "y")
        place.moderation.ban(place.bob, place.carol, None, "another")
        carol = place.moderation.get(place.carol.id)
        assert (carol.mute_reason, carol.ban_reason) == ("", "")

    def test_in_one_room(self, place: Place) -> None:
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        place.moderation.mute_in(lobby, place.bob, place.carol, place.end(hours=1), "here")
        with pytest.raises(Refused, match="here"):
            place.check_posting(place.carol, "lobby")
        place.check_posting(place.carol, "den")
        assert place.told == [Notice(kind="access", user=place.carol.id, room="lobby")]
        place.moderation.mute_in(lobby, place.bob, place.carol, None, "")
        place.check_posting(place.carol, "lobby")

    def test_a_muted_user_who_leaves_returns_muted(self, place: Place) -> None:
        """M17."""
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        place.memberships.leave(place.carol.id, LOBBY)
        place.moderation.mute_in(lobby, place.bob, place.carol, place.end(hours=1), "here")
        place.memberships.admit(place.carol.id, LOBBY)
        with pytest.raises(Refused, match="here"):
            place.check_posting(place.carol, "lobby")

    def test_in_a_public_room_site_moderators_cannot_be_muted(self, place: Place) -> None:
        """M15."""
        place.memberships.set_role(place.carol.id, LOBBY, "administrator")
        place.memberships.admit(place.alice.id, LOBBY)
        lobby = place.accesses.find(place.carol.id, "lobby")
        assert lobby
        for user in (place.alice, place.bob):
            with pytest.raises(Refused, match="You may not"):
                place.moderation.mute_in(lobby, place.carol, user, FOREVER, "x")

    def test_in_a_public_room_site_moderators_mute_its_administrators(self, place: Place) -> None:
        """M15."""
        place.memberships.set_role(place.carol.id, LOBBY, "administrator")
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        place.moderation.mute_in(lobby, place.bob, place.carol, place.end(hours=1), "here")
        with pytest.raises(Refused, match="here"):
            place.check_posting(place.carol, "lobby")

    def test_the_same_again_is_one_act(self, place: Place) -> None:
        for seconds in (0, 5):
            place.moderation.mute(place.bob, place.carol, place.end(hours=1, seconds=seconds), "noise")
            place.moderation.ban(place.bob, place.carol, place.end(hours=1, seconds=seconds), "noise")
        assert place.acts() == [("Bob", "mute", "carol"), ("Bob", "ban", "carol")]
        place.moderation.mute(place.bob, place.carol, place.end(hours=2), "noise")
        assert len(place.acts()) == 3

    def test_another_length_is_another_act(self, place: Place) -> None:
        """For the same reason, a minute longer or shorter."""
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        for minutes in (1, 2, 1):
            end = place.end(minutes=minutes)
            place.moderation.mute(place.bob, place.carol, end, "noise")
            place.moderation.mute_in(lobby, place.bob, place.carol, end, "noise")
            place.moderation.ban(place.bob, place.carol, end, "noise")
            carol = place.moderation.get(place.carol.id)
            assert (carol.muted_until, carol.banned_until) == (end, end)
            assert place.memberships.mute_of(place.carol.id, "lobby") == (end, "noise")
        assert len(place.acts()) == 9

    def test_an_expired_mute_can_be_set_again(self, place: Place) -> None:
        for _ in range(2):
            place.moderation.mute(place.bob, place.carol, place.end(seconds=5), "noise")
            with pytest.raises(Refused, match="muted"):
                place.check_posting(place.carol, "lobby")
            place.clock.advance(seconds=5)
        assert len(place.acts()) == 2

    def test_the_later_of_two_counts(self, place: Place) -> None:
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        place.moderation.mute_in(lobby, place.bob, place.carol, place.end(hours=2), "in the lobby")
        place.moderation.mute(place.bob, place.carol, place.end(hours=1), "everywhere")
        with pytest.raises(Refused, match="in the lobby"):
            place.check_posting(place.carol, "lobby")
        with pytest.raises(Refused, match="everywhere"):
            place.check_posting(place.carol, "den")

    def test_a_private_room_has_moderators_of_its_own(self, place: Place) -> None:
        den = place.accesses.find(place.bob.id, "den")
        assert den
        with pytest.raises(Refused, match="You may not"):
            place.moderation.mute_in(den, place.bob, place.carol, FOREVER, "x")

    def test_nonmembers_and_equals_cannot_be_muted(self, place: Place) -> None:
        lobby = place.accesses.find(place.bob.id, "lobby")
        assert lobby
        with pytest.raises(Refused, match="not a member of this room"):
            place.moderation.mute_in(lobby, place.bob, place.alice, FOREVER, "x")
        with pytest.raises(Refused, match="You may not"):
            place.moderation.mute_in(lobby, place.bob, place.dave, FOREVER, "x")


class TestBan:
    def test_every_session_and_token_is_over(self, place: Place) -> None:
        """M03."""
        secrets = [place.sessions.begin(place.carol, label="", address=""), begin_token(place)]
        place.moderation.ban(place.bob, place.carol, place.end(days=7), "spam")
        assert [place.sessions.find_valid(secret) for secret in secrets] == [None, None]
        assert place.told[0].data == {
            "end": True,
            "message": "You are banned until 28 November 2026, 12:00 UTC: spam",
        }
        assert place.acts() == [("Bob", "ban", "carol")]

    def test_a_session_created_during_the_ban_is_invalid(self, place: Place) -> None:
        """M03."""
        place.moderation.ban(place.bob, place.carol, place.end(days=7), "spam")
        secret = place.sessions.begin(place.carol, label="", address="")
        assert place.sessions.find_valid(secret) is None
        place.moderation.ban(place.bob, place.carol, None)
        assert place.sessions.find_valid(secret) is not None

    def test_it_ends_by_itself(self, place: Place) -> None:
        place.moderation.ban(place.bob, place.carol, place.end(hours=1), "spam")
        place.clock.advance(hours=1)
        secret = place.sessions.begin(place.carol, label="", address="")
        assert place.sessions.find_valid(secret) is not None


def begin_token(place: Place) -> str:
    return place.sessions.create_token(place.carol, label="bot")


class TestPower:
    def test_nobody_acts_on_equals_or_above(self, place: Place) -> None:
        """M01."""
        moderation, end = place.moderation, place.end(hours=1)
        erin = place.add("erin", "administrator")
        pairs = [
            (place.bob, place.alice),
            (place.bob, place.dave),
            (place.bob, place.bob),
            (place.carol, place.carol),
            (place.carol, place.bob),
            (place.alice, erin),
        ]
        for by, user in pairs:
            for act in (moderation.mute, moderation.ban):
                for when in (end, None):
                    with pytest.raises(Refused, match="You may not do this to a"):
                        act(by, user, when, "x")
        assert place.acts() == []

    def test_only_administrators_end_sessions(self, place: Place) -> None:
        secret = place.sessions.begin(place.carol, label="", address="")
        with pytest.raises(Refused):
            place.moderation.end_sessions(place.bob, place.carol)
        assert place.moderation.end_sessions(place.alice, place.carol) == 1
        assert place.sessions.find_valid(secret) is None

    @pytest.mark.parametrize(("reason", "word"), [("", "invalid"), ("  \n", "invalid"), ("x" * 301, "too_long")])
    def test_a_reason_is_wanted(self, place: Place, reason: str, word: str) -> None:
        for act in (place.moderation.mute, place.moderation.ban):
            with pytest.raises(Refused) as refusal:
                act(place.alice, place.carol, place.end(hours=1), reason)
            assert refusal.value.reason == word


class TestDurations:
    @pytest.mark.parametrize(("text", "hours"), [("15m", 0.25), ("2h", 2), ("7d", 168)])
    def test_of_every_kind(self, clock: Clock, text: str, hours: float) -> None:
        assert end_of(text, clock.now) - clock.now == timedelta(hours=hours)

    @pytest.mark.parametrize("text", ["", "0m", "-1h", "1", "h", "1w", "3651d", "9999999d", "1 h", "١h", "99999999m"])
    def test_invalid_durations(self, clock: Clock, text: str) -> None:
        with pytest.raises(Refused, match="Write a duration"):
            end_of(text, clock.now)

    def test_lifted(self, clock: Clock) -> None:
        assert end_of("lifted", clock.now) == FOREVER
        assert until(FOREVER) == "until it is lifted"
