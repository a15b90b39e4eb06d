"""All rooms as those who run the site see them, on both databases."""

import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import File, User
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.files.files_store import FileStore
from chatroom.moderation import figures_store as store
from chatroom.moderation.figures_store import SiteRoomStore
from chatroom.moderation.site_rooms import SiteRooms
from chatroom.mongo.database import Database
from chatroom.rooms.rooms_store import RoomStore
from chatroom.site.audit import CONSOLE
from tests.conftest import Clock
from tests.messaging import make_rules
from tests.people import ALICE, BOB, MALLORY, rendered
from tests.unit.rooms.world import Managed, reason

REASON = "The project is over."


class Site(Managed):
    """A world with somebody who runs it: Mallory, who is not in the den."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database, clock)
        self.figures = SiteRoomStore(database)
        self.site = SiteRooms(
            self.figures,
            self.rooms.membership_store,
            self.rooms.members,
            settings=self.settings,
            writer=self.messages.writer,
            acts=self.acts,
        )

    def user(self, person: object) -> User:
        at = self.clock.now
        names = {"username": person.name.lower(), "display_name": person.name}  # type: ignore[attr-defined]
        return User(id=person.id, **names, password_hash="", role="member", created_at=at)  # type: ignore[attr-defined]

    def titles(self, beginning: str = "") -> list[str]:
        return [each.room.title for each in self.figures.list_like(beginning, ("", ""), store.PAGE)]


@pytest.fixture
def world(database: Database, clock: Clock) -> Site:
    return Site(database, clock)


@pytest.fixture
def den(world: Site) -> Access:
    return world.den()


class TestList:
    def test_a_room_in_figures(self, world: Site, den: Access) -> None:
        world.store.append(den.room.id, [rendered("c1"), rendered("c2")])
        world.clock.advance(minutes=5)
        world.store.append(den.room.id, [rendered("c3", author=BOB)])
        for n in (1, 2):
            file = File(id=f"{n:024x}", name="a", type="x/y", size=1000 * n)
            keep = {"room_id": den.room.id, "owner_id": ALICE.id, "thumbnail": b"", "check_at": world.clock.now}
            FileStore(world.database).add(file, [b"x"], **keep)  # type: ignore[arg-type]
        found = world.site.get(den.room.slug)
        assert (found.room.id, found.members, found.messages, found.file_bytes) == (den.room.id, 2, 4, 3000)
        assert (found.last_at, [each.name for each in found.managers]) == (world.clock.now, ["Alice"])

    def test_cleared_messages_are_not_counted(self, world: Site, den: Access) -> None:
        world.store.append(den.room.id, [rendered("c1"), rendered("c2")])
        ErasureStore(world.database).start_clearing(den.room.id, 2)
        assert world.site.get(den.room.slug).messages == 1

    def test_counting_ends_somewhere(self, world: Site, den: Access, monkeypatch: pytest.MonkeyPatch) -> None:
        world.store.append(den.room.id, [rendered(f"c{n}") for n in range(5)])
        monkeypatch.setattr(store, "MOST_COUNTED", 3)
        assert world.site.get(den.room.slug).messages == 3

    def test_by_title_and_by_its_beginning(self, world: Site, den: Access) -> None:
        for title in ("Zebra", "apple", "Dentist"):
            world.rooms.making.create(BOB, "member", title=title)
        assert world.titles() == ["apple", "Dentist", "Lobby", "The den", "Zebra"]
        assert world.titles("DE") == ["Dentist"]
        assert world.titles(".*") == []

    def test_in_pages(self, world: Site) -> None:
        for n in range(7):
            world.rooms.making.create(
                BOB, "member", title="Same name" if n < 4 else f"Other {n}", is_private=n < 4 or bool(n % 2)
            )
        seen, place = [], ("", "")
        while found := world.figures.list_like("", place, 3):
            seen += [each.room.id for each in found]
            place = found[-1].place
        assert len(seen) == len(set(seen)) == 8

    def test_direct_rooms_do_not_exist_here(self, world: Site) -> None:
        direct = world.rooms.direct.open(ALICE, [BOB.id])
        assert world.titles() == ["Lobby"]
        with pytest.raises(Refused) as refusal:
            world.site.get(direct.slug)
        assert reason(refusal) == "not_found"


class TestArchive:
    def test_it_is_stored_recorded_and_announced(self, world: Site, den: Access) -> None:
        world.site.archive(den.room.slug, MALLORY, is_archived=True, reason=REASON)
        with pytest.raises(Refused) as refusal:
            make_rules(clock=world.clock).check("post", world.access(BOB, den.room), "person")
        assert reason(refusal) == "archived"
        world.site.archive(den.room.slug, CONSOLE, is_archived=False, reason="It is not.")
        make_rules(clock=world.clock).check("post", world.access(BOB, den.room), "person")
        assert world.lines(den.room)[1:] == ["Mallory archived the room", "the console reopened the room"]
        acts = [(each.actor.name, each.act, each.reason) for each in world.audit.page(room=den.room.id).entries]
        assert acts[:2] == [("the console", "unarchive_room", "It is not."), ("Mallory", "archive_room", REASON)]

    def test_twice_is_once(self, world: Site, den: Access) -> None:
        for _ in range(2):
            world.site.archive(den.room.slug, MALLORY, is_archived=True, reason=REASON)
        assert len(world.audit.page(act="archive_room").entries) == 1

    @pytest.mark.parametrize(
        ("slug", "why", "expected"),
        [
            ("lobby", REASON, "forbidden"),
            ("nowhere", REASON, "not_found"),
            ("den", " ", "invalid"),
            ("den", "x" * 301, "too_long"),
        ],
    )
    def test_refusals(self, world: Site, den: Access, slug: str, why: str, expected: str) -> None:
        with pytest.raises(Refused) as refusal:
            world.site.archive(den.room.slug if slug == "den" else slug, MALLORY, is_archived=True, reason=why)
        assert reason(refusal) == expected
        assert world.audit.page(act="archive_room").entries == []


class TestAppoint:
    @pytest.fixture
    def orphan(self, world: Site, den: Access) -> Access:
        """The den, whose administrator is gone."""
        RoomStore(world.database)._memberships.delete_one({"user": ALICE.id, "room": den.room.id})
        return den

    def test_a_member_is_put_in_charge(self, world: Site, orphan: Access) -> None:
        assert world.site.get(orphan.room.slug).managers == ()
        world.site.appoint(orphan.room.slug, MALLORY, world.user(BOB), REASON)
        assert world.access(BOB, orphan.room).may_manage
        assert world.site.get(orphan.room.slug).managers[0].id == BOB.id
        assert world.lines(orphan.room)[-1] == "Mallory appointed Bob as an administrator of this room"
        (entry,) = world.audit.page(act="appoint").entries
        assert (entry.actor, entry.subject.id, entry.reason) == (MALLORY, BOB.id, REASON)
        assert entry.room
        assert entry.room.id == orphan.room.id

    def test_appointing_admits_nobody(self, world: Site, orphan: Access) -> None:
        with pytest.raises(Refused) as refusal:
            world.site.appoint(orphan.room.slug, MALLORY, world.user(MALLORY), REASON)
        assert reason(refusal) == "not_found"
        assert not world.is_in(MALLORY, orphan.room)

    def test_a_room_with_an_administrator_is_refused(self, world: Site, den: Access) -> None:
        with pytest.raises(Refused) as refusal:
            world.site.appoint(den.room.slug, MALLORY, world.user(BOB), REASON)
        assert reason(refusal) == "forbidden"
        assert not world.access(BOB, den.room).may_manage

    def test_it_needs_a_reason(self, world: Site, orphan: Access) -> None:
        with pytest.raises(Refused) as refusal:
            world.site.appoint(orphan.room.slug, MALLORY, world.user(BOB), "")
        assert reason(refusal) == "invalid"
        assert not world.access(BOB, orphan.room).may_manage
