import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.base.config import Settings
from chatroom.base.errors import Refused
from chatroom.base.models import Notice
from chatroom.mongo.database import Database
from chatroom.names import clean_title, make_slug
from chatroom.rooms.wiring import RoomParts
from tests.conftest import Clock
from tests.people import ALICE, BOB, MALLORY
from tests.unit.rooms.world import World, reason


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
    def test_no_room_passes_for_another(self, rooms: RoomParts, title: str, why: str) -> None:
        """U11."""
        for other in ("coco", "lll"):
            rooms.making.create(BOB, "member", title=other)
        with pytest.raises(Refused) as refusal:
            rooms.making.create(MALLORY, "member", title=title)
        assert reason(refusal) == why

    @pytest.mark.parametrize("title", ["Чат Python", "Pythonで遊ぶ", "Café 2", "Lobbying", "R&D — отдел", "😀", "C++"])
    def test_ordinary_titles_are_free(self, rooms: RoomParts, title: str) -> None:
        assert rooms.making.create(ALICE, "member", title=title).title == title

    def test_names_of_private_rooms_stay_available(self, rooms: RoomParts) -> None:
        """U11: else it would tell what they are called."""
        for _ in range(2):
            rooms.making.create(BOB, "member", title="Tea", is_private=True)
        rooms.making.create(MALLORY, "member", title="Tea")
        rooms.making.create(BOB, "member", title="Tea", is_private=True)
        with pytest.raises(Refused):
            rooms.making.create(BOB, "member", title="Lobby", is_private=True)

    def test_rooms_of_before_keep_their_titles_and_have_them_alone(self, world: World) -> None:
        """U11."""
        for n in range(2):
            old = {"_id": f"old{n}", "slug": f"old-{n}", "title": "Old", "title_key": "old", "kind": "public"}
            world.database["rooms"].insert_one(old)
        for _ in range(2):
            world.rooms.store.key_titles()
        with pytest.raises(Refused) as refusal:
            world.rooms.making.create(MALLORY, "member", title="OLD")
        assert reason(refusal) == "taken"

    def test_of_two_rooms_of_one_title_at_once_one_remains(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second maker's first look is before the first maker's write."""
        first = world.rooms.making.create(BOB, "member", title="Tea")
        has_title = world.rooms.store.has_title
        looks: list[bool] = []

        def look(title: str, *, but: str = "") -> bool:
            looks.append(bool(looks) and has_title(title, but=but))
            return looks[-1]

        monkeypatch.setattr(world.rooms.store, "has_title", look)
        with pytest.raises(Refused) as refusal:
            world.rooms.making.create(ALICE, "member", title="TEA")
        assert (reason(refusal), looks) == ("taken", [False, True, True])
        assert [room["_id"] for room in world.database["rooms"].find({"title_key": "tea"})] == [first.id]
        assert world.database["memberships"].count_documents({"user": ALICE.id}) == 0
        assert world.told == [notice for notice in world.told if notice.user == BOB.id]

    def test_of_two_that_see_each_other_one_succeeds_after_a_pause(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looks = iter([False, True, False, False])
        monkeypatch.setattr(world.rooms.store, "has_title", lambda *_, **__: next(looks))
        room = world.rooms.making.create(ALICE, "member", title="Tea")
        assert [each["_id"] for each in world.database["rooms"].find({"title_key": "tea"})] == [room.id]

    @pytest.mark.parametrize("title", ["dm-" + "0" * 20, "DM " + "0123456789" * 2, " dm.Abcdefabcdefabcdef00 "])
    def test_no_title_reaches_the_address_of_a_conversation(self, rooms: RoomParts, title: str) -> None:
        """U08."""
        for make in (clean_title, make_slug, lambda title: rooms.making.create(ALICE, "member", title=title)):
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
        room = world.rooms.making.create(ALICE, "member", title="Tea", topic="And cake")
        access = world.access(ALICE, room)
        assert (access.role, access.may_manage, access.room.topic) == ("administrator", True, "And cake")
        assert Notice(kind="rooms", user=ALICE.id) in world.told

    def test_a_second_whose_name_makes_the_same_address_has_another(self, rooms: RoomParts) -> None:
        first, second = (rooms.making.create(ALICE, "member", title=title) for title in ("Tea", "Tea!"))
        assert first.slug == "tea"
        assert second.slug.startswith("tea-")

    def test_the_address_of_a_private_room_does_not_reveal_taken_names(self, rooms: RoomParts) -> None:
        assert rooms.making.create(ALICE, "member", title="Tea", is_private=True).slug.startswith("tea-")

    def test_a_site_may_leave_it_to_its_administrators(self, database: Database, clock: Clock) -> None:
        rooms = World(database, clock, Settings(mongo_uri="mongomock://", room_creation="administrators")).rooms
        with pytest.raises(Refused) as refusal:
            rooms.making.create(ALICE, "moderator", title="Tea")
        assert reason(refusal) == "forbidden"
        assert rooms.making.create(ALICE, "administrator", title="Tea").slug == "tea"

    def test_created_rooms_are_limited(self, database: Database, clock: Clock) -> None:
        rooms = World(database, clock, Settings(mongo_uri="mongomock://", max_rooms_per_user=2)).rooms
        for n in range(2):
            rooms.making.create(ALICE, "member", title=f"Tea {n}")
        with pytest.raises(Refused) as refusal:
            rooms.making.create(ALICE, "member", title="Tea")
        assert reason(refusal) == "too_many_rooms"
        rooms.making.create(BOB, "member", title="Tea")

    def test_public_rooms_are_listed_in_pages_by_name(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chatroom.rooms.listings_store.PAGE", 2)
        for title in ("bees", "Ants", "Cats"):
            world.rooms.making.create(ALICE, "member", title=title)
        world.rooms.making.create(ALICE, "member", title="Secret", is_private=True)
        seen: list[tuple[str, bool]] = []
        place = ("", "")
        while page := world.rooms.listings.list_public(BOB.id if not seen else ALICE.id, place):
            seen += [(each.room.title, each.is_member) for each in page]
            place = page[-1].place
        assert seen == [("Ants", False), ("bees", False), ("Cats", True), ("Lobby", False)]
