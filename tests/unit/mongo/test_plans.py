"""Every query that a page or a follower makes is served by an index: the plans are looked at on a real server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest

from chatroom.base.models import File, Notice, Room
from chatroom.erasure.erasure_store import ErasureStore
from chatroom.files.files_store import FileStore
from chatroom.live.presence.presences_store import PresenceStore
from chatroom.messages.log_store import last_of
from chatroom.messages.messages_store import MessageStore
from chatroom.moderation.figures_store import SiteRoomStore
from chatroom.mongo.database import Database
from chatroom.mongo.embedded import EmbeddedMongo
from chatroom.outbound.later import MOST_SAVED
from chatroom.outbound.later_store import SavedStore
from chatroom.people.avatars_store import AvatarStore
from chatroom.people.users_store import UserStore
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.listings_store import ListingStore
from chatroom.rooms.members_store import MemberStore
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.own_memberships_store import OwnMembershipStore
from chatroom.rooms.rooms_store import RoomStore
from chatroom.search.search_store import Entry, SearchStore
from chatroom.search.spans_store import Beginning, OneOf, Span, Step
from chatroom.site.codes_store import CodeStore
from chatroom.site.notices_store import NoticeStore
from tests.databases import COLLECTIONS
from tests.people import ALICE, BOB, rendered
from tests.unit.mongo.plans import Commands, explain, stages_of
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

MESSAGES = 3000
DEN = Room(id="r7", slug="room-7", title="", kind="private")
LOBBY = Room(id="lobby", slug="lobby", title="Lobby")
FILE_IDS = [f"{n:024x}" for n in range(200)]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def commands() -> Commands:
    return Commands()


@pytest.fixture(scope="module")
def full_database(mongod: EmbeddedMongo, commands: Commands) -> Iterator[Database]:
    """A room of 3,000 messages among others, some of them changed."""
    client: Any = pymongo.MongoClient(mongod.root_uri, tz_aware=True, event_listeners=[commands])
    database = Database(client, "test_plans", timeout_seconds=PATIENCE_SECONDS)
    database.ensure_indexes(COLLECTIONS)
    store = MessageStore(database, origin="x")
    for room, count in (("before", 500), ("lobby", MESSAGES), ("later", 500)):
        store.append(room, [rendered(f"c{i}", author=ALICE if i % 2 else BOB) for i in range(count)])
    for message in store.newest("lobby", 5):
        store.change("lobby", message.id, lambda message: {"text": "changed"})
    for message in store.newest("lobby", 5):
        store.change("lobby", message.id, lambda message: {"pinned_at": datetime.now(UTC)})
    rooms = RoomStore(database)
    memberships = MembershipStore(database)
    for n in range(50):
        room = Room(id=f"r{n}", slug=f"room-{n}", title="", kind="private")
        rooms.ensure(room)
        memberships.admit(ALICE.id, room)
        memberships.admit(BOB.id, room)
    users = UserStore(database)
    named = [users.add(f"name-{n}", f"Name {n}", "hash") for n in range(200)]
    for n in (7, 8):
        memberships.admit(named[n].id, DEN)
    rooms.ensure(LOBBY)
    memberships.admit(ALICE.id, LOBBY)
    notices = NoticeStore(database)
    for _ in range(2):
        notices.add(notices.new_id(), Notice(kind="rooms"))
    for process in ("one", "two", "three"):
        leases = [(f"r{n}", person) for n in range(50) for person in (ALICE, BOB)]
        PresenceStore(database, process=process, lease_seconds=600).take(leases)
    index = SearchStore(database)
    for room in ("before", "lobby", "later"):
        found = store.newest(room, MESSAGES)
        words = [("every", "other" if n % 2 else "odd", f"w{n}", f"rare{n // 10}") for n in range(len(found))]
        index.put(room, [Entry(m.id, m.revision, each) for m, each in zip(found, words, strict=True)])
        index.advance(room, len(found), 1)
    for n in range(50):
        AvatarStore(database).put(f"user-{n}", "v", small=b"s", large=b"l")
    for file_id in FILE_IDS:
        file = File(id=file_id, name="a", type="x/y", size=10)
        FileStore(database).add(file, [b"x" * 10], room_id="lobby", owner_id=ALICE.id, thumbnail=b"", check_at=LONG_AGO)
    yield database
    client.drop_database("test_plans")
    client.close()


def links_in(database: Database) -> CodeStore:
    return CodeStore(database, database["room_invites"], owner="created_by_id")


def messages(database: Database) -> MessageStore:
    return MessageStore(database, origin="here")


def presences(database: Database) -> PresenceStore:
    return PresenceStore(database, process="one", lease_seconds=600)


def find_some(database: Database) -> None:
    store = messages(database)
    store.change("lobby", store.newest("lobby", 1)[0].id, lambda message: {"text": "again"})


def look(
    database: Database,
    lead: OneOf | None,
    *rest: OneOf | Beginning,
    rooms: tuple[str, ...] = ("lobby",),
    most: int | None = 200,
) -> None:
    step = Step(lead=lead, rest=rest, most=most)
    ids, end = SearchStore(database).look(Span(rooms=rooms), step, limit=50)
    assert ids or end


# What is called, and the most documents that any one of its queries may look at.
CALLS: dict[str, tuple[Callable[[Database], Any], int]] = {
    "newest revision": (lambda d: messages(d).newest_revision("lobby"), 1),
    "newest revision of no room": (lambda d: messages(d).newest_revision("nowhere"), 0),
    "the newest page": (lambda d: messages(d).newest("lobby", 51), 51),
    "an older page": (lambda d: messages(d).before("lobby", 1500, 51), 51),
    "the oldest page": (lambda d: messages(d).before("lobby", 10, 51), 10),
    "a newer page": (lambda d: messages(d).since("lobby", 1500, 51), 51),
    "quoted messages": (lambda d: messages(d).by_sequences("lobby", range(1, 2900, 100)), 29),
    "a follower's page": (lambda d: messages(d).changed_after("lobby", 100, 500), 500),
    "a follower near the end": (lambda d: messages(d).changed_after("lobby", MESSAGES, 500), 10),
    "what is pinned": (lambda d: messages(d).pinned("lobby"), 5),
    "members who are named": (lambda d: MemberStore(d).find_named(DEN, ["name-7", "name-8", "nobody"]), 2),
    "anybody who is named": (lambda d: MemberStore(d).find_named(LOBBY, ["name-7", "nobody"]), 1),
    "members by how their names begin": (lambda d: MemberStore(d).list_like(DEN, "name", 10), 4),
    "anybody by how their names begin": (lambda d: MemberStore(d).list_like(LOBBY, "name-1", 10), 20),
    "polling": (lambda d: messages(d).newest_revisions({"lobby": MESSAGES, "before": 498, "x": 0}), 0),
    "a change": (find_some, 1),
    "drafts sent again": (
        lambda d: messages(d).append("lobby", [rendered(f"c{i}", author=BOB) for i in range(0, 400, 2)], after=0),
        200,
    ),
    "a room for its member": (lambda d: AccessStore(d).find(ALICE.id, "room-7"), 1),
    "rooms that somebody moderates": (lambda d: AccessStore(d).moderated_by(BOB.id), 60),
    "who moderates a room": (lambda d: AccessStore(d).moderators_of(DEN.id, with_site=False), 1),
    "an open room": (lambda d: RoomStore(d).find_public("lobby"), 1),
    "admitting": (lambda d: MembershipStore(d).admit(ALICE.id, LOBBY), 1),
    "a picture of somebody": (lambda d: AvatarStore(d).find("user-7", "v", is_large=True), 1),
    "whose pictures are listed": (lambda d: AvatarStore(d).newest(20), 20),
    "a file": (lambda d: FileStore(d).get(FILE_IDS[0]), 1),
    "files of a message": (lambda d: FileStore(d).find_all(FILE_IDS[:3]), 3),
    "a thumbnail": (lambda d: FileStore(d).find_copy(FILE_IDS[0], "thumbnail"), 1),
    "a piece of a file": (lambda d: list(FileStore(d).read(FILE_IDS[0], 5, 9)), 1),
    "what the sweep looks at": (lambda d: FileStore(d).take_due(LONG_AGO), 1),
    "what somebody uploaded lately": (
        lambda d: FileStore(d).recent(ALICE.id, LONG_AGO - timedelta(days=1), LONG_AGO),
        len(FILE_IDS),
    ),
    "what all files take": (lambda d: FileStore(d).total_bytes(), len(FILE_IDS)),
    "looking at files later": (lambda d: FileStore(d).check_at(FILE_IDS[:3], LONG_AGO), 3),
    "removing a file": (lambda d: FileStore(d).remove(FILE_IDS[-1]), 1),
    "the message of a file": (lambda d: messages(d).find_by_client_id("lobby", BOB.id, "c8"), 1),
    "who is here": (lambda d: presences(d).here("r1"), 6),
    "who is elsewhere": (lambda d: presences(d).elsewhere(["r1", "r2"]), 12),
    "a common word": (lambda d: look(d, OneOf(("every",))), 50),
    "a common word in many rooms": (lambda d: look(d, OneOf(("every",)), rooms=("before", "lobby", "later")), 50),
    "words with this start": (lambda d: look(d, OneOf(tuple(f"rare{n}" for n in range(100)))), 100),
    "two common words": (lambda d: look(d, OneOf(("every",)), OneOf(("other",))), 200),
    "common words that never meet": (lambda d: look(d, OneOf(("odd",)), OneOf(("other",))), 200),
    "every message looked through": (lambda d: look(d, None, Beginning("rare1"), OneOf(("nothing",))), 200),
    "counting a word": (lambda d: SearchStore(d).count(Span(rooms=("lobby",)), ["every"], 100), 100),
    "words by their beginning": (lambda d: SearchStore(d).words.beginning_with(["lobby"], "rare", 50), 50),
    "rooms with a word": (lambda d: SearchStore(d).words.rooms_with(["lobby", "before"], ["w1", "w2"]), 4),
    "how far rooms are indexed": (lambda d: SearchStore(d).cursors(["lobby", "before"], 1), 2),
    "messages by their ids": (
        lambda d: messages(d).find_all([m.id for m in messages(d).newest("lobby", 20)], ["lobby"]),
        20,
    ),
    "what changed in these rooms": (lambda d: messages(d).changed_beyond({"lobby": MESSAGES - 50}, 40), 40),
    "what changed last": (lambda d: messages(d).changed_last("lobby", 100, 40), 40),
    "the newest of each room": (lambda d: messages(d).newest_of(["lobby", "before", "nowhere"]), 2),
    "the last message of each room": (lambda d: last_of(d["messages"], ["lobby", "before", "nowhere"]), 2),
    "how much is older": (lambda d: messages(d).count_older("lobby", datetime.now(UTC), after=MESSAGES - 100), 100),
    "a rare word's entries": (lambda d: look(d, OneOf(("rare1",)), most=None), 10),
    "a rare word's entries beside a common word": (
        lambda d: look(d, OneOf(("rare1",)), OneOf(("every",)), most=None),
        10,
    ),
    "the first message of a day": (lambda d: messages(d).first_since("lobby", datetime.now(UTC)), 1),
    "a user's rooms": (lambda d: ListingStore(d).rooms_of(ALICE.id), 51),
    "renewing leases": (lambda d: presences(d).renew(), 100),
    "ending leases": (lambda d: presences(d).end([("r3", ALICE.id)]), 1),
    "notices": (lambda d: NoticeStore(d).told_since(datetime.now(UTC) - timedelta(hours=1)), 3),
    "a notice": (lambda d: NoticeStore(d).add("0" * 24, Notice(kind="rooms")), 1),
    "a room by its id": (lambda d: RoomStore(d).find("r7"), 1),
    "a list of rooms": (lambda d: ListingStore(d).list_for(ALICE.id), 200),
    "noting who types": (lambda d: presences(d).mark_typing([("r3", ALICE.id)], datetime.now(UTC)), 1),
    "who types elsewhere": (lambda d: presences(d).typing_elsewhere(["r1", "r2"], timedelta(seconds=6)), 12),
    "a read position": (lambda d: OwnMembershipStore(d).mark_read(ALICE.id, "r7", 3, 0), 1),
    "an arrangement": (lambda d: OwnMembershipStore(d).arrange(ALICE.id, "r7", {"is_starred": True}), 1),
    "the next reminder": (lambda d: SavedStore(d).take_waiting(), 1),
    "saving a message": (lambda d: SavedStore(d).put(ALICE.id, "lobby", "0" * 24), 1),
    "a page of saved messages": (lambda d: SavedStore(d).list_others(ALICE.id, "f" * 24, 51), 51),
    "how many reminders are due": (lambda d: SavedStore(d).count_due(ALICE.id, 100), 100),
    "due reminders": (lambda d: SavedStore(d).list_due(ALICE.id, 50), 50),
    "the saved messages of a room": (lambda d: SavedStore(d).ids(ALICE.id, "lobby"), MOST_SAVED),
    "the public rooms": (lambda d: ListingStore(d).list_public(ALICE.id), 51),
    "all rooms": (lambda d: SiteRoomStore(d).list_like("", ("", ""), 5), 400),
    "rooms by how their names begin": (lambda d: SiteRoomStore(d).list_like("lob", ("", ""), 5), MESSAGES // 2),
    "a room in figures": (lambda d: SiteRoomStore(d).find("room-7"), 4),
    "the members of a room": (lambda d: MemberStore(d).list_page(LOBBY), 6),
    "a member's role": (lambda d: MembershipStore(d).find_role(ALICE.id, LOBBY), 1),
    "a turn in a slow room": (lambda d: OwnMembershipStore(d).take_turn(ALICE.id, LOBBY, "c1", 5), 1),
    "the links into a room": (lambda d: links_in(d).list_valid(50, order="created_at", room=LOBBY.id), 1),
    "a link": (lambda d: links_in(d).take("x"), 1),
    "rooms that delete what is old": (lambda d: ErasureStore(d).list_retaining(), 1),
    "how many rooms somebody made": (lambda d: RoomStore(d).count_made_by(ALICE.id, 50), 50),
    "ending all leases": (lambda d: presences(d).end_all(), 100),
}


@pytest.mark.parametrize("name", CALLS)
def test_l10_the_plan_uses_an_index_and_examines_only_its_results(
    name: str, full_database: Database, commands: Commands
) -> None:
    call, most = CALLS[name]
    commands.sent.clear()
    call(full_database)
    sent = list(commands.sent)

    assert sent, "the call sent no query"
    for command in sent:
        plan = explain(full_database, command)
        plan = plan["stages"][0]["$cursor"] if "stages" in plan else plan
        stages = set(stages_of(plan["queryPlanner"]["winningPlan"]))
        assert not stages & {"COLLSCAN", "SORT"}, (command, stages)
        assert stages & {"IXSCAN", "DISTINCT_SCAN", "IDHACK", "EOF"}, (command, stages)
        assert plan["executionStats"]["totalDocsExamined"] <= most, command
        assert plan["executionStats"]["totalKeysExamined"] <= 2 * most + 10, command
