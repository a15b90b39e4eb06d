from collections.abc import Mapping
from typing import Any

import pytest

from chatroom.base.models import Author, Message, Room, RoomEntry
from chatroom.messages.messages_store import MessageStore
from chatroom.mongo.database import Database
from chatroom.rooms.access_store import AccessStore
from chatroom.rooms.listings_store import MOST_UNREAD, ListingStore, title_for
from chatroom.rooms.memberships_store import MembershipStore
from chatroom.rooms.rooms_store import RoomStore
from tests.people import ALICE, BOB, MALLORY, person, rendered

DEN = Room(id="den", slug="the-den", title="The den", kind="private")
HALL = Room(id="hall", slug="hall", title="Hall")


@pytest.fixture
def messages(database: Database) -> MessageStore:
    rooms = RoomStore(database)
    memberships = MembershipStore(database)
    for room in (DEN, HALL):
        rooms.ensure(room)
        memberships.admit(BOB.id, room)
    memberships.admit(ALICE.id, DEN)
    for each in (ALICE, BOB, MALLORY):
        keys = {"username_key": each.id, "display_name_key": each.id, "name_keys": [each.id]}
        database["users"].insert_one({"_id": each.id, "display_name": each.name, **keys})
    return MessageStore(database, origin="here")


def entries(database: Database, author: Author = ALICE) -> Mapping[str, RoomEntry]:
    return {entry.room.id: entry for entry in ListingStore(database).list_for(author.id)}


def read_to(database: Database, sequence: int) -> None:
    database["memberships"].update_one({"user": ALICE.id}, {"$set": {"read_sequence": sequence}})


def test_a_list_has_ones_own_rooms_and_no_others(database: Database, messages: MessageStore) -> None:
    messages.append(HALL.id, [rendered("b1", author=BOB)])
    assert set(entries(database)) == {"den"}
    assert set(entries(database, BOB)) == {"den", "hall"}
    assert entries(database, MALLORY) == {}
    assert entries(database)["den"].revision == 0


def test_unread_messages_are_those_of_others_after_the_read_position(
    database: Database, messages: MessageStore
) -> None:
    messages.append(DEN.id, [rendered(f"b{i}", author=BOB) for i in range(5)] + [rendered("a1", author=ALICE)])
    assert (entries(database)["den"].unread, entries(database)["den"].revision) == (5, 6)
    assert entries(database, BOB)["den"].unread == 1
    read_to(database, 2)
    assert entries(database)["den"].unread == 3
    read_to(database, 6)
    assert entries(database)["den"].unread == 0


def test_deleted_messages_and_events_are_not_unread(database: Database, messages: MessageStore) -> None:
    first, second, *_ = [
        each.message for each in messages.append(DEN.id, [rendered(f"b{i}", author=BOB) for i in range(3)])
    ]

    def change(message: Message, fields: dict[str, Any]) -> None:
        messages.change(DEN.id, message.id, lambda _: fields)

    change(first, {"deleted_at": first.sent_at, "mentions": [ALICE.id]})
    change(second, {"kind": "event"})
    assert entries(database)["den"].unread == 1
    assert entries(database)["den"].mentions == 0


def test_mentions_are_counted_however_much_is_unread(database: Database, messages: MessageStore) -> None:
    stored = messages.append(DEN.id, [rendered(f"b{i}", author=BOB) for i in range(MOST_UNREAD + 50)])
    for place, names in ((3, [ALICE.id]), (120, ["room"]), (130, [MALLORY.id])):
        messages.change(DEN.id, stored[place].message.id, lambda _, names=names: {"mentions": names})
    assert (entries(database)["den"].unread, entries(database)["den"].mentions) == (MOST_UNREAD, 2)
    read_to(database, 100)
    assert (entries(database)["den"].unread, entries(database)["den"].mentions) == (50, 1)


def test_mentions_that_edits_add_to_read_messages_are_counted_until_the_edit_is_read(
    database: Database, messages: MessageStore
) -> None:
    stored = [each.message for each in messages.append(DEN.id, [rendered(f"b{i}", author=BOB) for i in range(4)])]
    read_to(database, 4)

    def edit(message: Message, *new: str) -> None:
        messages.change(DEN.id, message.id, lambda _: {"text": "@", "mentions": list(new), "new_mentions": list(new)})

    edit(stored[0], ALICE.id)
    edit(stored[1], "room")
    edit(stored[2], MALLORY.id)
    assert (entries(database)["den"].unread, entries(database)["den"].mentions) == (0, 2)
    messages.change(DEN.id, stored[0].id, lambda _: {"deleted_at": stored[0].sent_at})
    assert entries(database)["den"].mentions == 1
    read_to(database, 7)
    assert entries(database)["den"].mentions == 0


def test_a_direct_room_has_the_others_names(database: Database, messages: MessageStore) -> None:
    database["rooms"].update_one({"_id": "den"}, {"$set": {"kind": "direct", "people": [ALICE.id, BOB.id, MALLORY.id]}})
    assert entries(database)["den"].title == "Bob, Mallory"
    assert entries(database, BOB)["den"].title == "Alice, Mallory"
    assert entries(database)["den"].people == (person(BOB), person(MALLORY))


def test_a_direct_room_with_oneself_alone_has_a_title_too() -> None:
    room = Room(id="x", slug="x", title="", kind="direct", people=(ALICE.id,))
    assert title_for(ALICE.id, room, {ALICE.id: person(ALICE)}) == "Just you"


def test_a_removed_member_loses_the_room(database: Database, messages: MessageStore) -> None:
    database["memberships"].update_one({"user": ALICE.id, "room": "den"}, {"$set": {"removed_at": "now"}})
    assert entries(database) == {}
    assert AccessStore(database).find(ALICE.id, "the-den") is None
