import msgspec
import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Notice, RoomValues
from chatroom.mongo.database import Database
from chatroom.names import clean_title, clean_topic
from chatroom.rooms.access import LOBBY
from chatroom.rooms.links import MAX_LINKS
from tests.conftest import Clock
from tests.people import ALICE, BOB, MALLORY, rendered
from tests.unit.rooms.world import Managed, reason

PLAIN = RoomValues(title="The den", topic="", is_read_only=False, slow_seconds=0, retention_days=0)


@pytest.fixture
def world(database: Database, clock: Clock) -> Managed:
    return Managed(database, clock)


@pytest.fixture
def access(world: Managed) -> Access:
    return world.den()


class TestChanging:
    def test_a_change_is_stored_announced_and_shown(self, world: Managed, access: Access) -> None:
        world.settings.change(
            access, RoomValues(title="Snug", topic="Tea", is_read_only=True, slow_seconds=5, retention_days=30)
        )
        room = world.access(ALICE, access.room).room
        assert (room.title, room.topic, room.is_read_only) == ("Snug", "Tea", True)
        assert (room.slow_seconds, room.retention_days, room.slug) == (5, 30, access.room.slug)
        assert Notice(kind="room", room=room.id) in world.told
        assert world.lines(room)[1:] == [
            "Alice changed the name from “The den” to “Snug”",
            "Alice set the topic to “Tea”",
            "Alice made the room read-only",
            "Alice made the room slow: one message every 5 seconds",
            "Alice had messages deleted after 30 days",
        ]

    def test_of_two_rooms_that_get_one_title_at_once_the_later_keeps_its_own(
        self, world: Managed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The look before the write is stale."""
        tea = world.access(ALICE, world.rooms.making.create(ALICE, "member", title="Tea", topic="Pots"))
        world.rooms.making.create(BOB, "member", title="Coco")
        before = world.database["rooms"].find_one({"_id": tea.room.id})
        monkeypatch.setattr(world.rooms.making, "check_title", lambda *_, **__: None)
        with pytest.raises(Refused) as refusal:
            world.settings.change(tea, msgspec.structs.replace(PLAIN, title="COCO", topic="Cups"))
        assert reason(refusal) == "taken"
        after = world.database["rooms"].find_one({"_id": tea.room.id})
        assert before
        assert after == before | {"acts": []}
        assert world.lines(tea.room) == []
        assert not any(entry.act.act == "change_room" for entry in world.audit.page().entries)

    def test_no_room_is_renamed_to_pass_for_another(self, world: Managed, access: Access) -> None:
        """U11: the lobby alone keeps its own name, and gets it back."""
        world.rooms.making.create(BOB, "member", title="Coco")
        tea = world.access(ALICE, world.rooms.making.create(ALICE, "member", title="Tea"))
        for room, title, why in (
            (tea, "COCO", "taken"),
            (tea, "\u0421\u043e\u0441\u043e", "taken"),
            (tea, "L\u043ebby", "invalid"),
            (access, "Lobby", "invalid"),
        ):
            with pytest.raises(Refused) as refusal:
                world.settings.change(room, msgspec.structs.replace(PLAIN, title=title))
            assert reason(refusal) == why
        world.settings.change(tea, msgspec.structs.replace(PLAIN, title="TEA"))
        world.rooms.making.create(BOB, "member", title="Coco", is_private=True)
        lobby = msgspec.structs.replace(world.access(ALICE, LOBBY), site_role="administrator")
        world.settings.change(lobby, msgspec.structs.replace(PLAIN, title="Hall"))
        lobby = msgspec.structs.replace(world.access(ALICE, LOBBY), site_role="administrator")
        world.settings.change(lobby, msgspec.structs.replace(PLAIN, title="Lobby"))
        assert world.access(ALICE, LOBBY).room.title == "Lobby"

    def test_reverting_is_announced_and_no_change_is_not(self, world: Managed, access: Access) -> None:
        world.settings.change(access, PLAIN)
        assert world.lines(access.room) == ["Alice added Bob"]
        world.settings.change(access, msgspec.structs.replace(PLAIN, topic="Tea", is_read_only=True, slow_seconds=5))
        world.settings.change(world.access(ALICE, access.room), PLAIN)
        assert world.lines(access.room)[-3:] == [
            "Alice removed the topic",
            "Alice let everybody write again",
            "Alice ended slow mode",
        ]

    def test_only_administrators_change_it(self, world: Managed, access: Access) -> None:
        bob = world.access(BOB, access.room)
        for deed in (
            lambda: world.settings.change(bob, PLAIN),
            lambda: world.settings.archive(bob, is_archived=True),
            lambda: world.links.make(bob, uses=1, hours=1),
            lambda: world.links.list_for(bob),
            lambda: world.links.end(bob, "x"),
        ):
            with pytest.raises(Refused) as refusal:
                deed()
            assert reason(refusal) == "forbidden"

    def test_a_room_is_archived_and_opened_again(self, world: Managed, access: Access) -> None:
        for is_archived in (True, True, False):
            world.settings.archive(world.access(ALICE, access.room), is_archived=is_archived)
            assert (world.access(ALICE, access.room).room.archived_at is not None) == is_archived
        assert world.lines(access.room)[1:] == ["Alice archived the room", "Alice reopened the room"]

    def test_the_lobby_is_not_archived(self, world: Managed) -> None:
        lobby = msgspec.structs.replace(world.access(ALICE, LOBBY), site_role="administrator")
        with pytest.raises(Refused):
            world.settings.archive(lobby, is_archived=True)

    @pytest.mark.parametrize(
        ("typed", "kept"), [("  Tea \n time\t", "Tea time"), ("a\u200bb", "ab"), ("Büro 🎉", "Büro 🎉")]
    )
    def test_titles_are_cleaned(self, typed: str, kept: str) -> None:
        assert clean_title(typed) == kept

    @pytest.mark.parametrize(
        ("typed", "expected"), [("", "empty"), (" \u200b ", "empty"), ("\u0301", "empty"), ("x" * 61, "too_long")]
    )
    def test_a_title_is_visible_and_short(self, typed: str, expected: str) -> None:
        with pytest.raises(Refused) as refusal:
            clean_title(typed)
        assert reason(refusal) == expected

    def test_a_topic_may_be_empty_and_is_short(self) -> None:
        assert clean_topic("  ") == ""
        with pytest.raises(Refused) as refusal:
            clean_topic("x" * 251)
        assert reason(refusal) == "too_long"


class TestLinks:
    def test_a_link_lets_in_so_many_and_only_its_hash_is_kept(self, world: Managed, access: Access) -> None:
        code = world.links.make(access, uses=1, hours=1)
        assert code not in str(list(world.database["room_invites"].find()))
        assert world.links.get(code)[1].id == access.room.id
        world.links.accept(BOB, code)  # who is in uses nothing up
        world.links.accept(MALLORY, code)
        assert world.is_in(MALLORY, access.room)
        assert world.lines(access.room)[-1] == "Mallory joined"
        with pytest.raises(Refused) as refusal:
            world.links.get(code)
        assert reason(refusal) == "not_found"

    def test_a_link_ends_by_itself_or_by_hand(self, world: Managed, access: Access) -> None:
        codes = [world.links.make(access, uses=5, hours=hours) for hours in (1, 2)]
        world.clock.advance(hours=1, seconds=1)
        (open_one,) = world.links.list_for(access)
        assert (open_one.uses_left, open_one.about["created_by"]) == (5, "Alice")
        world.links.end(access, open_one.id)
        for code in codes:
            with pytest.raises(Refused) as refusal:
                world.links.accept(MALLORY, code)
            assert reason(refusal) == "not_found"
        with pytest.raises(Refused):
            world.links.end(access, open_one.id)

    def test_a_link_does_not_admit_a_removed_member(self, world: Managed, access: Access) -> None:
        code = world.links.make(access, uses=5, hours=1)
        world.rooms.membership.remove(access, BOB.id)
        with pytest.raises(Refused) as refusal:
            world.links.accept(BOB, code)
        assert reason(refusal) == "forbidden"

    @pytest.mark.parametrize(("uses", "hours"), [(0, 1), (101, 1), (1, 0), (1, 721)])
    def test_links_are_bounded(self, world: Managed, access: Access, uses: int, hours: int) -> None:
        with pytest.raises(Refused) as refusal:
            world.links.make(access, uses=uses, hours=hours)
        assert reason(refusal) == "invalid"

    def test_and_so_is_their_number(self, world: Managed, access: Access) -> None:
        for _ in range(MAX_LINKS):
            world.links.make(access, uses=1, hours=1)
        with pytest.raises(Refused) as refusal:
            world.links.make(access, uses=1, hours=1)
        assert reason(refusal) == "busy"


class TestRetention:
    def fill(self, world: Managed, access: Access) -> None:
        """Three old messages, the first of them deleted, and two new ones."""
        stored = world.store.append(access.room.id, [rendered(f"old{n}", author=BOB) for n in range(3)])
        world.messages.change(access.room, world.messages.changes.deleting(access, stored[0].message.id))
        world.clock.advance(days=10)
        world.store.append(access.room.id, [rendered(f"new{n}", author=BOB) for n in range(2)])

    def texts(self, world: Managed, access: Access) -> list[str]:
        return [each.text for each in world.store.newest(access.room.id, 50) if each.kind == "message"]

    def test_it_reports_how_many_messages_it_would_delete(self, world: Managed, access: Access) -> None:
        self.fill(world, access)
        # The room's own line that Bob was added, and two messages: what is deleted does not count.
        assert [world.retention().count_older(access, days) for days in (0, 5, 30)] == [0, 3, 0]

    def test_old_messages_are_deleted_for_every_reader(self, world: Managed, access: Access) -> None:
        self.fill(world, access)
        cursor = world.store.newest_revision(access.room.id)
        world.rooms.store.change(access.room.id, {"retention_days": 5})
        world.retention().sweep()
        assert self.texts(world, access) == ["", "", "", "new0", "new1"]
        changes = world.store.changed_after(access.room.id, cursor, 50)
        assert [each.revision for each in changes] == [cursor + 1, cursor + 2, cursor + 3]
        assert all(each.deleted_at for each in changes)

    def test_the_newest_message_of_a_room_can_go_too(self, world: Managed, access: Access) -> None:
        self.fill(world, access)
        world.clock.advance(days=10)
        world.rooms.store.change(access.room.id, {"retention_days": 5})
        world.retention().sweep()
        assert self.texts(world, access) == [""] * 5
        newest = world.store.newest_revision(access.room.id)
        world.retention().sweep()
        assert world.store.newest_revision(access.room.id) == newest

    def test_it_continues_where_it_ended(self, world: Managed, access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chatroom.erasure.retention.BATCH", 2)
        self.fill(world, access)
        world.rooms.store.change(access.room.id, {"retention_days": 5})
        world.retention().sweep()
        assert self.texts(world, access) == ["", "old1", "old2", "new0", "new1"]
        world.retention().sweep()
        assert self.texts(world, access) == ["", "", "", "new0", "new1"]


class TestRecord:
    def test_changes_of_a_room_are_recorded_with_reason(self, world: Managed, access: Access) -> None:
        wanted = msgspec.structs.replace(PLAIN, title="Snug", is_read_only=True)
        world.settings.change(access, wanted, "too loud")
        (entry,) = world.audit.page(act="change_room", room=access.room.id).entries
        assert (entry.actor, entry.subject.name, entry.reason) == (ALICE, "The den", "too loud")
        assert entry.details == {"title": "Snug", "is_read_only": True}
        world.settings.change(world.access(ALICE, access.room), wanted)
        assert len(world.audit.page(act="change_room").entries) == 1

    def test_links(self, world: Managed, access: Access) -> None:
        world.links.make(access, uses=5, hours=24)
        (link,) = world.links.list_for(access)
        world.links.end(access, link.id)
        with pytest.raises(Refused):
            world.links.end(access, link.id)
        ended, made = world.audit.page(room=access.room.id).entries[:2]
        assert (made.act, made.details) == ("make_room_link", {"uses": 5, "hours": 24})
        assert (ended.act, ended.details) == ("end_room_link", {"link": link.id[:8]})
