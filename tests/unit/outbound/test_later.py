"""Saved messages and their reminders."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatroom.base.access import Access
from chatroom.base.errors import Refused
from chatroom.base.models import Message, Notice
from chatroom.mongo.database import Database
from chatroom.outbound import later as saving
from chatroom.outbound.later import Entry, Later
from chatroom.outbound.later_store import SavedStore
from chatroom.outbound.reminders import Reminders
from chatroom.site.leases_store import LeaseStore
from chatroom.site.notices import Notices
from chatroom.site.notices_store import NoticeStore
from tests.conftest import Clock
from tests.people import ALICE, BOB, rendered
from tests.unit.rooms.world import World

LATER = Notice(kind="later", user=BOB.id)
DUE = Notice(kind="later", user=BOB.id, data={"due": True})


class FakePush:
    def __init__(self) -> None:
        self.sent: list[tuple[set[str], dict[str, Any]]] = []

    def send_late(self) -> int:
        return 0

    def send(self, users: set[str], payload: dict[str, Any]) -> int:
        self.sent.append((users, payload))
        return 1


class Desk:
    """Bob in Alice's den, where Alice wrote five messages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.world, self.clock = World(database, clock), clock
        self.alice = self.world.den()
        self.room = self.alice.room
        drafts = [rendered(f"m{n}", f"about {n}", ALICE) for n in range(5)]
        self.messages: Sequence[Message] = [each.message for each in self.world.store.append(self.room.id, drafts)]
        self.told: list[Notice] = []
        notices = Notices(NoticeStore(database), apply=self.told.append)
        self.store = SavedStore(database, clock=clock)
        self.later = Later(
            self.store, self.world.store, notices, rooms_of=self.world.rooms.listings.rooms_of, clock=clock
        )
        self.push: Any = FakePush()
        self.reminders = Reminders(self.store, self.later, self.push, notices, LeaseStore(database, holder="here"))

    def bob(self) -> Access:
        return self.world.access(BOB, self.room)

    def save(self, number: int, remind_at: datetime | None = None) -> str:
        return self.later.save(self.bob(), self.messages[number], remind_at).id

    def texts(self, entries: Sequence[Entry]) -> list[str]:
        return [each.message.text if each.message else "" for each in entries]

    def soon(self, **wait: float) -> datetime:
        return self.clock.now + timedelta(**wait)


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(database, clock)


class TestList:
    def test_the_latest_is_first_and_saving_again_changes_nothing(self, desk: Desk) -> None:
        first = desk.save(3)
        desk.save(1)
        assert desk.save(3) == first
        page = desk.later.list_page(BOB.id)
        assert (desk.texts(page.others), page.due, page.before) == (["about 1", "about 3"], [], None)
        assert desk.later.list_page(ALICE.id).others == []

    def test_pages_follow_each_other(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(saving, "PAGE", 2)
        for number in range(5):
            desk.save(number)
        shown, before = [], None
        for _ in range(3):
            page = desk.later.list_page(BOB.id, before)
            shown.append(desk.texts(page.others))
            before = page.before
        assert shown == [["about 4", "about 3"], ["about 2", "about 1"], ["about 0"]]
        assert before is None

    def test_what_is_due_comes_first_and_only_once(self, desk: Desk) -> None:
        desk.save(0, desk.soon(hours=1))
        desk.save(1)
        assert desk.texts(desk.later.list_page(BOB.id).others) == ["about 1", "about 0"]
        assert desk.later.count_due(BOB.id) == 0
        desk.clock.advance(hours=2)
        page = desk.later.list_page(BOB.id)
        assert (desk.texts(page.due), desk.texts(page.others)) == (["about 0"], ["about 1"])
        assert page.due[0].is_due
        assert (desk.later.count_due(BOB.id), desk.later.count_due(ALICE.id)) == (1, 0)

    def test_a_deleted_message_has_no_text(self, desk: Desk) -> None:
        """I12: without a text."""
        desk.save(2)
        changes = desk.world.messages.changes
        desk.world.messages.writer.change(desk.room, changes.deleting(desk.alice, desk.messages[2].id))
        (entry,) = desk.later.list_page(BOB.id).others
        assert (entry.room and entry.room.id, entry.message) == (desk.room.id, None)

    def test_a_room_that_one_left_is_not_named(self, desk: Desk) -> None:
        """I12: without a text."""
        desk.save(2, desk.soon(minutes=1))
        desk.world.rooms.membership.remove(desk.alice, BOB.id)
        (entry,) = desk.later.list_page(BOB.id).others
        assert (entry.room, entry.message) == (None, None)

    def test_a_cleared_message_has_no_text(self, desk: Desk, database: Database) -> None:
        desk.save(2)
        database["rooms"].update_one({"_id": desk.room.id}, {"$set": {"cleared_sequence": 10_000}})
        (entry,) = desk.later.list_page(BOB.id).others
        assert entry.message is None


class TestRefusals:
    def test_a_full_list_says_what_to_do(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(saving, "MOST_SAVED", 2)
        saved = desk.save(0)
        desk.save(1)
        with pytest.raises(Refused, match="Remove some") as refusal:
            desk.save(2)
        assert refusal.value.reason == "conflict"
        assert desk.save(0, desk.soon(hours=1)) == saved
        desk.later.remove(BOB.id, saved)
        desk.save(2)

    def test_a_deleted_message_cannot_be_saved(self, desk: Desk) -> None:
        deleted = desk.world.messages.changes.deleting(desk.alice, desk.messages[2].id)
        desk.world.messages.writer.change(desk.room, deleted)
        (message,) = desk.world.store.by_sequences(desk.room.id, [desk.messages[2].sequence])
        with pytest.raises(Refused, match="deleted"):
            desk.later.save(desk.bob(), message)

    @pytest.mark.parametrize("wait", [timedelta(), timedelta(hours=-1), timedelta(days=800)])
    def test_a_time_that_cannot_be(self, desk: Desk, wait: timedelta) -> None:
        saved = desk.save(0)
        with pytest.raises(Refused, match="Choose a"):
            desk.later.remind(BOB.id, saved, desk.clock.now + wait)

    def test_somebody_elses_entry_is_not_there(self, desk: Desk) -> None:
        saved = desk.save(0)
        with pytest.raises(Refused) as refusal:
            desk.later.remind(ALICE.id, saved, desk.soon(hours=1))
        assert refusal.value.reason == "not_found"
        desk.later.remove(ALICE.id, saved)
        assert desk.later.list_page(BOB.id).others


class TestReminders:
    def test_each_is_announced_once(self, desk: Desk) -> None:
        saved = desk.save(0, desk.soon(minutes=20))
        desk.told.clear()
        desk.reminders.announce()
        assert (desk.told, desk.push.sent) == ([], [])
        desk.clock.advance(minutes=21)
        for _ in range(2):
            desk.reminders.announce()
        assert desk.told == [DUE]
        ((users, payload),) = desk.push.sent
        assert users == {BOB.id}
        assert (payload["title"], payload["body"]) == ("Reminder: Alice in The den", "about 0")
        assert payload["url"] == f"/chatroom/{desk.room.slug}/{desk.messages[0].sequence}"
        assert payload["tag"] == f"reminder:{saved}"

    def test_what_became_due_without_a_server_is_announced_at_the_start(self, desk: Desk) -> None:
        for number in range(3):
            desk.save(number, desk.soon(minutes=number + 1))
        desk.clock.advance(days=2)
        desk.told.clear()
        desk.reminders.announce()
        assert [payload["body"] for _, payload in desk.push.sent] == ["about 0", "about 1", "about 2"]
        assert desk.told == [DUE] * 3

    @pytest.mark.parametrize("change", ["removed", "no reminder", "later"])
    def test_a_changed_mind_is_obeyed(self, desk: Desk, change: str) -> None:
        saved = desk.save(0, desk.soon(minutes=20))
        if change == "removed":
            desk.later.remove(BOB.id, saved)
        else:
            desk.later.remind(BOB.id, saved, None if change == "no reminder" else desk.soon(hours=5))
        desk.clock.advance(minutes=21)
        desk.reminders.announce()
        assert desk.push.sent == []
        assert desk.later.count_due(BOB.id) == 0

    def test_the_push_says_nothing_of_a_message_that_one_cannot_read(self, desk: Desk) -> None:
        """I12: without a text."""
        desk.save(0, desk.soon(minutes=20))
        desk.world.rooms.membership.remove(desk.alice, BOB.id)
        desk.clock.advance(minutes=21)
        desk.reminders.announce()
        ((_, payload),) = desk.push.sent
        assert payload["url"] == "/later"
        assert not {"about", "Alice", "den"} & set(f"{payload['title']} {payload['body']}".split())

    def test_every_change_is_told_to_the_open_pages(self, desk: Desk) -> None:
        saved = desk.save(0)
        desk.later.remind(BOB.id, saved, desk.soon(hours=1))
        desk.later.remove(BOB.id, saved)
        desk.later.remove(BOB.id, saved)
        assert desk.told == [LATER] * 3


class TestTimes:
    @pytest.mark.parametrize(
        ("when", "now", "expected"),
        [
            ("20 minutes", "2026-11-21T10:00", "2026-11-21T10:20"),
            ("tomorrow", "2026-11-21T10:00", "2026-11-22T08:00"),
            ("tomorrow", "2026-11-21T23:30", "2026-11-23T08:00"),  # in Vienna, it is the 22nd already
            ("tomorrow", "2026-03-28T10:00", "2026-03-29T07:00"),  # the clocks go forward in this night
            ("monday", "2026-11-21T10:00", "2026-11-23T08:00"),
            ("monday", "2026-11-23T05:00", "2026-11-30T08:00"),  # on a Monday, the next one
        ],
    )
    def test_mornings_are_those_of_ones_zone(self, desk: Desk, when: Any, now: str, expected: str) -> None:
        desk.clock.now = datetime.fromisoformat(now).replace(tzinfo=UTC)
        moment = desk.later.moment_of(when, ZoneInfo("Europe/Vienna"))
        assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_an_account_that_is_deleted_leaves_nothing(desk: Desk, database: Database) -> None:
    desk.save(0)
    desk.store.forget(BOB.id)
    assert database["saved"].count_documents({}) == 0


def test_no_text_is_stored(desk: Desk, database: Database) -> None:
    """I12: without a text."""
    desk.save(0, desk.soon(hours=1))
    (document,) = database["saved"].find()
    assert set(document) == {"_id", "user", "room", "message", "saved_at", "remind_at", "waits_to"}
