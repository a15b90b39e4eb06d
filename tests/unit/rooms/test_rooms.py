import hashlib
import threading
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.base.access import Access
from chatroom.base.errors import Refused, Unavailable
from chatroom.base.models import Author, Notice, Role, Room, Slug
from chatroom.messages.messages_store import MessageStore
from chatroom.messages.rules import RoomRules
from chatroom.mongo.database import Database
from chatroom.names import clean_title, make_slug
from chatroom.rooms.rooms import LOBBY, MOST_PEOPLE, Rooms
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import Audit
from chatroom.site.audit_store import AuditStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.conftest import Clock
from tests.databases import make_acts, make_rooms
from tests.messaging import Messaging, new_draft
from tests.people import ALICE, BOB, MALLORY

DEN = Room(id="den", slug="the-den", title="The den", kind="private")


class World:
    """Rooms over a database, and what was told of them."""

    def __init__(self, database: Database, clock: Clock, **settings: int | bool) -> None:
        self.database = database
        self.clock = clock
        self.told: list[Notice] = []
        self.store = MessageStore(database, origin="here")
        self.messages = Messaging(self.store, clock=clock)
        notices = Notices(NoticeStore(database), apply=self.told.append)
        self.audit = Audit(AuditStore(database))
        self.acts = make_acts(database, notices, clock)
        self.rooms = make_rooms(database, self.messages.writer, notices, self.acts, **settings)
        self.rooms._members._clock = clock
        self.rooms.ensure_lobby()
        for person in (ALICE, BOB, MALLORY):
            keys = {"username_key": person.id, "display_name_key": person.id, "name_keys": [person.id]}
            names = {"display_name": person.name, "username": person.name.lower()}
            database["users"].insert_one({"_id": person.id, **names, **keys})

    def lines(self, room: Room) -> list[str]:
        """What the room itself said."""
        return [each.text for each in self.store.newest(room.id, 50) if each.kind == "event"]

    def den(self) -> Access:
        """A private room of Alice's with Bob in it, as Alice sees it."""
        room = self.rooms.create(ALICE, "member", title="The den", is_private=True)
        access = self.access(ALICE, room)
        self.rooms.add_member(access, BOB.id, BOB.name)
        return access

    def access(self, person: Author, room: Room) -> Access:
        return self.rooms.visit(person.id, room.slug)

    def post(self, access: Access, client_id: str) -> None:
        """What the rules of the room say to a post."""
        rules = RoomRules(take_turn=self.rooms._members.take_turn, clock=self.clock)
        rules.check("post", access, "person")
        rules.take_turn(access, "person", client_id)

    def is_in(self, person: Author, room: Room) -> bool:
        return self.rooms.find_for(person.id, room.slug) is not None


@pytest.fixture
def world(database: Database, clock: Clock) -> World:
    return World(database, clock)


@pytest.fixture
def rooms(world: World) -> Rooms:
    return world.rooms


def reason(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.reason


class TestFinding:
    def test_a_member_gets_the_room(self, world: World) -> None:
        store = RoomStore(world.database)
        store.ensure(DEN)
        store.admit(ALICE.id, DEN)
        assert world.rooms.get_for(ALICE.id, "the-den").room == DEN

    @pytest.mark.parametrize("slug", ["the-den", "nowhere", "den", "", "\0", "$ne", "THE-DEN"])
    def test_w09_an_outsider_is_told_the_same_of_a_closed_room_and_of_none(self, world: World, slug: str) -> None:
        RoomStore(world.database).ensure(DEN)
        with pytest.raises(Refused) as refusal:
            world.rooms.get_for(MALLORY.id, slug)
        assert reason(refusal) == "not_found"
        assert refusal.value.message == "There is no such room, or you are not a member of it."

    def test_who_comes_to_an_open_room_becomes_a_member(self, world: World) -> None:
        assert world.rooms.get_for(MALLORY.id, "lobby").room == LOBBY
        assert world.rooms.get_for(MALLORY.id, "lobby").room == LOBBY
        assert world.database["memberships"].count_documents({"user": MALLORY.id}) == 1

    def test_who_comes_begins_to_read_at_the_end(self, world: World) -> None:
        for n in range(3):
            world.messages.post(LOBBY, new_draft(BOB, f"hi {n}"))
        assert world.rooms.get_for(ALICE.id, "lobby").membership.read_sequence == 3

    def test_the_lobby_is_made_once(self, world: World) -> None:
        world.rooms.ensure_lobby()
        assert world.database["rooms"].count_documents({"slug": "lobby"}) == 1


class TestMaking:
    @pytest.mark.parametrize(
        ("title", "slug"),
        [
            ("Tea & Biscuits!", "tea-biscuits"),
            ("Ärger  im   Büro", "ärger-im-büro"),
            ("会議室", "会議室"),
            ("../../etc", "etc"),
            ("🎉🎉", "room"),
            ("x" * 60, "x" * 40),
        ],
    )
    def test_a_slug_is_made_of_the_title(self, title: str, slug: str) -> None:
        assert make_slug(title) == slug

    @pytest.mark.parametrize(
        ("title", "why"),
        [
            ("Lobby", "invalid"),
            ("LOBBY", "invalid"),
            ("L\u043ebby", "invalid"),  # with a Cyrillic o
            ("Lobb\u0443", "invalid"),
            ("Ｌｏｂｂｙ", "invalid"),
            ("L0bby", "invalid"),
            ("Coco", "taken"),
            ("\u0441\u043e\u0441\u043e", "taken"),  # wholly Cyrillic
            ("IlI", "taken"),
        ],
    )
    def test_no_room_passes_for_another(self, rooms: Rooms, title: str, why: str) -> None:
        """U11."""
        for other in ("coco", "lll"):
            rooms.create(BOB, "member", title=other)
        with pytest.raises(Refused) as refusal:
            rooms.create(MALLORY, "member", title=title)
        assert reason(refusal) == why

    @pytest.mark.parametrize("title", ["Чат Python", "Pythonで遊ぶ", "Café 2", "Lobbying", "R&D — отдел", "😀", "C++"])
    def test_ordinary_titles_are_free(self, rooms: Rooms, title: str) -> None:
        assert rooms.create(ALICE, "member", title=title).title == title

    def test_what_private_rooms_are_called_takes_no_name_away(self, rooms: Rooms) -> None:
        """U11: else it would tell what they are called."""
        for _ in range(2):
            rooms.create(BOB, "member", title="Tea", is_private=True)
        rooms.create(MALLORY, "member", title="Tea")
        rooms.create(BOB, "member", title="Tea", is_private=True)
        with pytest.raises(Refused):
            rooms.create(BOB, "member", title="Lobby", is_private=True)

    def test_rooms_of_before_keep_their_titles_and_have_them_alone(self, world: World) -> None:
        """U11."""
        for n in range(2):
            old = {"_id": f"old{n}", "slug": f"old-{n}", "title": "Old", "title_key": "old", "kind": "public"}
            world.database["rooms"].insert_one(old)
        for _ in range(2):
            world.rooms._store.key_titles()
        with pytest.raises(Refused) as refusal:
            world.rooms.create(MALLORY, "member", title="OLD")
        assert reason(refusal) == "taken"

    @pytest.mark.parametrize("title", ["dm-" + "0" * 20, "DM " + "0123456789" * 2, " dm.Abcdefabcdefabcdef00 "])
    def test_no_title_reaches_the_address_of_a_conversation(self, rooms: Rooms, title: str) -> None:
        """U08."""
        for make in (clean_title, make_slug, lambda title: rooms.create(ALICE, "member", title=title)):
            with pytest.raises(Refused) as refusal:
                make(title)
            assert reason(refusal) == "invalid"

    @given(st.text(max_size=60))
    @example("dm_" + "0" * 20)
    def test_whatever_the_title_its_address_is_not_a_conversations(self, title: str) -> None:
        """U08."""
        try:
            assert not make_slug(title).startswith("dm_")
        except Refused:
            assert title.casefold().strip().startswith("dm")

    def test_its_maker_is_its_administrator(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea", topic="And cake")
        access = world.access(ALICE, room)
        assert (access.role, access.may_manage, access.room.topic) == ("administrator", True, "And cake")
        assert Notice(kind="rooms", user=ALICE.id) in world.told

    def test_a_second_whose_name_makes_the_same_address_has_another(self, rooms: Rooms) -> None:
        first, second = (rooms.create(ALICE, "member", title=title) for title in ("Tea", "Tea!"))
        assert first.slug == "tea"
        assert second.slug.startswith("tea-")

    def test_a_private_rooms_address_does_not_tell_that_a_name_is_taken(self, rooms: Rooms) -> None:
        assert rooms.create(ALICE, "member", title="Tea", is_private=True).slug.startswith("tea-")

    def test_a_site_may_leave_it_to_its_administrators(self, database: Database, clock: Clock) -> None:
        rooms = World(database, clock, only_administrators_create=True).rooms
        with pytest.raises(Refused) as refusal:
            rooms.create(ALICE, "moderator", title="Tea")
        assert reason(refusal) == "forbidden"
        assert rooms.create(ALICE, "administrator", title="Tea").slug == "tea"

    def test_nobody_makes_too_many(self, database: Database, clock: Clock) -> None:
        rooms = World(database, clock, max_per_user=2).rooms
        for n in range(2):
            rooms.create(ALICE, "member", title=f"Tea {n}")
        with pytest.raises(Refused) as refusal:
            rooms.create(ALICE, "member", title="Tea")
        assert reason(refusal) == "too_many_rooms"
        rooms.create(BOB, "member", title="Tea")

    def test_public_rooms_are_listed_in_pages_by_name(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chatroom.rooms.rooms.PAGE", 2)
        for title in ("bees", "Ants", "Cats"):
            world.rooms.create(ALICE, "member", title=title)
        world.rooms.create(ALICE, "member", title="Secret", is_private=True)
        seen: list[tuple[str, bool]] = []
        place = ("", "")
        while page := world.rooms.list_public(BOB.id if not seen else ALICE.id, place):
            seen += [(each.room.title, each.is_member) for each in page]
            place = page[-1].place
        assert seen == [("Ants", False), ("bees", False), ("Cats", True), ("Lobby", False)]


class TestComing:
    def test_who_joins_by_hand_is_announced(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        for _ in range(2):
            assert world.rooms.join(BOB, room.slug) == room
        assert world.lines(room) == ["Bob joined"]

    def test_a_private_room_cannot_be_joined(self, world: World) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.join(MALLORY, world.den().room.slug)
        assert reason(refusal) == "not_found"

    def test_moderators_take_somebody_in(self, world: World) -> None:
        access = world.den()
        assert world.lines(access.room) == ["Alice added Bob"]
        assert not world.rooms.add_member(access, BOB.id, "Bob")
        with pytest.raises(Refused) as refusal:
            world.rooms.add_member(world.access(BOB, access.room), MALLORY.id, "Mallory")
        assert reason(refusal) == "forbidden"

    def test_an_event_that_cannot_be_written_is_left_out(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def away(*arguments: object) -> None:
            raise Unavailable("The database does not answer.")

        monkeypatch.setattr(world.messages.writer, "note", away)
        room = world.den().room
        assert world.is_in(BOB, room)


class TestGoing:
    def test_who_leaves_is_out_and_may_come_again_where_all_may(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.rooms.leave(world.access(BOB, room))
        assert not world.is_in(BOB, room)
        assert Notice(kind="access", user=BOB.id, room=room.id, data={"why": "left"}) in world.told
        world.rooms.join(BOB, room.slug)
        assert world.is_in(BOB, room)

    @pytest.mark.parametrize("person", [ALICE, BOB])
    def test_nobody_leaves_the_lobby(self, world: World, person: Author) -> None:
        with pytest.raises(Refused):
            world.rooms.leave(world.access(person, LOBBY))

    def test_a_private_room_is_not_left_without_somebody_who_manages_it(self, world: World) -> None:
        access = world.den()
        with pytest.raises(Refused) as refusal:
            world.rooms.leave(access)
        assert reason(refusal) == "forbidden"
        world.rooms.set_role(access, BOB.id, "administrator")
        world.rooms.leave(access)
        assert not world.is_in(ALICE, access.room)
        world.rooms.leave(world.access(BOB, access.room))  # the last one may
        assert world.lines(access.room) == ["Alice added Bob", "Alice left", "Bob left"]

    def test_who_was_removed_does_not_come_back_by_themselves(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        access = world.access(ALICE, room)
        world.rooms.join(BOB, room.slug)
        world.rooms.remove_member(access, BOB.id)
        assert Notice(kind="access", user=BOB.id, room=room.id, data={"why": "removed"}) in world.told
        for again in (world.rooms.join, lambda author, slug: world.rooms.get_for(author.id, slug)):
            with pytest.raises(Refused) as refusal:
                again(BOB, room.slug)
            assert reason(refusal) == "not_found"
        assert [member.person.name for member in world.rooms.list_members(access)] == ["Alice"]
        world.rooms.add_member(access, BOB.id, "Bob")
        assert world.access(BOB, room).role == "member"

    def test_leaving_and_coming_again_ends_no_mute(self, world: World) -> None:
        """M05."""
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.rooms.join(BOB, room.slug)
        world.rooms._store.set_mute(BOB.id, room.id, world.clock() + timedelta(hours=1), "noise")
        for come in (lambda: world.rooms.join(BOB, room.slug), lambda: world.access(BOB, room)):
            world.rooms.leave(world.access(BOB, room))
            assert not world.is_in(BOB, room)
            come()
            with pytest.raises(Refused) as refusal:
                world.post(world.access(BOB, room), "b1")
            assert reason(refusal) == "muted"

    def test_leaving_and_coming_again_is_no_turn_in_a_slow_room(self, world: World) -> None:
        """M05."""
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.rooms._store.change(room.id, {"slow_seconds": 60})
        world.post(world.access(BOB, room), "b1")
        world.rooms.leave(world.access(BOB, room))
        with pytest.raises(Refused) as refusal:
            world.post(world.access(BOB, room), "b2")
        assert reason(refusal) == "too_fast"

    def test_who_left_can_be_added_to_a_private_room_again_and_comes_without_the_role(self, world: World) -> None:
        access = world.den()
        world.rooms.set_role(access, BOB.id, "moderator")
        world.rooms.leave(world.access(BOB, access.room))
        with pytest.raises(Refused):
            world.access(BOB, access.room)
        assert world.rooms.add_member(access, BOB.id, BOB.name)
        assert world.access(BOB, access.room).role == "member"

    @pytest.mark.parametrize("how", ["demote", "go"])
    def test_two_administrators_at_the_same_moment_leave_one(
        self, world: World, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """M02: each was looked at while the other still was one."""
        alice = world.den()
        world.rooms.add_member(alice, MALLORY.id, MALLORY.name)
        world.rooms.set_role(alice, BOB.id, "administrator")
        bob = world.access(BOB, alice.room)
        has_another = world.rooms._members.has_another_administrator
        stale = [True, True]  # what both saw before either wrote
        monkeypatch.setattr(
            world.rooms._members,
            "has_another_administrator",
            lambda user_id, room: stale.pop() if user_id and stale else has_another(user_id, room),
        )
        deeds = {
            "demote": lambda by, other: world.rooms.set_role(by, other.id, "member"),
            "go": lambda by, _: world.rooms.leave(by),
        }
        monkeypatch.setattr(world.rooms._members, "find_role", lambda *_: "administrator")
        deeds[how](alice, BOB)
        with pytest.raises(Refused) as refusal:
            deeds[how](bob, ALICE)
        assert reason(refusal) == "forbidden"
        monkeypatch.undo()
        managers = [each.person.id for each in world.rooms.list_members(bob) if each.role == "administrator"]
        assert len(managers) == 1

    def test_moderators_remove_members_and_nobody_above(self, world: World) -> None:
        access = world.den()
        world.rooms.add_member(access, MALLORY.id, "Mallory")
        world.rooms.set_role(access, BOB.id, "moderator")
        bob = world.access(BOB, access.room)
        for target in (ALICE, BOB):
            with pytest.raises(Refused):
                world.rooms.remove_member(bob, target.id)
        with pytest.raises(Refused):
            world.rooms.set_role(bob, MALLORY.id, "moderator")
        with pytest.raises(Refused):
            world.rooms.remove_member(world.access(MALLORY, access.room), BOB.id)
        world.rooms.remove_member(bob, MALLORY.id)
        assert not world.is_in(MALLORY, access.room)

    def test_strangers_have_no_role_and_the_last_administrator_keeps_theirs(self, world: World) -> None:
        access = world.den()
        for target, expected in ((MALLORY, "not_found"), (ALICE, "forbidden")):
            with pytest.raises(Refused) as refusal:
                world.rooms.set_role(access, target.id, "member")
            assert reason(refusal) == expected
        with pytest.raises(Refused) as refusal:
            world.rooms.remove_member(access, MALLORY.id)
        assert reason(refusal) == "not_found"


class TestPower:
    """M15: nobody acts on somebody who is as powerful as they are."""

    def make_keeper(self, world: World, person: Author, role: Role) -> None:
        world.database["users"].update_one({"_id": person.id}, {"$set": {"role": role}})

    @pytest.mark.parametrize("role", ["moderator", "administrator"])
    def test_who_made_a_public_room_removes_nobody_who_keeps_order_on_the_site(self, world: World, role: Role) -> None:
        room = world.rooms.create(BOB, "member", title="Tea")
        self.make_keeper(world, ALICE, role)
        world.access(ALICE, room)
        with pytest.raises(Refused) as refusal:
            world.rooms.remove_member(world.access(BOB, room), ALICE.id)
        assert (reason(refusal), world.is_in(ALICE, room)) == ("forbidden", True)

    def test_administrators_of_the_site_remove_who_made_a_public_room(self, world: World) -> None:
        room = world.rooms.create(BOB, "member", title="Tea")
        self.make_keeper(world, ALICE, "administrator")
        self.make_keeper(world, MALLORY, "administrator")
        alice = world.access(ALICE, room)
        world.access(MALLORY, room)
        with pytest.raises(Refused):
            world.rooms.remove_member(alice, MALLORY.id)
        world.rooms.remove_member(alice, BOB.id)
        assert not world.is_in(BOB, room)

    def test_moderators_of_the_site_remove_who_made_a_public_room_and_not_a_private_one(self, world: World) -> None:
        room = world.rooms.create(BOB, "member", title="Tea")
        self.make_keeper(world, ALICE, "moderator")
        self.make_keeper(world, MALLORY, "moderator")
        alice = world.access(ALICE, room)
        world.access(MALLORY, room)
        with pytest.raises(Refused):
            world.rooms.remove_member(alice, MALLORY.id)
        world.rooms.remove_member(alice, BOB.id)
        assert not world.is_in(BOB, room)
        den = world.den()
        world.rooms.set_role(den, BOB.id, "administrator")
        with pytest.raises(Refused):
            world.rooms.remove_member(den, BOB.id)

    def test_equals_in_a_room_do_not_remove_each_other(self, world: World) -> None:
        access = world.den()
        world.rooms.set_role(access, BOB.id, "administrator")
        for by, other in ((ALICE, BOB), (BOB, ALICE)):
            with pytest.raises(Refused) as refusal:
                world.rooms.remove_member(world.access(by, access.room), other.id)
            assert reason(refusal) == "forbidden"
        world.rooms.set_role(access, BOB.id, "member")  # they have to lose that role first
        world.rooms.remove_member(access, BOB.id)

    def test_who_becomes_more_at_this_moment_is_not_removed(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        access = world.den()
        world.rooms.set_role(access, BOB.id, "administrator")
        monkeypatch.setattr(world.rooms._members, "find_role", lambda *_: "member")
        with pytest.raises(Refused):
            world.rooms.remove_member(access, BOB.id)
        assert world.is_in(BOB, access.room)

    def test_administrators_of_the_site_reach_every_public_room(self, world: World) -> None:
        room = world.rooms.create(BOB, "member", title="Tea")
        world.access(ALICE, room)
        world.rooms.remove_member(world.access(BOB, room), ALICE.id)
        with pytest.raises(Refused):
            world.rooms.visit(ALICE.id, room.slug)
        self.make_keeper(world, ALICE, "administrator")
        assert world.rooms.visit(ALICE.id, room.slug).may_manage

    def test_and_no_private_one(self, world: World) -> None:
        self.make_keeper(world, MALLORY, "administrator")
        with pytest.raises(Refused) as refusal:
            world.rooms.visit(MALLORY.id, world.den().room.slug)
        assert reason(refusal) == "not_found"


class TestEvading:
    """M17: leaving before one is removed or muted helps nobody, and nobody joins by posting."""

    def test_who_has_just_left_is_removed_all_the_same(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.rooms.leave(world.access(BOB, room))
        for _ in range(2):
            world.rooms.remove_member(world.access(ALICE, room), BOB.id)
        for come in (lambda: world.rooms.join(BOB, room.slug), lambda: world.access(BOB, room)):
            with pytest.raises(Refused) as refusal:
                come()
            assert reason(refusal) == "not_found"
        assert [entry.act for entry in world.audit.page().entries] == ["remove_member"]

    def test_nobody_comes_by_anything_but_its_page_or_by_joining(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.rooms.leave(world.access(BOB, room))
        for person in (BOB, MALLORY):
            with pytest.raises(Refused, match="Join it first") as refusal:
                world.rooms.get_for(person.id, room.slug)
            assert (reason(refusal), world.is_in(person, room)) == ("forbidden", False)

    def test_coming_back_by_the_page_is_counted_and_the_first_time_is_not(self, world: World) -> None:
        room = world.rooms.create(ALICE, "member", title="Tea")
        counted: list[str] = []
        for _ in range(3):
            access = world.rooms.visit(BOB.id, room.slug, lambda: counted.append("once"))
            world.rooms.leave(access)
        assert counted == ["once"] * 2


class TestDirect:
    def test_it_is_one_for_the_same_people_and_called_by_the_others_names(self, world: World) -> None:
        room = world.rooms.open_direct(ALICE, [BOB.id, MALLORY.id])
        assert world.rooms.open_direct(MALLORY, [BOB.id, ALICE.id, MALLORY.id]).id == room.id
        assert world.rooms.open_direct(ALICE, [BOB.id]).id != room.id
        assert world.access(ALICE, room).room.title == "Bob, Mallory"
        assert world.access(BOB, room).room.title == "Alice, Mallory"
        assert Notice(kind="rooms", user=BOB.id) in world.told

    def test_nobody_else_comes_in_and_nobody_goes(self, world: World) -> None:
        room = world.rooms.open_direct(ALICE, [BOB.id])
        with pytest.raises(Refused):
            world.rooms.get_for(MALLORY.id, room.slug)
        access = world.access(ALICE, room)
        with pytest.raises(Refused):
            world.rooms.add_member(access, MALLORY.id, "Mallory")
        with pytest.raises(Refused):
            world.rooms.remove_member(access, BOB.id)
        with pytest.raises(Refused):
            world.rooms.leave(access)

    @pytest.mark.parametrize("others", [[], [ALICE.id], [str(n) for n in range(MOST_PEOPLE)]])
    def test_it_has_two_to_eight(self, world: World, others: list[str]) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.open_direct(ALICE, others)
        assert reason(refusal) == "invalid"

    def test_it_is_with_people_who_are_there(self, world: World) -> None:
        with pytest.raises(Refused) as refusal:
            world.rooms.open_direct(ALICE, ["nobody"])
        assert reason(refusal) == "not_found"

    def test_nobody_takes_it_over_by_making_a_room_at_its_address(self, world: World) -> None:
        """U08: the address was made of the two ids, which everybody in a room with them sees."""
        key = hashlib.sha256(",".join(sorted([ALICE.id, BOB.id])).encode()).hexdigest()
        trap = {"_id": "trap", "slug": f"dm-{key[32:52]}", "title": "Bob", "kind": "public", "title_key": "bob"}
        world.database["rooms"].insert_one(trap)  # made before titles of this form were refused
        room = world.rooms.open_direct(ALICE, [BOB.id])
        assert (room.kind, room.people) == ("direct", (ALICE.id, BOB.id))
        assert world.access(ALICE, room).room.id == room.id
        assert key[32:52] not in room.slug
        with pytest.raises(Refused):
            world.rooms.get_for(MALLORY.id, room.slug)

    @pytest.mark.parametrize("there", [{"kind": "public"}, {"people": [ALICE.id, MALLORY.id]}, {"people": []}])
    def test_what_has_its_id_and_is_another_is_not_taken_for_it(self, world: World, there: dict[str, object]) -> None:
        """D12."""
        room = world.rooms.open_direct(ALICE, [BOB.id])
        world.database["rooms"].update_one({"_id": room.id}, {"$set": there})
        world.database["memberships"].delete_many({})
        with pytest.raises(Unavailable):
            world.rooms.open_direct(BOB, [ALICE.id])
        assert world.database["memberships"].count_documents({}) == 0

    def test_an_address_that_is_taken_is_not_its_own(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """D12."""
        slugs = iter([Slug("taken"), Slug("free")])
        monkeypatch.setattr("chatroom.rooms.rooms_store.make_direct_slug", lambda: next(slugs))
        world.rooms.create(MALLORY, "member", title="Taken")
        assert world.rooms.open_direct(ALICE, [BOB.id]).slug == "free"

    def test_one_that_was_left_half_made_is_made_whole(self, world: World) -> None:
        room = world.rooms.open_direct(ALICE, [BOB.id])
        world.database["memberships"].delete_many({})
        assert world.rooms.open_direct(BOB, [ALICE.id]) == room
        assert world.is_in(ALICE, room)
        assert world.is_in(BOB, room)

    def test_several_may_open_it_at_once(self, world: World) -> None:
        people = [(ALICE, BOB), (BOB, ALICE)] * 4
        threads = [threading.Thread(target=world.rooms.open_direct, args=(a, [b.id])) for a, b in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert world.database["rooms"].count_documents({"kind": "direct"}) == 1
        assert world.database["memberships"].count_documents({}) == 2


class TestPosting:
    def room(self, world: World, **fields: object) -> Room:
        room = world.rooms.create(ALICE, "member", title="Tea")
        world.access(BOB, room)
        RoomStore(world.database).change(room.id, fields)
        return room

    @pytest.mark.parametrize(("fields", "expected"), [({"is_read_only": True}, "read_only"), ({}, None)])
    def test_only_moderators_write_in_a_read_only_room(
        self, world: World, fields: dict[str, object], expected: str | None
    ) -> None:
        room = self.room(world, **fields)
        world.post(world.access(ALICE, room), "a1")
        if expected:
            with pytest.raises(Refused) as refusal:
                world.post(world.access(BOB, room), "b1")
            assert reason(refusal) == expected

    def test_nobody_writes_in_an_archived_room(self, world: World) -> None:
        room = self.room(world, archived_at=world.clock())
        for person in (ALICE, BOB):
            with pytest.raises(Refused) as refusal:
                world.post(world.access(person, room), "a1")
            assert reason(refusal) == "archived"

    def test_a_slow_room_lets_each_member_write_in_turn(self, world: World) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        world.post(bob, "b1")
        world.post(bob, "b1")  # the same post, sent again
        world.clock.advance(seconds=4)
        with pytest.raises(Refused) as refusal:
            world.post(bob, "b2")
        assert (reason(refusal), refusal.value.retry_after) == ("too_fast", 6.0)
        world.post(world.access(MALLORY, room), "m1")
        for n in range(3):
            world.post(world.access(ALICE, room), f"a{n}")
        world.clock.advance(seconds=6)
        world.post(bob, "b2")

    def test_a_turn_holds_in_every_process_and_after_a_restart(self, world: World, database: Database) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        refused = []

        def post(n: int) -> None:
            rooms = make_rooms(database, world.messages.writer, Notices(NoticeStore(database)), world.acts)
            rooms._members._clock = world.clock
            try:
                RoomRules(take_turn=rooms._members.take_turn).take_turn(bob, "person", f"b{n}")
            except Refused:
                refused.append(n)

        threads = [threading.Thread(target=post, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 5

    def test_a_clock_that_went_back_locks_nobody_out(self, world: World) -> None:
        room = self.room(world, slow_seconds=10)
        bob = world.access(BOB, room)
        world.post(bob, "b1")
        world.clock.now -= timedelta(hours=1)
        world.post(bob, "b2")


class TestRecord:
    def test_who_is_taken_in_and_out_and_given_a_role(self, world: World) -> None:
        den = world.den()
        world.rooms.set_role(den, BOB.id, "moderator")
        world.rooms.remove_member(den, BOB.id)
        entries = world.audit.page(room=den.room.id).entries
        acts = [(each.actor.name, each.act, each.subject.name, dict(each.details)) for each in entries]
        assert acts == [
            ("Alice", "remove_member", "bob", {}),
            ("Alice", "set_room_role", "bob", {"role": "moderator"}),
            ("Alice", "add_member", "bob", {}),
        ]

    def test_what_is_refused_or_changes_nothing_is_not_in_it(self, world: World) -> None:
        den = world.den()
        world.rooms.add_member(den, BOB.id, BOB.name)
        for person in (ALICE, MALLORY):
            with pytest.raises(Refused):
                world.rooms.remove_member(den, person.id)
        with pytest.raises(Refused):
            world.rooms.remove_member(world.access(BOB, den.room), ALICE.id)
        assert [each.act for each in world.audit.page(room=den.room.id).entries] == ["add_member"]
